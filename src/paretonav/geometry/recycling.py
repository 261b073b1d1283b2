"""Solves that begin with what was solved for nearby.

See docs/method.md#preconditioner.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from paretonav.geometry.algebra import inner_products
from paretonav.geometry.krylov import Solution, minres

_TOGETHER = 2**25  # entries of all right-hand sides; larger systems are solved row by row, to save memory


def recycled_minres(
    operator: Callable[[Tensor], Tensor],
    rhs: Tensor,
    *,
    tolerance: Sequence[float],
    max_iterations: int,
    nearby: Tensor | None,
    root: Callable[[Tensor], Tensor] = lambda rows: rows,
    at: Callable[[float], None] = lambda _: None,
) -> Solution:
    """``minres``, started from the best combination of solutions of a neighbouring system.

    Among the combinations x = y W of the neighbouring solutions W the one with the least residual |b - A x| is taken
    for each right-hand side: one product for each row of W, then a least-squares problem in their number. What is
    left is solved for as a system of its own, to the same absolute accuracy.

    With a preconditioner S S, the system is ``S A S y = S b`` with x = S y, and residuals are S (b - A x).

    Args:
        operator: as in ``minres``.
        rhs: [k, n].
        tolerance: of each row's residual relative to its right-hand side.
        max_iterations: as in ``minres``.
        nearby: W [j, n], or None to start from zero.
        root: multiplies rows [j, n] by the symmetric S; the identity by default.
        at: as in ``minres``.
    """

    def even(rows: Tensor) -> Tensor:
        return root(operator(root(rows)))

    b = root(rhs)
    images = None if nearby is None else root(operator(nearby))
    mix = None if images is None else _least_squares(images, b)
    if nearby is None or images is None or mix is None:  # minres says where it is not finite
        solution = _minres(even, b, tolerance, max_iterations, at)
        return replace(solution, x=root(solution.x))
    left = torch.addmm(b, mix, images, alpha=-1)
    del images  # of long vectors there are many here
    ratios = (left.norm(dim=1) / b.norm(dim=1).clamp_min(torch.finfo(rhs.dtype).tiny)).tolist()
    relative = [min(1.0, t / r) if r > 0 else 1.0 for t, r in zip(tolerance, ratios, strict=True)]
    solution = _minres(even, left, relative, max_iterations, at)
    return replace(
        solution,
        x=root(solution.x).addmm_(mix, nearby),
        residuals=solution.residuals * torch.tensor(ratios, dtype=torch.float64),
        products=solution.products + len(nearby),
    )


def _minres(
    operator: Callable[[Tensor], Tensor],
    rhs: Tensor,
    tolerance: Sequence[float],
    max_iterations: int,
    at: Callable[[float], None],
) -> Solution:
    """``minres``; the rows of long systems in turn, as its six vectors for each would be too many at once."""
    if rhs.numel() <= _TOGETHER:
        return minres(operator, rhs, tolerance=tolerance, max_iterations=max_iterations, at=at)
    x, found = torch.empty_like(rhs), []
    for i in range(len(rhs)):
        solution = minres(
            operator,
            rhs[i : i + 1],
            tolerance=tolerance[i],
            max_iterations=max_iterations,
            at=lambda done, i=i: at((i + done) / len(rhs)),  # type: ignore[misc]
        )
        x[i] = solution.x[0]
        found.append(replace(solution, x=x[i : i + 1]))
    longest = max(len(each.residuals) for each in found)
    padded = [
        torch.cat([each.residuals, each.residuals[-1:].expand(longest - len(each.residuals), 1)])
        for each in found
    ]
    return Solution(
        x=x,
        status=tuple(status for each in found for status in each.status),
        negative_curvature=tuple(negative for each in found for negative in each.negative_curvature),
        residuals=torch.cat(padded, dim=1),
        iterations=tuple(count for each in found for count in each.iterations),
        products=sum(each.products for each in found),
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
