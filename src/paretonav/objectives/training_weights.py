"""The weights of the losses in the sum that a model was trained on.

See docs/method.md#m-ways-instead-of-m--1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import SupportsFloat

import torch
from torch import Tensor

from paretonav.errors import ProblemError
from paretonav.text import in_quotes


def equal_weights(m: int) -> Tensor:
    """[m], float64, with sum one."""
    return torch.full((m,), 1 / m, dtype=torch.float64)


def training_weights(given: Mapping[str, SupportsFloat] | None, names: Sequence[str]) -> Tensor:
    """The weights that were given as ``weights=``, divided by their sum; [m], float64. None are equal weights.

    Every name must be there: whoever forgets one means a weight of one or of zero, and which one cannot be guessed.

    Args:
        given: name -> weight, any positive scale.
        names: of the losses.

    Raises:
        ProblemError: it is no mapping, a name is unknown or missing, or a weight is no number, not finite or negative,
            or all are zero.
    """
    if given is None:
        return equal_weights(len(names))
    if not isinstance(given, Mapping):
        raise ProblemError(
            f"weights must map every loss to its weight, not be a {type(given).__name__}; give {_example(names)}"
        )
    if unknown := [name for name in given if name not in names]:
        raise ProblemError(
            f"weights has {_listed(unknown)}, which is no loss; the losses are {_listed(names)}"
        )
    if missing := [name for name in names if name not in given]:
        raise ProblemError(
            f"weights has no weight of {_listed(missing)}; give one for every loss, 0 for what the model "
            "was not trained on"
        )
    weights = torch.tensor([_weight(name, given[name]) for name in names], dtype=torch.float64)
    if not weights.any():
        raise ProblemError("weights are all zero; give those of the sum that the model was trained on")
    weights = weights / weights.max()  # so that the sum is finite
    return weights / weights.sum()


def _weight(name: str, given: SupportsFloat) -> float:
    try:
        if isinstance(given, str | bytes | bool):
            raise TypeError("it is text or a truth value")
        weight = float(given)
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise ProblemError(f"weights[{name!r}] is {given!r}; give a number ({error})") from error
    if not math.isfinite(weight):
        raise ProblemError(
            f"weights[{in_quotes(name)}] is {weight}, which is not finite; give a number of at least 0"
        )
    if weight < 0:
        raise ProblemError(
            f"weights[{in_quotes(name)}] is {weight:g}, which is negative; every loss is minimised, "
            "so turn the loss's sign instead if it was maximised"
        )
    return weight


def _example(names: Sequence[str]) -> str:
    return "{" + ", ".join(f"{in_quotes(name)}: 1.0" for name in names) + "}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))
