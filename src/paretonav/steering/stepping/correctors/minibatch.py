"""What correctors on minibatches share: gradients of one batch, checked and counted."""

from __future__ import annotations

import torch
from torch import Tensor

from paretonav.errors import NonFiniteError
from paretonav.objectives import Composite, Problem, differentiated
from paretonav.text import in_quotes


def batch_jacobian(problem: Problem, batch: Composite, theta: Tensor, where: str) -> Tensor:
    """The objectives' gradients on a batch, weight decay included, [m, n]; m backward passes.

    Raises:
        NonFiniteError: an objective is not finite on the batch; names it, and ``where`` that was.
    """
    theta = theta.detach().requires_grad_()
    with differentiated(batch, theta):
        rows = torch.stack(_gradients(problem, _losses(problem, batch, theta, where), theta))
    problem.tally.count(gradient_passes=batch.fraction * problem.m)
    return rows + problem.weight_decay * theta.detach()


def batch_gradient(problem: Problem, batch: Composite, theta: Tensor, weights: Tensor, where: str) -> Tensor:
    """The weighted losses' gradient on a batch, without weight decay, [n]; one backward pass.

    Raises:
        NonFiniteError: as ``batch_losses_and_gradient``.
    """
    return batch_losses_and_gradient(problem, batch, theta, weights, where)[1]


def batch_losses_and_gradient(
    problem: Problem, batch: Composite, theta: Tensor, weights: Tensor, where: str
) -> tuple[Tensor, Tensor]:
    """The losses on a batch, [m], and the gradient of their weighted sum, without weight decay, [n]; one backward pass.

    Raises:
        NonFiniteError: a loss or a gradient is not finite on the batch; names the objective, and ``where``.
    """
    theta = theta.detach().requires_grad_()
    with differentiated(batch, theta):
        losses = _losses(problem, batch, theta, where)
        weighted = weights.to(losses) @ losses
        (gradient,) = torch.autograd.grad(weighted, theta, retain_graph=True, materialize_grads=True)
    problem.tally.count(gradient_passes=batch.fraction)
    if not gradient.isfinite().all():
        with differentiated(batch, theta):
            rows = torch.stack(_gradients(problem, losses, theta))
        # The objectives share a graph, where an infinite derivative of one makes those of the others 0 * inf.
        suspects = (rows.isinf() if rows.isinf().any() else rows.isnan()).any(dim=1)
        name = problem.names[int(suspects.int().argmax())]
        raise NonFiniteError(
            f"the gradient of objective {in_quotes(name)} is not finite {where}, though its loss is; "
            "look for a root or a logarithm at zero, or for a learning rate that is too high"
        )
    return losses.detach(), gradient


def moved(problem: Problem, theta: Tensor, direction: Tensor, length: float) -> Tensor:
    """``theta - length * direction``, inside the box if there is one."""
    theta = theta - length * direction
    return theta if problem.bounds is None else problem.bounds.clamp(theta)


def _losses(problem: Problem, batch: Composite, theta: Tensor, where: str) -> Tensor:
    problem.watch.checkpoint()
    values = batch.losses(batch.outputs(theta))
    problem.tally.count(forward_passes=batch.fraction)
    problem.require_finite(values.detach(), where)
    return values


def _gradients(problem: Problem, values: Tensor, theta: Tensor) -> list[Tensor]:
    rows = []
    for value in values:
        problem.watch.checkpoint()
        rows.append(torch.autograd.grad(value, theta, retain_graph=True, materialize_grads=True)[0])
    return rows
