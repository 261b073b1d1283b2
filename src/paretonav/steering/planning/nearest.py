"""The outcome on the front that is nearest to a target, where the front does not have it (``Fit.NEAREST``)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from paretonav.geometry import solve_qp
from paretonav.steering.planning.programme import Programme

Array = NDArray[np.float64]

# Of the quantities' sizes: a shortfall of less is rounding in the solver.
_ATTAINED = 1e-8
# Quadratic programmes at most. Each is at least as good as the last, so the limit only ends what goes on for nothing.
_MAX_ITERATIONS = 60
# How much a shortfall weighs, in parts of its scale, while a surplus is made smaller: so much that none is worth it.
_SHORT = 1e3
# Of the way to the solution of a programme, and of the value: a shorter way, or less of a gain, is rounding.
_SHORTEST = 1e-4
_GAIN = 1e-14
# Of the squared slopes: the curvature cost that keeps a programme solvable where several ways lead to the same outcome.
_COST = 1e-9


def nearest_outcome(programme: Programme, amount: float, start: Array) -> tuple[Array, bool]:
    """The coordinates whose outcome is nearest to the wished one, and whether it is at least as good.

    With ``r_i`` what named quantity i is worse than wished, in parts of its scale, first ``sum_i max(r_i, 0)^2`` is
    minimised. If that leads to zero there are outcomes that are better than wished, and of these the nearest is
    sought: ``sum_i r_i^2`` with ``r_i <= 0``. What is held is, bounds are kept. Solved to second order of the front by
    sequential quadratic programming.

    Args:
        programme: its wish names what has a target, and what is held.
        amount: of the wish.
        start: coordinates that are possible, from which the search begins.
    """
    search = _Search(programme, amount)
    c = search.minimise(start, surplus=False)
    attainable = bool(search.shortfall(c).max(initial=0.0) <= _ATTAINED)
    if attainable:
        c = search.minimise(c, surplus=True)
    return c, attainable


class _Search:
    """The search for the nearest outcome: first for the least shortfall, then, where there is none, the least surplus.

    Both are over the quantities that have a target; what is held or has a bound is a constraint.
    """

    def __init__(self, programme: Programme, amount: float) -> None:
        front, wish = programme.front, programme.wish
        moved = wish.direction[programme.named] != 0
        self.front = front
        self.which = programme.named[moved]
        self.target = wish.changes(amount)[moved]
        sense = wish.orientation[self.which]
        self.either = sense == 0  # nobody has said which way is better: both ways are off
        self.scale = np.where(self.either, 1.0, sense) * wish.scale[self.which]
        # What every c has to keep: the holds and the bounds.
        self.kept = Programme(front, replace(wish, direction=np.where(wish.direction == 0, 0.0, np.nan)))

    def residuals(self, c: Array) -> Array:
        """[k], what the quantities are worse than wished, in parts of their scale."""
        return np.asarray((self.front.changes(c)[self.which] - self.target) / self.scale)

    def shortfall(self, c: Array) -> Array:
        """[k], the same where it is worse, and zero where it is better."""
        r = self.residuals(c)
        return np.where(self.either, np.abs(r), np.maximum(r, 0))

    def value(self, c: Array, surplus: bool) -> float:
        """What is minimised; a shortfall weighs heavily where the surplus is."""
        short = self.shortfall(c)
        if surplus:
            return float(0.5 * np.square(self.residuals(c)).sum() + _SHORT * short.sum())
        return float(0.5 * np.square(short).sum())

    def minimise(self, c: Array, *, surplus: bool) -> Array:
        """The best c found from this one; each on the way is possible."""
        value = self.value(c, surplus)
        for _ in range(_MAX_ITERATIONS):
            goal = self._step(c, surplus)
            if goal is None:
                break
            share, gain = 1.0, 0.0
            while share > _SHORTEST:
                moved = self._possible(c + share * (goal - c))
                gain = -np.inf if moved is None else value - self.value(moved, surplus)
                if moved is not None and gain > 0:
                    c = moved
                    break
                share /= 2
            if not gain > _GAIN * value:
                break
            value -= gain
        return c

    def _possible(self, c: Array) -> Array | None:
        """Coordinates near c that keep what is held and all bounds to second order; None if there are none."""
        if not len(self.kept.named) and not len(self.kept.limited):
            return c  # all that is left is linear, and the programme keeps it
        return self.kept.meet(np.zeros(len(self.kept.named)), c)

    def _step(self, c: Array, surplus: bool) -> Array | None:
        """The solution of the quadratic programme at c."""
        front, kept = self.front, self.kept
        d, k = len(c), len(self.which)
        slopes = front.slopes(c)
        offsets = front.changes(c) - slopes @ c
        A = slopes[self.which] / self.scale[:, None]
        b = (offsets[self.which] - self.target) / self.scale
        cost = _COST * np.square(A).sum() * kept.cost
        bounded, upper = kept.limits(slopes, offsets)
        rows = np.concatenate([slopes[kept.named], kept.fixed, bounded])
        held = -offsets[kept.named]
        lower = np.concatenate([held, kept.fixed_lower, np.full(len(upper), -np.inf)])
        higher = np.concatenate([held, kept.fixed_upper, upper])
        if surplus:
            H = A.T @ A + cost
            floor = np.where(self.either, -b, -np.inf)
            return solve_qp(
                H,
                A.T @ b - cost @ c,
                np.concatenate([rows, A]),
                np.concatenate([lower, floor]),
                np.concatenate([higher, -b]),
            )
        # Variables c and the shortfalls p >= r(c), whose multipliers are p itself.
        curved = cost + self._curvature(c)
        H = np.zeros((d + k, d + k))
        H[:d, :d], H[d:, d:] = curved, np.eye(k)
        zeros = np.zeros((len(rows), k))
        x = solve_qp(
            H,
            np.concatenate([-curved @ c, np.zeros(k)]),
            np.block([[rows, zeros], [A, -np.eye(k)], [np.zeros((k, d)), np.eye(k)]]),
            np.concatenate([lower, np.where(self.either, -b, -np.inf), np.where(self.either, -np.inf, 0.0)]),
            np.concatenate([higher, -b, np.full(k, np.inf)]),
        )
        return None if x is None else x[:d]

    def _curvature(self, c: Array) -> Array:
        """The convex part of the shortfalls' curvature at c."""
        weights = np.zeros(len(self.front.values))
        weights[self.which] = self.shortfall(c) / self.scale
        Q = np.tensordot(weights, self.front.bends, 1)
        values, vectors = np.linalg.eigh(Q)
        return np.asarray(vectors * np.maximum(values, 0) @ vectors.T)
