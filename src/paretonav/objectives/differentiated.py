"""Where a share of the data is differentiated, once or twice: what torch needs for it, and what it says of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch
from torch import Tensor
from torch.utils.checkpoint import CheckpointError

from paretonav.objectives.blame import ours
from paretonav.objectives.modes import differentiable, variable
from paretonav.objectives.problem import Composite
from paretonav.text import in_quotes

CHANGED = "behind a gradient checkpoint the model does not run again as it did"
"""What is said of a model that takes another way when it is recomputed."""


@contextmanager
def differentiated(part: Composite, theta: Tensor) -> Iterator[None]:
    """Whatever is raised while ``part`` is differentiated at ``theta`` [n] comes out with the name of what failed.

    Not every operation has a second derivative in torch, which curvature needs, and a backward pass that somebody has
    written may fail by itself. Backward passes that recompute activations do so as they were at theta, and may only be
    made inside.

    Raises:
        OutOfMemoryError: memory ran out.
        ProblemError: anything else but our own errors; names the loss, or the model.
    """

    def told(error: Exception) -> str:
        if isinstance(error, CheckpointError):
            return (
                f"{CHANGED} ({str(error).strip().splitlines()[0]}); leave what differs out of the checkpoints, such as "
                "weight norm and what depends on a mode of torch around the call"
            )
        twice = "it with operations of which torch has second derivatives"
        if part.apart is None:
            what, remedy = "the objectives", f"write {twice}"
        elif (name := _culprit(part, theta)) is not None:
            what, remedy = (
                f"loss {in_quotes(name)}",
                f"write {twice}, or show it as a metric, which needs none",
            )
        else:
            what, remedy = "the model", f"write {twice}, or leave the parameters before it out of parameters="
        return f"{what} cannot be differentiated as curvature needs it: {type(error).__name__}: {error}; {remedy}"

    again = nullcontext() if part.again is None else part.again(theta)
    with ours(told), differentiable(), again:
        yield


def _culprit(part: Composite, theta: Tensor) -> str | None:
    """The name of the first loss that cannot be differentiated twice by the outputs; None if all can."""
    assert part.apart is not None
    try:
        with torch.no_grad():
            leaves = tuple(variable(output) for output in part.outputs(theta.detach()))
        with differentiable():
            losses = part.apart(leaves)
    except Exception:  # what was raised first is told
        return None
    for name, loss in losses.items():
        try:
            with differentiable():
                _differentiate_twice(loss, leaves)
        except Exception:
            return name
    return None


def _differentiate_twice(loss: Tensor, leaves: tuple[Tensor, ...]) -> None:
    if loss.requires_grad:
        slopes = torch.autograd.grad(loss, leaves, create_graph=True, materialize_grads=True)
        curved = [slope for slope in slopes if slope.requires_grad]
        if curved:
            ones = [torch.ones_like(slope) for slope in curved]
            torch.autograd.grad(curved, leaves, ones, allow_unused=True)
