"""Solves that begin with what was solved for nearby."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from paretonav.geometry.algebra import inner_products
from paretonav.geometry.krylov import Solution, minres


def recycled_minres(
    operator: Callable[[Tensor], Tensor],
    rhs: Tensor,
    *,
    tolerance: Sequence[float],
    max_iterations: int,
    nearby: Tensor | None,
    at: Callable[[float], None] = lambda _: None,
) -> Solution:
    """``minres``, started from the best combination of solutions of a neighbouring system.

    Among the combinations x = y W of the neighbouring solutions W the one with the least residual |b - A x| is taken
    for each right-hand side: one product for each row of W, then a least-squares problem in their number. What is
    left is solved for as a system of its own, to the same absolute accuracy.

    Args:
        operator: as in ``minres``.
        rhs: [k, n].
        tolerance: of each row's residual relative to its right-hand side.
        max_iterations: as in ``minres``.
        nearby: W [j, n], or None to start from zero.
        at: as in ``minres``.
    """
    if nearby is None:
        return minres(operator, rhs, tolerance=tolerance, max_iterations=max_iterations, at=at)
    images = operator(nearby)
    mix = _least_squares(images, rhs)
    if mix is None:  # minres says where it is not finite
        return minres(operator, rhs, tolerance=tolerance, max_iterations=max_iterations, at=at)
    left = torch.addmm(rhs, mix, images, alpha=-1)
    del images  # of long vectors there are many here
    ratios = (left.norm(dim=1) / rhs.norm(dim=1).clamp_min(torch.finfo(rhs.dtype).tiny)).tolist()
    relative = [min(1.0, t / r) if r > 0 else 1.0 for t, r in zip(tolerance, ratios, strict=True)]
    solution = minres(operator, left, tolerance=relative, max_iterations=max_iterations, at=at)
    return replace(
        solution,
        x=solution.x.addmm_(mix, nearby),
        residuals=solution.residuals * torch.tensor(ratios, dtype=torch.float64),
        products=solution.products + len(nearby),
    )


def _least_squares(images: Tensor, rhs: Tensor) -> Tensor | None:
    """The [k, j] that minimises |rhs - mix images| row by row; None where something is not finite.

    By the Gramian of the images at unit length, as neighbouring solutions may differ in size by much. Combinations of
    them that are as short as the rounding errors of the products are left out: they would be blown up, and with
    them the difference between the residual as it is and as it is thought to be.
    """
    lengths = images.norm(dim=1, keepdim=True)
    units = images / torch.where(lengths > 0, lengths, 1.0)
    gram, onto = inner_products(units, units), inner_products(rhs, units)
    if not (gram.isfinite().all() and onto.isfinite().all()):
        return None
    negligible = 1e2 * torch.finfo(images.dtype).eps
    mix = onto @ torch.linalg.pinv(gram, rtol=negligible, hermitian=True)
    scaled: Tensor = mix.to(rhs) / torch.where(lengths > 0, lengths, 1.0).T
    return scaled
