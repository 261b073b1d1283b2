"""The front of two objectives as a curve through the visited points."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.typing import NDArray

from paretonav.atlas.chart import Chart

Array = NDArray[np.float64]

_FINE = 65  # points by which the length of a piece between two visited points is summed up
_INSIDE = 1e-6  # of a piece's extent: what is outside of it by less is inside but for rounding


@dataclass(frozen=True, eq=False)
class Curve:
    """Visited points in the order in which they lie along the front, and the curve between them.

    Between two of them it is the parabola that has the directions which their models give the front; a front of two
    convex quadratics is one. Where the directions do not fit one, it is the cubic that has them (Hermite).

    Attributes:
        charts: in the order in which the first objective rises.
        scale: [2], in which lengths are counted.
        pieces: [n - 1, fine, 2], the curve between neighbours, in these units.
        steps: [n - 1, fine], the length of each up to there.
        places: [n], where the points lie along it. What no walk crosses has no length.
    """

    charts: tuple[Chart, ...]
    scale: Array
    pieces: Array
    steps: Array
    places: Array

    @classmethod
    def through(cls, charts: Sequence[Chart], scale: Array, broken: Collection[tuple[int, int]] = ()) -> Self:
        """The curve through points none of which is better than another.

        Args:
            charts: of these points, at least one.
            scale: [2].
            broken: pairs of neighbours, the one with the lower first loss first, between which there is no front.
        """
        ordered = tuple(sorted(charts, key=lambda chart: (chart.outcome[0], -chart.outcome[1])))
        pairs = list(pairwise(ordered))
        pieces = np.array([_between(a, b, scale) for a, b in pairs]).reshape(-1, _FINE, 2)
        lengths = np.linalg.norm(np.diff(pieces, axis=1), axis=2)
        steps = np.concatenate([np.zeros((len(pieces), 1)), lengths.cumsum(axis=1)], axis=1)
        whole = [0.0 if (a.point, b.point) in broken else steps[i, -1] for i, (a, b) in enumerate(pairs)]
        return cls(ordered, scale, pieces, steps, np.concatenate([[0.0], np.cumsum(whole)]))

    @property
    def length(self) -> float:
        """Of all of it."""
        return float(self.places[-1])

    def at(self, place: float) -> Array:
        """[2], the outcome at a place along it, in the losses' own units."""
        if len(self.charts) == 1:
            return self.charts[0].outcome
        piece = self.piece(place)
        way = place - self.places[piece]
        outcome = [np.interp(way, self.steps[piece], self.pieces[piece][:, i]) for i in (0, 1)]
        return np.array(outcome) * self.scale

    def piece(self, place: float) -> int:
        """The number of the piece that a place is in."""
        last = int(np.flatnonzero(np.diff(self.places) > 0).max(initial=0))
        return min(int(np.searchsorted(self.places, place, side="right")) - 1, last)


def _between(a: Chart, b: Chart, scale: Array) -> Array:
    """[fine, 2], the curve from one point to its neighbour, in units of ``scale``."""
    start, end = a.outcome / scale, b.outcome / scale
    chord = end - start
    ways = [chord if way is None else way for way in (a.tangent(scale), b.tangent(scale))]
    middle = _meeting(start, end, *ways)
    t = np.linspace(0, 1, _FINE)[:, None]
    if middle is not None:
        return np.asarray((1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * end)
    first, last = (np.linalg.norm(chord) * way / np.linalg.norm(way) for way in ways)
    cubic = (
        (2 * t**3 - 3 * t**2 + 1) * start
        + (t**3 - 2 * t**2 + t) * first
        + (3 * t**2 - 2 * t**3) * end
        + (t**3 - t**2) * last
    )
    return np.asarray(np.clip(cubic, np.minimum(start, end), np.maximum(start, end)))


def _meeting(start: Array, end: Array, first: Array, last: Array) -> Array | None:
    """Where the tangents at both ends meet, if that is between the two points."""
    across = first[0] * last[1] - first[1] * last[0]
    if abs(across) <= _INSIDE * np.linalg.norm(first) * np.linalg.norm(last):
        return None
    chord = end - start
    ahead = (chord[0] * last[1] - chord[1] * last[0]) / across
    middle: Array = start + ahead * first
    size = _INSIDE * np.linalg.norm(chord)
    inside = (middle >= np.minimum(start, end) - size).all() and (
        middle <= np.maximum(start, end) + size
    ).all()
    return middle if inside else None
