"""How often the 95 % intervals of what is reported cover the truth.

A linear model on Gaussian data, of which the population's losses, metrics and their derivatives are known. One training
set, many draws of validation data; intervals of Student's t with one degree of freedom less than batches.

Run: python bench/standard_errors.py
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from scipy.special import stdtrit

import paretonav as pn
from paretonav.geometry.probes import Probes, first_lengths
from paretonav.steering.changes import Changes
from paretonav.steering.planning.predictions import predictions
from population import METRICS, NAMES, Population
from report import write

DRAWS = 150
BATCHES = {
    "4": [200] * 4,
    "8": [200] * 8,
    "20": [200] * 20,
    "3 and one of a tenth": [200] * 3 + [20],
}

Interval = tuple[str, float, float, float]  # what, estimate, standard error, truth


def intervals(population: Population, draws: int) -> Iterator[Interval]:
    """What is reported of a step of 5 % for the first loss, by draws of the validation data."""
    nav = pn.Navigator(population.problem())
    here = nav.start()
    tangent, before = nav.tangent, here.parameters
    preview = nav.preview(pn.Improve({"first": 1.0}), 0.05)
    after = nav.step(pn.Improve({"first": 1.0}), 0.05).point.parameters
    coordinates = torch.from_numpy(preview.plan.coordinates)
    change = population.change(before, after).tolist()
    planned = population.change(before, tangent.point(coordinates)).tolist()
    lengths = first_lengths(tangent.response, tangent.losses.mean)
    m = len(NAMES)
    for _ in range(draws):
        problem = population.problem()
        probes = Probes.along(problem, before, tangent.basis, "validation", lengths)
        slopes = probes.response.mean.numpy()
        front = replace(
            here.front,
            validation_response_by_batch=probes.response,
            validation_losses=probes.before,
            validation_response=slopes[:m],
            validation_bend=probes.bend[:m],
            metric_response=slopes[m:],
            metric_bend=probes.bend[m:],
        )
        moved = problem.evaluate(after, "validation")
        plan = type(preview.plan).along(front, preview.plan.wish, 0.05, preview.plan.coordinates)
        predicted = predictions(front, plan)
        yield from _of("achieved", Changes.of(NAMES, *moved.change_from(probes.before)), change[:m])
        yield from _of("achieved", Changes.of(METRICS, *moved.metric_change_from(probes.before)), change[m:])
        yield from _of("predicted", predicted.validation, planned[:m])
        yield from _of("predicted", predicted.metrics, planned[m:])


def _of(kind: str, changes: Changes, truth: list[float]) -> Iterator[Interval]:
    assert changes.standard_errors
    for (name, value), true in zip(changes.items(), truth, strict=True):
        yield f"{kind}: {name}", value, changes.standard_errors[name], true


def coverage(lengths: list[int], draws: int, seed: int = 0) -> dict[str, float]:
    """Name -> the share of intervals that cover the truth."""
    quantile = float(stdtrit(len(lengths) - 1, 0.975))
    covered: dict[str, list[bool]] = {}
    for what, estimate, error, truth in intervals(Population(lengths, seed=seed), draws):
        covered.setdefault(what, []).append(abs(estimate - truth) <= quantile * error)
    return {what: float(np.mean(hits)) for what, hits in covered.items()}


def main() -> None:
    columns = {name: coverage(lengths, DRAWS) for name, lengths in BATCHES.items()}
    rows = [
        {"95 % interval of": what, **{f"batches: {name}": found[what] for name, found in columns.items()}}
        for what in next(iter(columns.values()))
    ]
    write(
        "standard_errors",
        "How often intervals cover the truth",
        rows,
        __doc__.split("\n\n")[1] if __doc__ else "",
    )


if __name__ == "__main__":
    main()
