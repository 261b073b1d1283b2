"""How each objective bends along the tangent space.

See docs/method.md#front-model.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from paretonav.objectives import Composite, Tally, Watch, backward, differentiated
from paretonav.objectives.own_part import OwnPart
from paretonav.objectives.sample import Key, Sample
from paretonav.processes import Done


def path_curvature(
    sample: Sequence[Composite],
    theta: Tensor,
    basis: Tensor,
    m: int,
    tally: Tally,
    watch: Watch | None = None,
    known: tuple[Tensor, Tensor] | None = None,
) -> Tensor:
    """The Hessians of the losses in tangent coordinates, ``Q_i = V^T Hess(loss_i) V``.

    The losses of the linearised model are ``loss_i(theta - V c) = loss_i - R_i c + 1/2 c^T Q_i c + O(c^3)``. All m
    of them cost m (m-1) second-order backward passes, each down to the m-1 coordinates only. Where their weighted sum
    is known already, that of the largest weight is what is left of it.

    Args:
        sample: the composites whose fractions sum to one.
        theta: the point, [n].
        basis: the tangent basis V as rows, [m-1, n].
        m: the number of objectives.
        tally: counts the passes as Hessian products.
        watch: told how far it is, and may stop between two passes.
        known: weights [m] in the simplex, and the Q of the sum of the losses with these, on the same sample.

    Returns:
        [m, m-1, m-1], symmetric, float64 on the CPU.

    Example:
        >>> from paretonav import FunctionProblem
        >>> problem = FunctionProblem(lambda x: torch.stack([x[0] ** 2, x[0] * x[1]]), torch.ones(2))
        >>> path_curvature(problem.curvature_sample(), torch.ones(2), torch.ones(1, 2), 2, Tally()).flatten()
        tensor([2., 2.], dtype=torch.float64)
    """
    k = len(basis)
    rest = None if known is None else int(known[0].argmax())
    measured = [i for i in range(m) if i != rest]
    if isinstance(sample, Sample) and sample.team.size > 1:
        _, total = sample.team.everywhere(_part, theta, basis, key=sample.key, m=m, measured=measured)
        assert total is not None
        curvature = total
    else:
        curvature = _on(sample, theta, basis, m, measured, watch or Watch())
    tally.count(hessian_products=len(measured) * k)
    if known is not None and rest is not None:
        weights, total = known
        curvature[rest] = (total - torch.tensordot(weights, curvature, 1)) / weights[rest]
    return 0.5 * (curvature + curvature.mT)


def _part(
    own: OwnPart, theta: Tensor, basis: Tensor, *, key: Key, m: int, measured: Sequence[int]
) -> Done[None]:
    """The work of one process."""
    return Done(None, _on(own.sample(key, theta), theta, basis, m, measured, own.passes.watch))


def _on(
    sample: Sequence[Composite], theta: Tensor, basis: Tensor, m: int, measured: Sequence[int], watch: Watch
) -> Tensor:
    """The Hessians of the losses ``measured`` on a part of the sample, [m, m-1, m-1]; zero for the others."""
    k = len(basis)
    done = 0.0
    curvature = torch.zeros(m, k, k, dtype=torch.float64)
    axes = torch.eye(k, dtype=theta.dtype, device=theta.device)
    for part in sample:
        c = torch.zeros(k, dtype=theta.dtype, device=theta.device, requires_grad=True)
        with differentiated(part, theta):
            values = part.losses(part.outputs(theta.detach() - c @ basis))
            for number, i in enumerate(measured):
                watch.at(done + part.fraction * number / len(measured))
                (slope,) = torch.autograd.grad(values[i], c, create_graph=True, materialize_grads=True)
                if not slope.requires_grad:  # linear along the tangent
                    continue
                rows = backward(slope, c, axes, at_once=part.at_once, checkpoint=watch.checkpoint)
                for j, row in enumerate(rows):
                    curvature[i, j] += part.fraction * row.double().cpu()
        done += part.fraction
    return curvature
