"""What the benchmarks measure, each thing defined once.

Changes of losses are signed as reports are: negative is better. A wish names some objectives (to be improved, or
held, which asks for a change of 0); the others are free, and pay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import moocore
import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def error(predicted: Array, achieved: Array) -> float:
    """Of a prediction: |predicted - achieved| / |predicted|, over all objectives."""
    return float(np.linalg.norm(predicted - achieved) / np.linalg.norm(predicted))


def miss(requested: Array, achieved: Array) -> float:
    """Of a request: |requested - achieved| / |requested|, over the named objectives alone.

    0 is as asked, 1 is as if nothing had been done, and more than that is worse than nothing.
    """
    return error(requested, achieved)


def angle(requested: Array, achieved: Array) -> float:
    """Between the changes of the named objectives that were asked for and those that came, in degrees: 0 to 180.

    What did not move at all is at 90, neither with the request nor against it.
    """
    lengths = float(np.linalg.norm(requested) * np.linalg.norm(achieved))
    if lengths == 0:
        return 90.0
    return float(np.degrees(np.arccos(np.clip(requested @ achieved / lengths, -1, 1))))


def efficiency(change: Array, weights: Array, improved: Sequence[int] | NDArray[np.intp]) -> float:
    """The exchange: what the improved objectives gained over what the others paid, 1 in the tangent plane.

    At a Pareto-optimal point with weights alpha every small move along the front has alpha^T change = 0: the gain,
    weighted by alpha, is the payment. On a front that is convex a finite step gains less than it pays, 1 - O(step).

    That holds of the objectives with their weight decay. What is gained of the losses alone, by letting the parameters
    grow, is no exchange along the front: the decay that all objectives share pays for it.

    Args:
        change: of all objectives, weight decay included, [m].
        weights: alpha at the start, [m].
        improved: the objectives that were to improve.

    Returns:
        The ratio; infinite where nothing was paid for a gain, 0 where there was none, NaN where nothing moved.
    """
    gains = np.zeros(len(change), bool)
    gains[improved] = True
    gain = -float(weights[gains] @ change[gains])
    paid = float(weights[~gains] @ change[~gains])
    if gain <= 0:
        return float("nan") if gain == paid == 0 else 0.0
    return gain / paid if paid > 0 else float("inf")


def hypervolume(points: ArrayLike, reference: ArrayLike) -> float:
    """The volume that ``points`` [k, m] dominate up to ``reference`` [m]; those beyond it count for nothing."""
    inside = _inside(points, reference)
    return float(moocore.hypervolume(inside, ref=np.asarray(reference))) if len(inside) else 0.0


def igd_plus(points: ArrayLike, front: ArrayLike) -> float:
    """The mean distance by which ``points`` [k, m] fail to dominate points of the ``front`` [l, m] (IGD+).

    Source: Ishibuchi, Masuda, Tanigaki, Nojima, "Modified distance calculation in generational distance and inverted
    generational distance", EMO 2015.
    """
    return float(moocore.igd_plus(np.asarray(points, float), ref=np.asarray(front, float)))


def non_dominated_share(points: ArrayLike) -> float:
    """Of the ``points`` [k, m], the share that no other one of them is better than."""
    return float(moocore.is_nondominated(np.asarray(points, float), keep_weakly=True).mean())


@dataclass(frozen=True)
class Median:
    """A median with its interval of 95 %.

    Attributes:
        value: the median.
        low: where the interval begins.
        high: where it ends.
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3g} ({self.low:.3g} to {self.high:.3g})"


def median(groups: Sequence[Sequence[float]], draws: int = 2000) -> Median:
    """Of all numbers, with a percentile bootstrap over the groups: those of one seed are drawn together or not at all.

    Args:
        groups: the numbers seed by seed; infinite ones are allowed, NaN is left out.
        draws: of the bootstrap.
    """
    kept = [[x for x in group if not np.isnan(x)] for group in groups]
    kept = [group for group in kept if group]
    if not kept:
        return Median(float("nan"), float("nan"), float("nan"))
    generator = np.random.default_rng(0)
    # Of a few groups there are only a few different draws.
    chosen = np.sort(generator.integers(len(kept), size=(draws, len(kept))), axis=1)
    different, which = np.unique(chosen, axis=0, return_inverse=True)
    medians = np.array([_median(np.concatenate([kept[i] for i in draw])) for draw in different])
    drawn = medians[which.ravel()]
    # "lower" and "higher" do no arithmetic, which infinite medians would not survive.
    low = np.quantile(drawn, 0.025, method="lower")
    high = np.quantile(drawn, 0.975, method="higher")
    return Median(_median(np.concatenate(kept)), float(low), float(high))


def _median(numbers: Array) -> float:
    ordered = np.sort(numbers)
    a, b = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    return float(a if a == b else (a + b) / 2)


def _inside(points: ArrayLike, reference: ArrayLike) -> Array:
    points = np.asarray(points, float)
    return points[(points < np.asarray(reference)).all(axis=1)]
