"""Objectives that are functions of the parameters alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

import torch
from torch import Tensor

from paretonav.errors import ProblemError
from paretonav.objectives.parameters import some_of


@dataclass(frozen=True)
class Penalty:
    """An objective of the steered parameters, without data: a norm, a distance to another model, a regulariser.

    It is the same on every batch, so its changes have a standard error of zero.

    Args:
        function: ``(parameters by name) -> scalar``.
        parameters: a shell-style pattern that chooses among the steered parameters, by the names in
            ``ModelProblem.steered``; the others are constants, to which no penalty applies.

    Example:
        >>> size = Penalty(lambda parameters: sum(p.square().sum() for p in parameters.values()))
    """

    function: Callable[[Mapping[str, Tensor]], Tensor]
    parameters: str = field(default="*", kw_only=True)

    def __call__(self, parameters: Mapping[str, Tensor]) -> Tensor:
        """The penalty of these parameters, a scalar.

        Raises:
            ProblemError: the pattern matches none of them.
        """
        chosen = {name: p for name, p in parameters.items() if fnmatchcase(name, self.parameters)}
        if not chosen:
            raise ProblemError(
                f"the pattern {self.parameters!r} of a penalty matches none of the steered parameters; there are: "
                f"{some_of(parameters)}"
            )
        return self.function(chosen)


def l2(parameters: str = "*", *, scale: float = 1.0) -> Penalty:
    """``scale / 2 |theta|^2``, of the steered parameters that the pattern matches."""
    return Penalty(lambda chosen: 0.5 * scale * _flat(chosen).square().sum(), parameters=parameters)


def smooth_l1(parameters: str = "*", *, scale: float = 1.0, smoothing: float = 1e-3) -> Penalty:
    """``scale sum(sqrt(theta^2 + smoothing^2) - smoothing)``: the path to sparsity, with second derivatives.

    Entries well above ``smoothing`` pay by their absolute value, and get pushed to zero one and all.
    """

    def function(chosen: Mapping[str, Tensor]) -> Tensor:
        return scale * ((_flat(chosen).square() + smoothing**2).sqrt() - smoothing).sum()

    return Penalty(function, parameters=parameters)


def _flat(chosen: Mapping[str, Tensor]) -> Tensor:
    return torch.cat([p.reshape(-1) for p in chosen.values()])
