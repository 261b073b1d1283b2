"""What a step costs and what its prediction is worth, for one version of the library.

Steps of 5 % from the trained start of digits, fashion, census and adult, two seeds each: every objective, three pairs
0.7 : 0.3, and two further steps along each. Run it with two versions in turn (PYTHONPATH=<checkout>/src) to see what a
change has brought; counts of products and passes hold on any machine, seconds only beside those of the other version.

Run: python bench/history.py <label> [--problems digits adult] [--seeds 2]
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable

import numpy as np
import torch

import paretonav as pn
import report
from compare import decay, values
from measures import efficiency, error
from paretonav.problems.trained import TrainedProblem

PROBLEMS: dict[str, Callable[[int], TrainedProblem]] = {
    "digits": lambda seed: pn.problems.digits(seed=seed),
    "fashion": lambda seed: pn.problems.fashion(train_size=3000, validation_size=1500, epochs=100, seed=seed),
    "census": lambda seed: pn.problems.census(seed=seed),
    "adult": lambda seed: pn.problems.adult(seed=seed),
}
STEPS = 3


def steps(problem: TrainedProblem) -> list[dict[str, float]]:
    """Every step's figures."""
    began = time.process_time()
    problem.train()
    training = time.process_time() - began
    nav = pn.Navigator(problem)
    nav.start()
    wishes = [pn.Improve({name: 1.0}) for name in problem.names]
    wishes += [
        pn.Improve({a: 0.7, b: 0.3}, units="absolute") for a, b in itertools.permutations(problem.names, 2)
    ][:3]
    rows = []
    for wish in wishes:
        nav.go_to(0)
        for number in range(STEPS):
            before = nav.here
            began = time.process_time()
            try:
                step = nav.step(wish, 0.05)
            except pn.InfeasiblePreferenceError:
                break
            if step.status == pn.StepStatus.REJECTED:
                break
            achieved = values(step.achieved.train)
            improved = [problem.names.index(name) for name in wish.weights]
            rows.append(
                {
                    "number": number,
                    "time": (time.process_time() - began) / training,
                    "products": step.cost.hessian_products,
                    "forward": step.cost.forward_passes,
                    "gradients": step.cost.gradient_passes,
                    "legs": step.legs,
                    "error": error(values(step.predicted.validation), values(step.achieved.validation)),
                    "efficiency": efficiency(
                        achieved + decay(problem, step.point.parameters) - decay(problem, before.parameters),
                        before.front.weights,
                        improved,
                    ),
                    "left": step.point.joint_gain / float(np.abs(achieved).max()),
                }
            )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("label")
    parser.add_argument("--problems", nargs="+", choices=PROBLEMS, default=list(PROBLEMS))
    parser.add_argument("--seeds", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(1)
    table = []
    for name, make in PROBLEMS.items():
        if name not in options.problems:
            continue
        rows = [row for seed in range(options.seeds) for row in steps(make(seed))]
        for which, chosen in (
            ("from the start", [r for r in rows if r["number"] == 0]),
            ("further on", [r for r in rows if r["number"]]),
        ):
            column = {key: np.array([row[key] for row in chosen]) for key in chosen[0]}
            table.append(
                {
                    "problem": name,
                    "steps": f"{len(chosen)} {which}",
                    "CPU time / training": float(np.median(column["time"])),
                    "curvature products": float(np.median(column["products"])),
                    "forward passes": float(np.median(column["forward"])),
                    "gradient passes": float(np.median(column["gradients"])),
                    "legs, mean": float(column["legs"].mean()),
                    "error, validation": float(np.median(column["error"])),
                    "90 % of them below": float(np.quantile(column["error"], 0.9)),
                    "exchange efficiency": float(np.median(column["efficiency"])),
                    "joint gain left / step": float(np.median(column["left"])),
                }
            )
    report.write(f"history/{options.label}", f"Steps of 5 %: {options.label.replace('-', ' ')}", table, NOTES)


NOTES = """
Medians over the steps. Error: |predicted - achieved| / |predicted| on validation losses. Exchange efficiency: gain over
payment relative to the tangent plane's; with weight decay since 9-before, of the losses as shown until then.
"""

if __name__ == "__main__":
    main()
