"""Losses and derivatives that steering can go on from."""

from __future__ import annotations

from torch import Tensor

from paretonav.errors import NonFiniteError
from paretonav.objectives import Losses, Problem


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
                f"the gradient of objective {name!r} is not finite {where}, though its loss is; look for a root "
                "or a logarithm at zero, or for 0 * inf in a torch.where"
            )
    return losses, jacobian
