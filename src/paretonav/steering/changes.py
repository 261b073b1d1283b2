"""Numbers and changes by name, with their standard errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from paretonav.statistics import quantile


class Estimates(dict[str, float]):
    """Name -> number that was measured on a sample of data.

    Attributes:
        standard_errors: name -> standard error: by how much the number would vary with another draw of as much data.
            Empty where it is not known: fewer than four batches, or a function.
        batches: how many they are from; 0 if that is not known.
    """

    def __init__(
        self,
        values: Mapping[str, float] | None = None,
        standard_errors: Mapping[str, float] | None = None,
        batches: int = 0,
    ) -> None:
        super().__init__(values or {})
        self.standard_errors: dict[str, float] = dict(standard_errors or {})
        self.batches = batches

    @classmethod
    def of(
        cls,
        names: Sequence[str],
        values: Tensor | NDArray[np.float64],
        errors: Tensor | NDArray[np.float64] | None,
        batches: int = 0,
    ) -> Self:
        """From vectors in the order of ``names``; errors that are not known are None, or empty."""
        known = errors is not None and len(errors) > 0
        return cls(_named(names, values), _named(names, errors) if known else {}, batches)  # type: ignore[arg-type]

    def beside(self, other: Self) -> Self:
        """These numbers and others; of as many batches as the fewer of the two are from."""
        if not self or not other:
            return self or other
        errors = self.standard_errors | other.standard_errors
        return type(self)(self | other, errors, min(self.batches, other.batches))

    def error(self, name: str) -> float | None:
        """The standard error of a number, or None."""
        return self.standard_errors.get(name)


class Changes(Estimates):
    """Name -> signed change; of a loss, negative is better. Standard errors are from paired per-batch differences.

    Example:
        >>> achieved = Changes({"a": -0.1, "b": 0.01}, {"a": 0.02, "b": 0.02})
        >>> achieved["a"], [name for name in achieved if achieved.is_noise(name)]
        (-0.1, ['b'])
    """

    def is_noise(self, name: str) -> bool:
        """Whether zero is inside the 95 % interval; False where the standard error is not known."""
        if name not in self.standard_errors:
            return False
        width = quantile(self.batches) if self.batches else 2.0
        return abs(self[name]) <= width * self.standard_errors[name]


def _named(names: Sequence[str], values: Tensor | NDArray[np.float64]) -> dict[str, float]:
    return dict(zip(names, torch.as_tensor(values).tolist(), strict=True))
