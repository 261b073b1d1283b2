"""Where so many points lie evenly on the front, as far as it is known, and which of them are there."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from paretonav.atlas.chart import Chart
from paretonav.atlas.curve import Curve
from paretonav.atlas.region import Region

Array = NDArray[np.float64]

# Of the distance between neighbours: a point that is so near to where one should be is taken for it. So no gap between
# two is more than a fifth off; with less, points would be made for the sake of rounding.
_NEAR = 0.1
# Of the largest distance that is left: a visited point that is so far from all chosen comes before a new one is made.
_ENOUGH = 0.7
# In units of the region: what is nearer than that to a chosen point is no different model.
_ALIKE = 0.01
_FAR = 1.0  # in these units, beyond which no model predicts an outcome to go to
# In these units: by how much a prediction may be beyond what has been found to be best, or be no better than what is
# there. Models of second order promise a little too much at their ends.
_BEYOND, _WORSE = 0.01, 0.02


@dataclass(frozen=True, eq=False)
class Missing:
    """A place where a point should be.

    Attributes:
        outcome: [m], what the models predict there.
        distance: how far it is from all that is there, in units of the region.
        near: the visited points from where to go there, the nearest first; with more than two objectives, the one whose
            model has predicted it.
    """

    outcome: Array
    distance: float
    near: tuple[Chart, ...]


@dataclass(frozen=True, eq=False)
class Spread:
    """An even choice of points.

    Attributes:
        chosen: the visited points in it; along the front where there are two objectives.
        spacing: the distances between neighbours; of more than two objectives, that of each point to the nearest other.
        missing: places where there should be one and is none, the furthest from all that is there first.
        count: how many are missing; with more than two objectives not all of their places are known.
    """

    chosen: tuple[Chart, ...]
    spacing: tuple[float, ...]
    missing: tuple[Missing, ...]
    count: int


def along_the_curve(curve: Curve, count: int) -> Spread:
    """So many points at equal distances along a front of two objectives, its ends among them."""
    places = np.linspace(0, curve.length, count)
    gap = curve.length / (count - 1)
    taken: dict[int, float] = {}  # which of the visited points, and how far from where it should be
    missing = []
    for place in places:
        off = np.abs(curve.places - place)
        best = min((i for i in range(len(off)) if i not in taken), key=lambda i: off[i], default=None)
        if best is not None and off[best] <= _NEAR * gap:
            taken[best] = off[best]
            continue
        piece = curve.piece(place)
        sides = sorted((piece, min(piece + 1, len(off) - 1)), key=lambda i: off[i])
        near = tuple(curve.charts[i] for i in dict.fromkeys(sides))
        missing.append(Missing(curve.at(place), float(off.min()), near))
    chosen = _nearest(curve.places, places) if missing else sorted(taken)
    return Spread(
        tuple(curve.charts[i] for i in chosen),
        tuple(np.diff(curve.places[chosen]).tolist()),
        tuple(sorted(missing, key=lambda place: -place.distance)),
        len(missing),
    )


def _nearest(there: Array, wanted: Array) -> list[int]:
    """Which of the places that are there are nearest to those that are wanted, each once, the best fits first."""
    off = np.abs(wanted[:, None] - there)
    rows, columns = set(range(len(wanted))), set(range(len(there)))
    for flat in np.argsort(off, axis=None, kind="stable"):
        row, column = divmod(int(flat), len(there))
        if row in rows and column in columns:
            rows.remove(row)
            columns.remove(column)
    return sorted(set(range(len(there))) - columns)


def farthest(
    charts: Sequence[Chart],
    region: Region,
    count: int,
    ends: Sequence[Chart],
    failed: Collection[tuple[Array, float]] = (),
) -> Spread:
    """So many points, each as far as can be from those before it, the ends first.

    Farthest-point sampling (Gonzalez, "Clustering to minimize the maximum intercluster distance", 1985), which leaves
    no hole of more than twice the least size that is possible with so many. What is chosen from are the visited points
    and what the models around them predict.

    Args:
        charts: of the visited points that count, at least one.
        region: what counts, and in which units.
        count: of the points.
        ends: of the charts, those that are best in an objective.
        failed: outcomes that could not be reached, and how far around them none is tried again.
    """
    scale = region.scale(charts)
    there = np.stack([chart.outcome for chart in charts]) / scale
    predicted, by = _predicted(charts, region, scale, failed)
    order = _ends_first(there, [charts.index(end) for end in ends], count)
    to_there, to_predicted = _distances(there, order, there), _distances(predicted, order, there)
    missing: tuple[Missing, ...] = ()
    while len(order) < count:
        furthest = float(to_there.max(initial=0.0))
        new = float(to_predicted.max(initial=0.0))
        if not missing and new > _ALIKE and furthest < _ENOUGH * new:
            which = int(to_predicted.argmax())
            missing = (Missing(predicted[which] * scale, new, (charts[by[which]],)),)
        if furthest <= _ALIKE:
            break
        chosen = int(to_there.argmax())
        order.append(chosen)
        to_there = np.minimum(to_there, _distances(there, [chosen], there))
        to_predicted = np.minimum(to_predicted, _distances(predicted, [chosen], there))
    count_missing = count - len(order) if missing else 0
    return Spread(
        tuple(charts[i] for i in order),
        _to_the_nearest(there[order]),
        missing,
        max(count_missing, len(missing)),
    )


def _predicted(
    charts: Sequence[Chart], region: Region, scale: Array, failed: Collection[tuple[Array, float]]
) -> tuple[Array, NDArray[np.intp]]:
    """[n, m], outcomes on the front as predicted, in units of ``scale``, and [n], which of the charts has each."""
    there = np.stack([chart.outcome for chart in charts]) / scale
    samples = [chart.samples(scale, _FAR) for chart in charts]
    values, by = np.concatenate(samples), np.repeat(np.arange(len(charts)), [len(each) for each in samples])
    outcomes = values[:, : len(scale)] / scale
    kept = region.inside(values) & (outcomes >= there.min(axis=0) - _BEYOND).all(axis=1)
    for point in there:
        kept &= ~(point <= outcomes - _WORSE).all(axis=1) & ~(outcomes <= point - _WORSE).all(axis=1)
    for outcome, radius in failed:
        kept &= np.linalg.norm(outcomes - outcome / scale, axis=1) > radius
    return outcomes[kept], by[kept]


def _ends_first(there: Array, ends: list[int], count: int) -> list[int]:
    """The ends that are no nearer than alike to each other; of too many those furthest from each other."""
    distances = np.linalg.norm(there[:, None] - there, axis=2)
    if not ends:
        ends = list(range(len(there)))
        first = np.unravel_index(int(distances.argmax()), distances.shape)
        return [int(i) for i in dict.fromkeys(first)][:count]
    among = distances[np.ix_(ends, ends)]
    order = [ends[i] for i in dict.fromkeys(np.unravel_index(int(among.argmax()), among.shape))]
    while len(order) < count:
        left = {i: float(distances[i, order].min()) for i in ends if i not in order}
        best = max(left, key=lambda i: left[i], default=None)
        if best is None or left[best] <= _ALIKE:
            break
        order.append(best)
    return order[:count]


def _distances(of: Array, to: list[int], there: Array) -> Array:
    """[n], of outcomes ``of`` [n, m] to the nearest of some that are there."""
    if not len(of):
        return np.zeros(0)
    return np.asarray(np.linalg.norm(of[:, None] - there[to], axis=2).min(axis=1, initial=inf))


def _to_the_nearest(outcomes: Array) -> tuple[float, ...]:
    if len(outcomes) < 2:
        return ()
    distances = np.linalg.norm(outcomes[:, None] - outcomes, axis=2)
    np.fill_diagonal(distances, inf)
    return tuple(distances.min(axis=1).tolist())
