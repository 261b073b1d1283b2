"""The solves for a tangent with a preconditioner, which makes them shorter and their residuals say more.

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

_PLAIN = 0.05  # the largest tolerance for the gradient without a preconditioner
_GRADIENT = 0.3  # the largest tolerance for the gradient with one; nobody walks along it
_SIZE = 0.5  # the same for the parameters
_LEARNT = 0.15  # the least tolerance of the solves that a preconditioner is learnt from
_STALE = 20  # iterations: a preconditioner with which a solve needs more is learnt anew next time


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
    """``recycled_minres`` with a preconditioner: the one of a point nearby, or one that is learnt on the way.

    Why one: a tangent's error matters in the norm of A. Its square is by how much a step costs too much, and by how
    much the joint gain is underestimated. A preconditioned residual is close to that error, while a plain one hardly
    sees errors along the many small eigenvalues.

    How it is learnt: the systems are solved roughly first. The products that this takes show the large eigenvalues of
    A, from which the preconditioner for the rest of the solve is made.

    Args:
        operator: A.
        rhs: [k, n].
        gradient: the number of the row that is the remaining gradient. The rows before it are the tangent's, the row
            after it, if any, is theta. The gradient is the hardest to solve for: with a plain residual that is good
            enough for the others, half of the joint gain is missing.
        tolerance: for the residuals of the tangent's rows relative to their right-hand sides. With a preconditioner
            three times that is enough for the gradient (an error of a few per cent of the joint gain), and five times
            for theta.
        max_iterations: of each of at most two solves.
        nearby: the solutions of a neighbouring system, to start from; or None.
        known: the preconditioner of that system, or None.
        learn: whether to learn one where none is known. A without its shift must then be positive semidefinite.
        at: as in ``minres``.

    Returns:
        The solution, with the products of both solves counted, and the preconditioner for the next system nearby;
        None where there is none, or it has ceased to help.
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
