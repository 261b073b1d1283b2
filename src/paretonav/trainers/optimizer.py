"""Another optimizer like the one that a model was trained with, for the one vector that is moved here."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from torch import Tensor
from torch.optim import Optimizer

from paretonav.errors import ProblemError
from paretonav.objectives.optimizers import OptimizerFactory
from paretonav.text import listed


def like(used: Optimizer) -> OptimizerFactory:
    """Makes optimizers of the same class, with the same settings, at the learning rate that it began with.

    Not its state: the running means in it are of a descent that has ended.

    Raises:
        ProblemError: it has several learning rates.
    """
    used = getattr(used, "optimizer", used)  # inside of what accelerate makes of it
    rates = sorted({_rate(group) for group in used.param_groups})
    if len(rates) > 1:
        raise ProblemError(
            f"the optimizer has several learning rates, {listed(f'{rate:g}' for rate in rates)}, and training on "
            "has one; give optimizer=, for example lambda parameters: torch.optim.AdamW(parameters, lr=1e-4), or "
            "None for Adam"
        )
    group = used.param_groups[0]  # has what the defaults do not, its own weight decay
    return making(type(used), {**used.defaults, **group, "lr": _rate(group)})


def making(kind: Callable[..., Optimizer], settings: Mapping[str, Any]) -> OptimizerFactory:
    """Makes optimizers of a class with those of the settings that it knows."""
    known = inspect.signature(kind).parameters
    return partial(
        _made, kind, {name: value for name, value in settings.items() if name in known and name != "params"}
    )


def _rate(group: Mapping[str, Any]) -> Any:
    """At which learning rate a group of parameters began, before its schedule."""
    return group.get("initial_lr", group.get("lr"))


def _made(
    kind: Callable[..., Optimizer], settings: Mapping[str, Any], parameters: Iterable[Tensor]
) -> Optimizer:
    return kind(parameters, **settings)
