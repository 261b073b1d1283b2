"""Fronts that are known: a dense sample of each, and the volume that all of it dominates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import moocore
import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.stats import qmc

import paretonav as pn
from measures import hypervolume
from paretonav.problems.dtlz import DTLZ
from paretonav.problems.quadratic import Quadratic

Array = NDArray[np.float64]

_BEYOND = 1.1  # the reference point, as a multiple of the worst values on the front


@dataclass(frozen=True, eq=False)
class Truth:
    """What is known of a front.

    Attributes:
        front: [k, m], points that are spread over it; None where it is not known.
        reference: [m], up to where volumes are measured: its worst values times 1.1.
        volume: what it dominates up to there, all of it. A sample does not give that: of DTLZ2 with ten objectives
            5000 random points dominate a fifth.
    """

    front: Array | None
    reference: Array
    volume: float

    def coverage(self, points: ArrayLike) -> float:
        """The hypervolume of ``points`` [k, m] relative to the front's."""
        return _volume(points, self.reference) / self.volume


def together(points: Sequence[Array]) -> Truth:
    """What stands in for a front that is not known: all that have been found, of which none is better than another."""
    best = moocore.filter_dominated(np.array(points))
    reference = _BEYOND * best.max(axis=0)
    return Truth(None, reference, _volume(best, reference))


def _volume(points: ArrayLike, reference: Array) -> float:
    """Exact for up to five objectives; of more, a hundred points can take a minute. The approximation errs by 1e-3."""
    if len(reference) <= 5:
        return hypervolume(points, reference)
    return float(moocore.hv_approx(np.asarray(points), ref=reference, nsamples=1 << 17))


def truth(problem: Quadratic | DTLZ, count: int = 1000, draws: int = 1 << 15) -> Truth | None:
    """What is known of a problem's front; None for DTLZ5 and 6 with more than three objectives.

    Args:
        problem: whose.
        count: the points in the sample.
        draws: of the quasi-Monte-Carlo integration (scrambled Sobol points), a power of two.
    """
    if isinstance(problem, DTLZ):
        if problem.k in (5, 6) and problem.m > 3:
            return None
        front = problem.front(count).numpy()
    else:
        front = _supported(problem, count)[1]
    if isinstance(problem, DTLZ):
        best, worst = np.zeros(problem.m), _worst(problem)
    else:  # the sample has the optimum of each objective
        best, worst = front.min(axis=0), front.max(axis=0)
    reference = _BEYOND * worst
    draw = qmc.Sobol(problem.m, rng=0).random(draws)
    inside = _dominated(problem, best + draw * (reference - best))
    return Truth(front, reference, float(inside.mean() * np.prod(reference - best)))


def _worst(problem: DTLZ) -> Array:
    """[m], the worst values on the front; a random sample does not come near them where there are many objectives."""
    worst = np.ones(problem.m)
    if problem.k == 1:
        worst[:] = 0.5
    elif problem.k in (5, 6):
        worst[:2] = 0.5**0.5
    elif problem.k == 7:
        grid, gain = _gains()
        worst[:-1], worst[-1] = grid[gain.argmax()], 2 * problem.m
    return worst


def _gains() -> tuple[Array, Array]:
    """Of DTLZ7: values of one of the first objectives, and the most by which one up to there lowers the last."""
    grid = np.linspace(0, 1, 10_001)
    return grid, np.maximum.accumulate(grid * (1 + np.sin(3 * np.pi * grid)))


def _dominated(problem: Quadratic | DTLZ, f: Array) -> NDArray[np.bool_]:
    """Of outcomes f >= 0 [k, m], which ones the front dominates."""
    if isinstance(problem, Quadratic):
        # They are a convex set: those that no supporting plane cuts off.
        weights, touching = _supported(problem, 2000)
        least = (weights * touching).sum(axis=1)
        return np.concatenate([(part @ weights.T >= least).all(axis=1) for part in np.array_split(f, 32)])
    if problem.k == 1:
        return np.asarray(f.sum(axis=1) >= 0.5)
    if problem.k in (5, 6):  # the quarter circle f1 = f2
        return np.asarray(2 * f[:, :2].min(axis=1) ** 2 + f[:, 2] ** 2 >= 1)
    if problem.k == 7:
        gains = np.interp(f[:, :-1], *_gains()).sum(axis=1)
        return np.asarray(f[:, -1] >= 2 * problem.m - gains)
    return np.asarray(np.linalg.norm(f, axis=1) >= 1)


def _supported(problem: Quadratic, count: int) -> tuple[Array, Array]:
    """Weights [count, m], the corners of the simplex first, and the outcomes [count, m] that are best for them."""
    drawn = np.random.default_rng(0).dirichlet(np.ones(problem.m), count - problem.m)
    weights = np.concatenate([np.eye(problem.m), drawn])
    points = [problem.pareto_point(torch.from_numpy(w)) for w in weights]
    return weights, np.stack([problem.evaluate(point).mean.numpy() for point in points])


def distances(problem: Quadratic | DTLZ, points: Array) -> list[float]:
    """How far each of the outcomes ``points`` [k, m] is from the front; NaN where that is not known."""
    found = []
    for f in points:
        try:
            found.append(abs(problem.front_distance(torch.from_numpy(f))))
        except pn.ParetonavError:
            found.append(float("nan"))
    return found
