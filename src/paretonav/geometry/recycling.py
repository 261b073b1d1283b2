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
    """
    if nearby is None:
        return minres(operator, rhs, tolerance=tolerance, max_iterations=max_iterations)
    images = operator(nearby)
    lengths = images.norm(dim=1)
    useful = lengths.isfinite() & (lengths > torch.finfo(rhs.dtype).tiny ** 0.5)
    directions, images = (rows[useful] / lengths[useful, None] for rows in (nearby, images))
    gram = inner_products(images, images)
    mix = inner_products(rhs, images) @ torch.linalg.pinv(gram, rtol=1e-10, hermitian=True)
    start = mix.to(rhs) @ directions
    left = rhs - mix.to(rhs) @ images
    del images  # of long vectors there are many here
    ratios = (left.norm(dim=1) / rhs.norm(dim=1).clamp_min(torch.finfo(rhs.dtype).tiny)).tolist()
    relative = [min(1.0, t / r) if r > 0 else 1.0 for t, r in zip(tolerance, ratios, strict=True)]
    solution = minres(operator, left, tolerance=relative, max_iterations=max_iterations)
    return replace(
        solution,
        x=solution.x.add_(start),
        residuals=solution.residuals * torch.tensor(ratios, dtype=torch.float64),
        products=solution.products + len(nearby),
    )
