"""The small convex programme that every preference comes down to."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from paretonav.geometry import FrontModel, solve_qp
from paretonav.steering.preferences import Wish

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

_REACHED = 1e-4  # a change of the weights that is not worth a step
_BENT = 0.5  # of a change's first-order part: bends beyond that are not believed
_CHEAPER = 1e-9  # of the cost: less is not worth another round


class Programme:
    """Which tangent coordinates are possible for a wish, and which of them cost least.

    What is possible: the bounds on quantities, the edges of the front (weights ``alpha + B c >= 0``), and the box. The
    second order makes the wished changes quadratic in c, so the programme is solved again and again with the changes
    linearised.

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
        """By how much changes [q] pass the bounds; negative inside."""
        return self._sense * changes[self.limited] - self._room

    def nearest(self, target: Array, at: Array, centre: Array) -> Array | None:
        """The c nearest to ``centre`` with named changes of ``target``, linearised at ``at``; None if none is."""
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
        for _ in range(12):
            nearest = self.nearest(target, c, c)
            if nearest is None:
                return None
            c = nearest
            changes = self.front.changes(c)
            if (np.abs(changes[self.named] - target) <= 1e-9 * scale).all() and (
                self.beyond(changes) <= 1e-9 * np.maximum(scale, self._sizes)
            ).all():
                return c if self._believed(c, changes) else None
        return None

    def _believed(self, c: Array, changes: Array) -> bool:
        """Whether what is to improve does so by its slope, and its bend is a correction to that.

        Around a model that is held the slopes and bends are measured at the size of a step. Where a loss has next to no
        slope, its bends alone would have it fall somewhere far away, and nothing there has been measured.
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
        """The largest amount up to ``limit`` that is possible, and coordinates that give it."""
        return self.trace(self.wish.changes, min(limit, self.wish.full), np.zeros(self.front.dimensions))

    def trace(self, target: Callable[[float], Array], limit: float, c: Array) -> tuple[float, Array]:
        """The same for any targets by amount, from coordinates ``c`` that give the one of amount 0.

        Goes to ``limit`` at once, and where that fails (beyond the edge, or because the front bends on the way) by
        shorter steps, each from where the one before arrived.
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
        """Lower the curvature cost from a c that meets the target, along what leaves the named quantities as they are.

        The quadratic programme with the changes linearised at c says where to; its step is shortened until the cost
        has fallen once the target is met again. Every c on the way is a plan, so it ends after a few rounds.
        """
        if len(self.named) == len(c):
            return c  # what is prescribed leaves no choice
        metric = self.front.curvature
        cost, share = float(c @ metric @ c), 1.0
        for _ in range(12):
            best = self.nearest(self.front.changes(c)[self.named], c, np.zeros_like(c))
            # What is to be gained is known to first order before the target is met again, which takes more programmes.
            if best is None or cost - float(best @ metric @ best) <= _CHEAPER * cost:
                break
            gain = 0.0
            while share > 1e-3:
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
    """Coordinates near the cheapest ones that spare the others: at most as much further as these are away.

    The cheapest plan owes nothing to what is not named. Around a model that is held there are as many ways as losses,
    so there is room beside what was asked for, and on held-out data some of it costs less, or training on is part of
    it. The unnamed losses' sum, each in parts of its size, falls along its steepest way at constant named changes; it
    is gone as long as the plan's own curvature cost is not more than doubled, and less where that does not pay.
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
    """The bounds that end a plan: all of the box but those that are as good as reached.

    Where a parameter reaches its bound the front has a crease and goes on. Steps that may not pass it end shorter
    and shorter before it, so the last bit is passed: the predictor stays inside, the corrector fixes the parameter.
    """
    G, h, entry = front.box
    there = ahead(front)
    return G[there], h[there], entry[there]


def ahead(front: FrontModel) -> NDArray[np.bool_]:
    """Which rows of the box of ``front`` are not as good as reached."""
    G, h, _ = front.box
    return np.asarray(h > _REACHED * np.linalg.norm(G, axis=1))
