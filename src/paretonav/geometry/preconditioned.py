"""The solves for a tangent, evened out by what earlier ones have found of the curvature.

See docs/method.md#preconditioner.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from torch import Tensor

from paretonav.geometry.curvature import Curvature
from paretonav.geometry.krylov import Solution
from paretonav.geometry.nystrom import Nystrom, Recorder, has_room
from paretonav.geometry.recycling import recycled_minres

_PLAIN = 0.05  # for the gradient, without a preconditioner
_GRADIENT, _SIZE = 0.3, 0.5  # with one; they are no directions to go in
_LEARNT = 0.15  # the tolerance of the solves that a preconditioner is learnt from
_STALE = 20  # iterations; a preconditioner that leaves so many is learnt anew next time


def preconditioned_minres(
    operator: Curvature,
    rhs: Tensor,
    *,
    gradient: int,
    tolerance: float,
    max_iterations: int,
    nearby: Tensor | None,
    known: Nystrom | None,
    learn: bool,
    at: Callable[[float], None] = lambda _: None,
) -> tuple[Solution, Nystrom | None]:
    """``recycled_minres`` with a preconditioner: one from nearby, or one that is learnt on the way.

    A preconditioned residual is close to the error in the norm of A, whose square is what a step pays too much and what
    is missing of the joint gain; a plain one says little of the many small eigenvalues. Where there is no
    preconditioner yet, the systems are solved roughly first, and what that has shown of A evens out the rest.

    Args:
        operator: A.
        rhs: [k, n].
        gradient: the row that is what is left of the gradient; those before it are the tangent's, and where one comes
            after it, it is the parameters themselves. The gradient is hard to solve for: where a plain residual is good
            enough for the others, half of its joint gain is missing.
        tolerance: of the tangent's residuals relative to their right-hand sides. Preconditioned, three times as much
            does for the gradient (a few per cent of the joint gain), five times for the parameters.
        max_iterations: of each of at most two solves.
        nearby: solutions of a neighbouring system, or None.
        known: its preconditioner, or None.
        learn: whether there is to be one; A without its shift must be positive semidefinite then.
        at: as in ``minres``.

    Returns:
        The solution, whose products are those of both solves, and the preconditioner for the next one.
    """
    spent = 0
    if learn and known is None and has_room(rhs.shape[1]):
        recorder = Recorder(operator, operator.shift)
        solution = recycled_minres(
            recorder,
            rhs,
            tolerance=[max(tolerance, _LEARNT)] * len(rhs),
            max_iterations=max_iterations,
            nearby=nearby,
            at=at,
        )
        known, nearby, spent = recorder.nystrom(), solution.x, solution.products
    if known:
        others = [min(5 * tolerance, _SIZE)] * (len(rhs) - gradient - 1)
        tolerances = [tolerance] * gradient + [min(3 * tolerance, _GRADIENT)] + others
    else:
        tolerances = [tolerance] * len(rhs)
        tolerances[gradient] = min(tolerance, _PLAIN)
    solution = recycled_minres(
        operator,
        rhs,
        tolerance=tolerances,
        max_iterations=max_iterations,
        nearby=nearby,
        root=known.root(operator.shift) if known else lambda rows: rows,
        at=at,
    )
    stale = not spent and max(solution.iterations) > _STALE
    return replace(solution, products=spent + solution.products), None if stale else known
