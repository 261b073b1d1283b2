"""The small quadratic programme that every preference comes down to.

Among the coordinates that change the named quantities as wished, within all bounds, it finds those that cost least.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from paretonav.geometry import FrontModel, solve_qp
from paretonav.steering.preferences import Wish

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

# A bound counts as reached where so small a change of the coordinates reaches it: far below any step, far above
# rounding.
_REACHED = 1e-4
# How much of its first-order part the bend may add to, or take from, an improvement around a held model. Chosen, not
# measured: with more, losses are promised to fall by a bend that was measured elsewhere, with less, plans end earlier.
_BENT = 0.5
# In parts of the cost: a round of the search that saves less is the last one. What it leaves is far below what a model
# of second order can tell.
_CHEAPER = 1e-9
# Of the changes: what is met to this is met, as far above rounding as below anything that shows.
_MET = 1e-9
# Rounds of linearising anew, for a target or for the least cost. Chosen, not measured: where Newton's method converges
# it doubles the right digits in each, and a plan that could still be cheaper is a plan.
_ROUNDS = 12
# Parts of a move: one that would have to be shorter is given up.
_SHORTEST = 1e-3


class Programme:
    """Which tangent coordinates are possible for a wish, and which of them cost least.

    Three things limit what is possible: the bounds on quantities, the edges of the front (weights
    ``alpha + B c >= 0``), and the box of the parameters. Changes are quadratic in c because the front bends, so the
    programme is solved several times, each time with the changes linearised where the last one has led.

    Args:
        front: at the point.
        wish: which quantities are named, and which have a bound.
    """

    def __init__(self, front: FrontModel, wish: Wish) -> None:
        self.front, self.wish = front, wish
        self.named, self.limited = wish.named, wish.limited
        self.cost = front.curvature / np.abs(front.curvature).max()  # of c, up to a factor
        G, h, _ = walls(front)
        edges, room = front.edges
        self.fixed = np.concatenate([edges, G])
        self.fixed_lower = np.full(len(self.fixed), -np.inf)
        self.fixed_upper = np.concatenate([room, h])
        self._sense = wish.orientation[self.limited]
        self._room = wish.room[self.limited]
        self._sizes = np.abs(front.values[self.limited])

    def limits(self, slopes: Array, offsets: Array) -> tuple[Array, Array]:
        """The bounds on quantities as ``A c <= upper``, with their changes as ``slopes c + offsets``."""
        rows, shift = slopes[self.limited], offsets[self.limited]
        return self._sense[:, None] * rows, self._room - self._sense * shift

    def beyond(self, changes: Array) -> Array:
        """By how much each bound is exceeded when the quantities change by ``changes`` [q]; negative inside."""
        return self._sense * changes[self.limited] - self._room

    def nearest(self, target: Array, at: Array, centre: Array) -> Array | None:
        """The c closest to ``centre`` at which the named quantities change by ``target``; None if none is possible.

        Changes are linearised at the coordinates ``at``, and distance is curvature cost.
        """
        slopes = self.front.slopes(at)
        offsets = self.front.changes(at) - slopes @ at
        bounded, upper = self.limits(slopes, offsets)
        values = target - offsets[self.named]
        return solve_qp(
            self.cost,
            -self.cost @ centre,
            np.concatenate([slopes[self.named], self.fixed, bounded]),
            np.concatenate([values, self.fixed_lower, np.full(len(upper), -np.inf)]),
            np.concatenate([values, self.fixed_upper, upper]),
        )

    def meet(self, target: Array, c: Array) -> Array | None:
        """Coordinates near c at which the named quantities change by ``target``, by Newton's method."""
        scale = float(np.abs(target).max(initial=0.0))
        for _ in range(_ROUNDS):
            nearest = self.nearest(target, c, c)
            if nearest is None:
                return None
            c = nearest
            changes = self.front.changes(c)
            if (np.abs(changes[self.named] - target) <= _MET * scale).all() and (
                self.beyond(changes) <= _MET * np.maximum(scale, self._sizes)
            ).all():
                return c if self._believed(c, changes) else None
        return None

    def _believed(self, c: Array, changes: Array) -> bool:
        """Whether improvements come from slopes, with bends only as a correction.

        Around a held model slopes and bends are measured at the size of a step. A loss with next to no slope could
        be predicted to fall by its bend alone, but only far from here, where nothing has been measured.
        """
        improved = self.wish.improved
        if self.front.anchor is None or not len(improved):
            return True
        slope = (self._slopes_here @ c)[improved]
        return bool((np.abs(changes[improved] - slope) <= _BENT * np.abs(slope)).all())

    @cached_property
    def _slopes_here(self) -> Array:
        return self.front.slopes(np.zeros(self.front.dimensions))

    def follow(self, limit: float) -> tuple[float, Array]:
        """The largest amount of the wish up to ``limit`` that is possible, and coordinates that give it."""
        return self.trace(self.wish.changes, min(limit, self.wish.full), np.zeros(self.front.dimensions))

    def trace(self, target: Callable[[float], Array], limit: float, c: Array) -> tuple[float, Array]:
        """The largest amount up to ``limit`` for which ``target(amount)`` can be met, and coordinates that do.

        It tries ``limit`` at once. Where that fails (it is beyond the edge, or the front bends on the way), it goes
        in shorter steps, each from where the last one arrived.

        Args:
            target: amount -> changes of the named quantities.
            limit: the largest amount that is wanted.
            c: coordinates that meet ``target(0)``.
        """
        amount = 0.0
        if len(self.named) > self.front.dimensions:
            return amount, c
        step = min(limit, 1.0)
        while amount < limit and step > max(1e-4 * amount, 1e-9):
            further = self.meet(target(min(amount + step, limit)), c)
            if further is None:
                step /= 4
            else:
                amount, c, step = min(amount + step, limit), further, 2 * step
        return amount, c

    def cheapest(self, target: Array, c: Array) -> Array:
        """Cheaper coordinates that meet the same target, from a ``c`` that meets it.

        The programme with the changes linearised at c says which way to go. As the front bends, the target has to be
        met anew after that; the move is shortened until the cost is lower even so. Whatever c the search stops
        at is a plan, so a few rounds are enough.
        """
        if len(self.named) == len(c):
            return c  # what is prescribed leaves no choice
        metric = self.front.curvature
        cost, share = float(c @ metric @ c), 1.0
        for _ in range(_ROUNDS):
            best = self.nearest(self.front.changes(c)[self.named], c, np.zeros_like(c))
            # The gain is known to first order already; meeting the target again would take several more programmes.
            if best is None or cost - float(best @ metric @ best) <= _CHEAPER * cost:
                break
            gain = 0.0
            while share > _SHORTEST:
                moved = self.meet(target, c + share * (best - c))
                gain = 0.0 if moved is None else cost - float(moved @ metric @ moved)
                if moved is not None and gain > 0:
                    c = moved
                    break
                share /= 2
            cost -= gain
            if gain <= _CHEAPER * cost:
                break
        return c


def kinder(programme: Programme, target: Array, c: Array) -> Array:
    """A plan that meets the same target as the cheapest plan ``c``, and costs the unnamed losses less.

    The cheapest plan takes no account of losses that are not named. A held model has as many ways as losses, so several
    plans meet a target, and some of them are better for the others on validation data.

    From c it goes in the direction that lowers the unnamed losses fastest (their sum, each relative to its size) while
    the named changes stay the same. It goes as far as c is from the point, in the metric of the curvature cost, which
    at most doubles the cost; half or a quarter as far where that is better for the others.
    """
    front, m = programme.front, programme.front.m
    others = np.setdiff1d(np.arange(m), programme.named)
    if front.anchor is None or not len(others) or len(programme.named) >= front.dimensions:
        return c
    sizes = front.sizes_of(front.asked_losses)

    def paid(at: Array) -> float:
        return float((front.changes(at)[others] / sizes[others]).sum())

    metric = front.curvature
    slopes = front.slopes(c)
    gradient = np.linalg.solve(metric, (slopes[others] / sizes[others, None]).sum(axis=0))
    named = slopes[programme.named]
    flat = np.linalg.solve(metric, named.T)
    gradient = gradient - flat @ np.linalg.lstsq(named @ flat, named @ gradient, rcond=None)[0]
    length = float(np.sqrt(max(gradient @ metric @ gradient, 0.0)))
    if not length > 0:
        return c
    way = -gradient * float(np.sqrt(c @ metric @ c)) / length
    best, least = c, paid(c)
    for share in (1.0, 0.5, 0.25):
        moved = programme.meet(target, c + share * way)
        if moved is not None and paid(moved) < least:
            best, least = moved, paid(moved)
    return best


def walls(front: FrontModel) -> tuple[Array, Array, Indices]:
    """The rows of the box that a plan must not cross: all but those that are as good as reached.

    Where a parameter reaches its bound the front has a crease, and goes on behind it. If plans had to stop before the
    bound, steps would become shorter and shorter in front of it. So one that is almost there may be crossed: the
    predictor keeps the parameter inside, and the corrector then holds it at the bound.
    """
    G, h, entry = front.box
    there = ahead(front)
    return G[there], h[there], entry[there]


def ahead(front: FrontModel) -> NDArray[np.bool_]:
    """Which rows of the box of ``front`` are still some way off, [r] bool."""
    G, h, _ = front.box
    return np.asarray(h > _REACHED * np.linalg.norm(G, axis=1))
