"""Losses and derivatives that steering can go on from."""

from __future__ import annotations

import math

from torch import Tensor

from paretonav.errors import NonFiniteError
from paretonav.objectives import Losses, Problem
from paretonav.text import in_quotes


def finite_jacobian(problem: Problem, theta: Tensor, where: str) -> tuple[Losses, Tensor]:
    """The training losses and their Jacobian at ``theta``.

    Raises:
        NonFiniteError: a loss or a gradient is not finite; names the objective, and ``where`` that was.
    """
    losses, jacobian = problem.jacobian(theta)
    problem.require_finite(losses, where)
    # The objectives share a graph, where an infinite derivative of one makes those of the others 0 * inf.
    for suspect in (jacobian.isinf(), jacobian.isnan()):
        if suspect.any():
            name = problem.names[int(suspect.any(dim=1).int().argmax())]
            raise NonFiniteError(
                f"the gradient of objective {in_quotes(name)} is not finite {where}, though its loss "
                "is; look for a root or a logarithm at zero, or for 0 * inf in a torch.where"
            )
    return losses, jacobian


def require_finite_metrics(losses: Losses) -> None:
    """Raise ``NonFiniteError`` naming the first metric that is no finite number, and the first batch to blame."""
    for i, (name, value) in enumerate(losses.metrics.items()):
        if not math.isfinite(value):
            finite = losses.metric_batches[:, i].isfinite()
            where = (
                f", first in batch {int(finite.int().argmin()) + 1} of {len(finite)}" if finite.any() else ""
            )
            raise NonFiniteError(
                f"metric {in_quotes(name)} is {value}{where}, so nothing can be said of it; let it be "
                "a number on every batch, "
                "give what not every batch can tell (a rate of a class, say) as an Aggregate, or leave it out"
            )
