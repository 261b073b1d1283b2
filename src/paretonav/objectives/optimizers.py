"""Optimizers that people bring: functions that make one for the tensors that are moved."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.optim import LBFGS, Optimizer

from paretonav.errors import ProblemError

OptimizerFactory = Callable[[list[Tensor]], Optimizer]


def adam(parameters: list[Tensor]) -> Optimizer:
    """Adam with a learning rate of 1e-3."""
    return torch.optim.Adam(parameters, lr=1e-3)


def require_factory(make: object) -> None:
    """Refuse what cannot make an optimizer.

    Raises:
        ProblemError: it is not a function.
    """
    if not callable(make):
        raise ProblemError(
            f"optimizer={make!r} is not a function; give one that makes an optimizer, for example "
            "lambda parameters: torch.optim.Adam(parameters, lr=1e-3)"
        )


def optimizer_for(make: OptimizerFactory, theta: Tensor) -> Optimizer:
    """What ``make`` makes for ``theta``, the one vector [n] of all steered parameters.

    Raises:
        ProblemError: it fails, makes something else than an optimizer or one for other tensors, or one that does not
            step on a gradient alone (L-BFGS).
    """
    try:
        made = make([theta])
    except Exception as error:
        raise ProblemError(
            f"optimizer failed on a list of one vector, which holds all steered parameters: {error}; give one that "
            "works on vectors"
        ) from error
    if not isinstance(made, Optimizer):
        raise ProblemError(f"optimizer made a {type(made).__name__}; it must return a torch.optim.Optimizer")
    if isinstance(made, LBFGS):
        raise ProblemError("L-BFGS evaluates the loss by itself; give an optimizer that steps on a gradient")
    if not any(tensor is theta for group in made.param_groups for tensor in group["params"]):
        raise ProblemError("optimizer made one for other tensors; build it from the list that it is given")
    return made
