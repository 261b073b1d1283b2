"""What the tangent on a model needs: curvature, calibration, tolerance and sample size against error and cost.

Steps of 5 % for each objective and each ordered pair 0.7 : 0.3 from one trained start on the overlaid digits: the
predicted outcome against that of the predictor, without a corrector.

Run: python bench/ablation.py
"""

from __future__ import annotations

import itertools
import time

import numpy as np
import torch

import paretonav as pn
from paretonav.geometry import Geometry, measure_front, tangent_at
from paretonav.steering.planning.plan import plan
from paretonav.steering.preferences.situation import situation
from paretonav.steering.stepping.predictors import ObjectiveSpace
from report import write

SETTINGS = [
    *(Geometry(tolerance=t, samples=n) for n in (512, 1024, 2048) for t in (0.3, 0.2, 0.1, 0.02)),
    *(Geometry(tolerance=t, samples=n, calibrate=False) for n in (1024, 2048) for t in (0.2, 0.1, 0.02)),
    Geometry(curvature="exact", tolerance=0.1),
    Geometry(curvature="exact", tolerance=0.02, samples=None, max_iterations=300),
    Geometry(curvature="exact", damping=0.1, samples=256),
]


def main() -> None:
    problem = pn.problems.digits()
    start = pn.Navigator(problem).start()
    weights = torch.tensor(list(start.weights.values()), dtype=torch.float64)
    wishes = [pn.Improve({n: 1.0}) for n in problem.names]
    wishes += [
        pn.Improve({a: 0.7, b: 0.3}, units="absolute") for a, b in itertools.permutations(problem.names, 2)
    ]
    assert start.measured.validation is not None
    before = {"train": start.front.losses, "validation": start.measured.validation.mean.numpy()}
    rows = []
    for geometry in SETTINGS:
        products = problem.cost.hessian_products
        began = time.perf_counter()
        tangent = tangent_at(problem, start.parameters, weights, geometry)
        front = measure_front(problem, tangent, geometry)
        seconds = time.perf_counter() - began
        products = problem.cost.hessian_products - products
        errors: dict[str, list[float]] = {"train": [], "validation": []}
        refused = 0
        price = []
        for wish in wishes:
            try:
                planned = plan(front, wish.wish(situation(front)), 0.05)
            except pn.InfeasiblePreferenceError:
                refused += 1
                continue
            theta = ObjectiveSpace().predict(problem, front, tangent, planned).theta
            for split in ("train", "validation"):
                predicted = planned.predicted.on(split)
                achieved = problem.evaluate(theta, split).mean.numpy() - before[split]
                if split == "train":
                    price.append(float(achieved[achieved > 0].sum()))
                errors[split].append(float(np.linalg.norm(predicted - achieved) / np.linalg.norm(predicted)))
        rows.append(
            {
                "curvature": (geometry.curvature or "gauss-newton")
                + (", calibrated" if geometry.calibrate and geometry.curvature is None else ""),
                "samples": geometry.samples or "all",
                "tolerance": geometry.tolerance or "default",
                "damping": geometry.damping or 0,
                "products": products,
                "seconds": seconds,
                "error train, median": float(np.median(errors["train"])),
                "worst": max(errors["train"]),
                "error validation, median": float(np.median(errors["validation"])),
                "worst validation": max(errors["validation"]),
                "rise of the others, mean": float(np.mean(price)),
                "refused": refused,
            }
        )
    write("ablation", "Digits: what the tangent needs", rows, __doc__.split("\n\n")[1] if __doc__ else "")


if __name__ == "__main__":
    main()
