"""The solves for a tangent with a preconditioner, which makes them shorter and their residuals say more.

See docs/method.md#preconditioner.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from torch import Tensor

from paretonav.geometry.curvature import Curvature
from paretonav.geometry.krylov import Solution
from paretonav.geometry.nystrom import Nystrom, Recorder, has_room
from paretonav.geometry.recycling import recycled_minres
from paretonav.geometry.right_hand_sides import RightHandSides

# The largest tolerances for the gradient, without a preconditioner and with one, and for theta. Nobody walks along
# these solutions; what an error in them costs is in ``preconditioned_minres``.
_PLAIN, _GRADIENT, _THETA = 0.05, 0.3, 0.5
# The least tolerance of the solves that a preconditioner is learnt from: a rough solve shows the large eigenvalues as
# well. What learning saves is in docs/method.md#preconditioner.
_LEARNT = 0.15
# Iterations: a preconditioner with which a solve needs more is learnt anew next time. Chosen, not measured: learning
# takes products, too.
_STALE = 20


class Nearby(NamedTuple):
    """What was found of a neighbouring system.

    Attributes:
        solutions: [j, n], to start from; None where there are none.
        preconditioner: None where there is none.
    """

    solutions: Tensor | None = None
    preconditioner: Nystrom | None = None


def preconditioned_minres(
    operator: Curvature,
    sides: RightHandSides,
    *,
    tolerance: float,
    max_iterations: int,
    nearby: Nearby,
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
        sides: what is solved for. The gradient is the hardest: with a plain residual that is good enough for the
            others, half of the joint gain is missing.
        tolerance: for the residuals of the ways relative to their right-hand sides. With a preconditioner
            three times that is enough for the gradient (an error of a few per cent of the joint gain), and five times
            for theta.
        max_iterations: of each of at most two solves.
        nearby: what is known from there.
        learn: whether to learn one where none is known. A without its shift must then be positive semidefinite.
        at: as in ``minres``.

    Returns:
        The solution, with the products of both solves counted, and the preconditioner for the next system nearby;
        None where there is none, or it has ceased to help.
    """
    start, known, spent = *nearby, 0
    if learn and known is None and has_room(sides.rows.shape[1]):
        recorder = Recorder(operator, operator.shift)
        rough = max(tolerance, _LEARNT)
        solution = recycled_minres(
            recorder,
            sides.rows,
            tolerance=sides.each(ways=rough, gradient=rough, theta=rough),
            max_iterations=max_iterations,
            nearby=start,
            at=at,
        )
        known, start, spent = recorder.nystrom(), solution.x, solution.products
    if known:
        tolerances = sides.each(
            ways=tolerance, gradient=min(3 * tolerance, _GRADIENT), theta=min(5 * tolerance, _THETA)
        )
    else:
        tolerances = sides.each(ways=tolerance, gradient=min(tolerance, _PLAIN), theta=tolerance)
    solution = recycled_minres(
        operator,
        sides.rows,
        tolerance=tolerances,
        max_iterations=max_iterations,
        nearby=start,
        root=known.root(operator.shift) if known else lambda rows: rows,
        at=at,
    )
    stale = not spent and max(solution.iterations) > _STALE
    return replace(solution, products=spent + solution.products), None if stale else known
