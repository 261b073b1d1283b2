"""What a step costs, and what its prediction is worth: fixed settings against those that follow from step to step.

The same walk of steps of 5 % on the overlaid digits with every setting: an objective in turn, each three times from the
trained start, then pairs. The fixed settings solve for every tangent anew; "recycled" begins with the neighbour's
solutions; "adaptive" is the default: recycled, with legs, sample and tolerance that follow predicted against achieved.
Passes are over the training data. A step that is refused at the edge of the front is left out.

Run: python bench/adaptation.py [--seeds 2]
"""

from __future__ import annotations

import argparse
import itertools

import numpy as np

import paretonav as pn
from compare import values
from measures import error
from paretonav.geometry import Geometry
from report import write

FIXED = {
    "512, 0.3": Geometry(samples=512, tolerance=0.3, recycle=False),
    "1024, 0.1": Geometry(samples=1024, tolerance=0.1, recycle=False),
    "2048, 0.1": Geometry(samples=2048, tolerance=0.1, recycle=False),
    "2048, 0.02": Geometry(samples=2048, tolerance=0.02, recycle=False),
    "1024, 0.1, recycled": Geometry(samples=1024, tolerance=0.1),
    "adaptive": None,
}


def walk(problem: pn.ModelProblem, geometry: Geometry | None) -> list[tuple[float, ...]]:
    """Every step's cost and errors."""
    nav = pn.Navigator(problem, geometry=geometry)
    nav.start()
    names = problem.names
    wishes = [pn.Improve({n: 1.0}) for n in names]
    wishes += [pn.Improve({a: 0.7, b: 0.3}, units="absolute") for a, b in itertools.permutations(names, 2)]
    rows: list[tuple[float, ...]] = []
    for wish in wishes:
        nav.go_to(0)
        for _ in range(3):
            try:
                step = nav.step(wish, 0.05)
            except pn.InfeasiblePreferenceError:
                break
            if step.status == pn.StepStatus.REJECTED:
                break
            predicted, achieved = values(step.predicted.train), values(step.achieved.train)
            rows.append(
                (
                    float(step.cost.hessian_products),
                    step.cost.forward_passes,
                    step.cost.gradient_passes,
                    step.cost.seconds,
                    error(predicted, achieved),
                    error(values(step.predicted.validation), values(step.achieved.validation)),
                    float(achieved[achieved > 0].sum()) / -float(achieved[achieved < 0].sum()),
                )
            )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=2)
    seeds = range(parser.parse_args().seeds)
    problems = [pn.problems.digits(seed=seed) for seed in seeds]
    found: dict[str, list[tuple[float, ...]]] = {name: [] for name in FIXED}
    for problem in problems:
        trained = problem.train()
        for name, geometry in FIXED.items():
            problem.set_parameters(trained)
            found[name] += walk(problem, geometry)
    table = []
    base = np.median([row[3] for row in found["1024, 0.1"]])
    for name, rows in found.items():
        numbers = np.array(rows)
        table.append(
            {
                "setting (examples, tolerance)": name,
                "steps": len(rows),
                "Hessian products, mean": float(numbers[:, 0].mean()),
                "forward passes": float(numbers[:, 1].mean()),
                "gradient passes": float(numbers[:, 2].mean()),
                "time / that of 1024, 0.1": float(np.median(numbers[:, 3]) / base),
                "error train, median": float(np.median(numbers[:, 4])),
                "error validation, median": float(np.median(numbers[:, 5])),
                "90 % of errors below": float(np.quantile(numbers[:, 5], 0.9)),
                "within 5 %": float((numbers[:, 5] <= 0.05).mean()),
                "rise of the others / gain, median": float(np.median(numbers[:, 6])),
            }
        )
    write(
        "adaptation",
        "Digits: cost and error of steps",
        table,
        "\n\n".join((__doc__ or "").split("\n\n")[1:2]),
    )


if __name__ == "__main__":
    main()
