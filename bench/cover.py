"""How evenly ``nav.cover(k)`` lies on known fronts, and what it costs.

Beside every cover are k points of the true front that lie as evenly as can be: with two objectives at equal distances
along it, with three always the one that is furthest from those before (the ends first), from a dense sample. Distances
are in parts of the front's ranges. *Largest gap* is over the mean: between neighbours, along the true front where there
are two objectives, to the nearest other point where there are three. *Hole* is how far the dense sample is from the
nearest point at most. Volumes are hypervolumes up to a tenth of the ranges beyond the worst values. A gradient of one
objective counts 1, a Hessian-vector product 3. *Again* are the steps that a second call takes.

Run: python bench/cover.py [--seeds 5]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray

import paretonav as pn
from fronts import spent
from measures import hypervolume, median
from paretonav.problems.known import KnownFrontProblem
from report import Row, write

Array = NDArray[np.float64]
COUNTS = {2: (5, 9, 17), 3: (10, 20)}
SAMPLE = 4000


def problems(seed: int) -> Iterator[tuple[str, KnownFrontProblem, Array]]:
    """Name, problem, and a dense sample [n, m] of its front, along it where there are two objectives."""
    t = torch.linspace(0, 1, SAMPLE, dtype=torch.float64)
    for m in (2, 3):
        convex = pn.problems.quadratic(n=20, m=m, seed=seed)
        weights = torch.stack([1 - t, t], dim=1) if m == 2 else _simplex(60)
        points = [convex.pareto_point(w) for w in weights]
        yield f"quadratic m={m}", convex, np.stack([convex.evaluate(x).mean.numpy() for x in points])
    yield "ZDT1", pn.problems.zdt(1, seed=seed), torch.stack([t, 1 - t.sqrt()], dim=1).numpy()
    yield "ZDT2", pn.problems.zdt(2, seed=seed), torch.stack([t, 1 - t**2], dim=1).numpy()
    angle = torch.pi / 2 * t
    circle = torch.stack([angle.cos(), angle.sin()], dim=1).numpy()[::-1]
    yield "DTLZ2 m=2", pn.problems.dtlz(2, m=2, seed=seed), circle
    rays = _simplex(60)
    yield "DTLZ1 m=3", pn.problems.dtlz(1, m=3, seed=seed), (0.5 * rays).numpy()
    sphere = rays / rays.norm(dim=1, keepdim=True)
    yield "DTLZ2 m=3", pn.problems.dtlz(2, m=3, seed=seed), sphere.numpy()


def _simplex(steps: int) -> torch.Tensor:
    """Evenly spaced weights [n, 3]."""
    rows = [(i, j, steps - i - j) for i in range(steps + 1) for j in range(steps + 1 - i)]
    return torch.tensor(rows, dtype=torch.float64) / steps


def evenly(front: Array, count: int) -> Array:
    """[count, m], points of a dense sample that lie as evenly as can be; in parts of the ranges as it is."""
    if front.shape[1] == 2:
        arc = np.concatenate([[0], np.linalg.norm(np.diff(front, axis=0), axis=1).cumsum()])
        return front[[int(np.abs(arc - place).argmin()) for place in np.linspace(0, arc[-1], count)]]
    chosen = [int(i) for i in front.argmin(axis=0)]
    while len(chosen) < count:
        chosen.append(int(np.linalg.norm(front[:, None] - front[chosen], axis=2).min(axis=1).argmax()))
    return front[chosen]


def largest_gap(points: Array, front: Array) -> float:
    """Over the mean gap."""
    if front.shape[1] == 2:
        arc = np.concatenate([[0], np.linalg.norm(np.diff(front, axis=0), axis=1).cumsum()])
        gaps = np.diff(np.sort([arc[np.linalg.norm(front - f, axis=1).argmin()] for f in points]))
    else:
        distances = np.linalg.norm(points[:, None] - points, axis=2) + 1e9 * np.eye(len(points))
        gaps = distances.min(axis=1)
    return float(gaps.max() / gaps.mean())


def measured(problem: KnownFrontProblem, front: Array, count: int) -> dict[str, float]:
    """One cover against the true front."""
    best, span = front.min(axis=0), np.ptp(front, axis=0)
    front = (front - best) / span
    nav = pn.Navigator(problem)
    nav.start()
    cover = nav.cover(count)
    points = (np.array([list(losses.values()) for losses in cover.losses]) - best) / span
    true = evenly(front, count)
    corner = np.full(front.shape[1], 1.1)
    far = [float(np.linalg.norm(front[:, None] - each, axis=2).min(axis=1).max()) for each in (points, true)]
    return {
        "points": float(len(cover.points)),
        "gap": largest_gap(points, front),
        "true gap": largest_gap(true, front),
        "hole": far[0],
        "true hole": far[1],
        "volume": hypervolume(points, corner) / hypervolume(true, corner),
        "steps": float(cover.steps),
        "gradients": spent(cover.cost),
        "again": float(nav.cover(count).steps),
    }


def row(name: str, count: int, found: list[dict[str, float]]) -> Row:
    """Medians over the seeds."""
    middle = {key: median([[each[key]] for each in found]) for key in found[0]}
    return {
        "front": name,
        "k": count,
        "seeds": len(found),
        "points": middle["points"].value,
        "largest gap": middle["gap"],
        "of true points": middle["true gap"].value,
        "hole": middle["hole"],
        "hole of true points": middle["true hole"].value,
        "volume / that of true points": middle["volume"],
        "steps": middle["steps"],
        "gradients": middle["gradients"].value,
        "again": max(each["again"] for each in found),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    seeds = range(parser.parse_args().seeds)
    of = {name: front.shape[1] for name, _, front in problems(0)}
    rows = []
    for place, (name, m) in enumerate(of.items()):
        for count in COUNTS[m]:
            found = []
            for seed in seeds:
                _, problem, front = next(islice(problems(seed), place, None))
                found.append(measured(problem, front, count))
            rows.append(row(name, count, found))
    write("cover", "Covers of known fronts", rows, (__doc__ or "").split("\n\n")[1])


if __name__ == "__main__":
    main()
