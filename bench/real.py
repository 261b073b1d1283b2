"""Five steps on a problem of real data, on all three splits, against four alternatives from the same start.

For every wish, one row for each of:

- default: the step as it is;
- published: the same wish by ``pn.ppe()``, whose step has a length of its own: compare ratios and cost, not amounts;
- tuned, plan's weights: training on the weights that the plan predicts for the new point, for the step's time;
- tuned, doubled: training with the weights of what is to improve doubled, as one would without a plan, likewise;
- control: training on unchanged weights, likewise. What it gains, navigation may not claim.

Training is Adam, with the better of two learning rates, chosen in hindsight by what was asked for on training data: a
favour that the steps do not get. Test data choose nothing.

Run: python bench/real.py adult|census|digits|fashion|fashion3|sentences [--seed 0] [--without published tuned]

Without those two, the steps and the control take a few minutes on two cores; with them fashion takes a quarter of an
hour.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Collection

import numpy as np
import torch
from torch import Tensor

import paretonav as pn
from compare import LEARNING_RATES, Array, cosines, error, fine_tune, show, values
from paretonav.objectives import Losses, ModelProblem, Split
from report import write

Wish = tuple[pn.Improve, float]
Row = dict[str, object]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
PROBLEMS: dict[str, Callable[[int], ModelProblem]] = {
    "adult": lambda seed: pn.problems.adult(seed=seed),
    "census": lambda seed: pn.problems.census(seed=seed),
    "digits": lambda seed: pn.problems.digits(seed=seed),
    "fashion": lambda seed: pn.problems.fashion(train_size=3000, validation_size=1500, epochs=100, seed=seed),
    "fashion3": lambda seed: pn.problems.fashion(
        items=3, train_size=3000, validation_size=1500, epochs=100, seed=seed
    ),
    "sentences": lambda seed: pn.problems.sentences(
        train_size=500, validation_size=300, max_length=16, epochs=40, seed=seed
    ),
}
# A curvature product through a transformer costs as much as some passes over its sample.
GEOMETRIES = {"sentences": pn.Geometry(samples=128)}


def wishes(names: tuple[str, ...], amount: float = 0.05) -> list[Wish]:
    """Five wishes; with two objectives, of which one pays for the other, of different amounts."""
    if len(names) == 2:
        first, second = (pn.Improve({name: 1.0}) for name in names)
        return [
            (first, amount),
            (second, amount),
            (first, amount / 2),
            (second, amount / 2),
            (first, 2 * amount),
        ]
    a, b, c, *_ = names
    return [
        (pn.Improve({a: 1.0}), amount),
        (pn.Improve({b: 1.0}), amount),
        (pn.Improve({c: 1.0}), amount),
        (pn.Improve({a: 0.7, b: 0.3}), amount),
        (pn.Improve({a: 1.0}, hold=[b]), amount),
    ]


class Bench:
    """The problem, its trained start, and the losses there on every split."""

    def __init__(self, problem: ModelProblem, geometry: pn.Geometry | None, without: Collection[str]) -> None:
        self.problem, self._without = problem, without
        began = time.perf_counter()
        problem.train()
        self.training = time.perf_counter() - began
        self.nav = pn.Navigator(problem, geometry=geometry)
        self.start = self.nav.start()
        self.before = self._losses(self.start.parameters)

    def rows(self, preference: pn.Improve, amount: float) -> list[Row]:
        """The step and its alternatives."""
        self.nav.go_to(self.start.id)
        asked = " ".join(f"{name} {weight:g}" for name, weight in preference.weights.items())
        asked += "".join(f", hold {name}" for name in preference.hold)
        label: Row = {"asked": asked, "amount": f"{amount:.3g}"}
        try:
            preview = self.nav.preview(preference, amount)
        except pn.InfeasiblePreferenceError as refused:
            refusal = f"infeasible at {amount:g}, reach {refused.reach:.3g}"
            if refused.reach <= 1e-3:
                return [{**label, "method": "default", "status": refusal}]
            amount = 0.8 * refused.reach
            label["amount"] = f"{amount:.3g} ({refusal})"
            preview = self.nav.preview(preference, amount)
        step = self.nav.step(preference, amount)
        wanted = np.zeros(self.problem.m)
        for name in preference.weights:
            wanted[self.problem.names.index(name)] = step.requested[name]
        seconds = step.cost.seconds
        rows = [self._step("default", step, self.nav)]
        self.nav.go_to(self.start.id)
        if "published" not in self._without:
            published = pn.Navigator(self.problem, **pn.ppe())
            published.start(polish=False)
            rows.append(self._step("published", published.step(preference, amount), published))
            self.nav.go_to(self.start.id)
        here = torch.from_numpy(self.start.front.weights)
        naive = here.clone()
        naive[torch.from_numpy(wanted) != 0] *= 2
        for method, weights in (
            ("tuned, plan's weights", torch.from_numpy(preview.plan.weights)),
            ("tuned, doubled", naive / naive.sum()),
            ("control", here),
        ):
            if method == "control" or "tuned" not in self._without:
                rows.append(self._tuned(method, weights, seconds, wanted))
        return [{**label, **row} for row in rows]

    def summary(self) -> Row:
        scale = float(self.start.train.mean.mean())
        return {
            "parameters": self.problem.parameters().numel(),
            "training s": self.training,
            "start() s": self.start.cost.seconds,
            **{split: show(self.before[split].mean.numpy()) for split in SPLITS},
            "joint gain % of losses": 100 * self.start.joint_gain / scale,
            "cosines": " ".join(f"{c:.2f}" for c in cosines(self.nav)),
        }

    def _losses(self, theta: Tensor) -> dict[Split, Losses]:
        return {split: self.problem.evaluate(theta, split) for split in SPLITS}

    def _step(self, method: str, step: pn.Step, nav: pn.Navigator) -> Row:
        cost, predicted = step.cost, values(step.predicted)
        taken = str(step.status) != "rejected"
        return {
            "method": method,
            "status": str(step.status),
            "predicted": show(predicted),
            **self._changes(nav.here.parameters if taken else self.start.parameters),
            "error": error(predicted, values(step.achieved)) if taken else "",
            "seconds": cost.seconds,
            "forward passes": cost.forward_passes,
            "gradient passes": cost.gradient_passes,
            "Hessian products": cost.hessian_products,
        }

    def _tuned(self, method: str, weights: Tensor, seconds: float, wanted: Array) -> Row:
        def miss(theta: Tensor) -> float:
            change = (self.problem.evaluate(theta).mean - self.before["train"].mean).numpy()
            return float(np.linalg.norm((change - wanted)[wanted != 0]))

        tries = [
            fine_tune(self.problem, self.start.parameters, weights, seconds, rate) for rate in LEARNING_RATES
        ]
        theta, epochs = min(tries, key=lambda tried: miss(tried[0]))
        return {
            "method": method,
            "status": "",
            "predicted": "",
            **self._changes(theta),
            "error": "",
            "seconds": seconds,
            "forward passes": epochs,
            "gradient passes": epochs,
            "Hessian products": 0,
        }

    def _changes(self, theta: Tensor) -> Row:
        columns: Row = {}
        for split, losses in self._losses(theta).items():
            change, deviation = losses.change_from(self.before[split])
            columns[split] = show(change.numpy())
            columns[f"± {split}"] = (
                "" if deviation is None else " ".join(f"{d:.4f}" for d in deviation.tolist())
            )
        return columns


NOTES = """
Changes of the losses, negative is better, with their standard errors ("±", from paired batches). "error" is
|predicted - achieved| / |predicted| over all losses on training data. Seconds are those of the step, and what the
training got. Where a wish is infeasible at the amount, 80 % of its reach is taken.
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("problem", choices=PROBLEMS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--without", nargs="*", choices=("published", "tuned"), default=[])
    options = parser.parse_args()
    name = options.problem
    bench = Bench(PROBLEMS[name](options.seed), GEOMETRIES.get(name), options.without)
    write(f"real_{name}_start", f"{name}: the starting point", [bench.summary()])
    rows = [row for wish in wishes(bench.problem.names) for row in bench.rows(*wish)]
    columns = max((list(row) for row in rows), key=len)
    write(
        f"real_{name}",
        f"{name}: five wishes from one start, and what one would do instead",
        [{column: row.get(column, "") for column in columns} for row in rows],
        NOTES,
    )


if __name__ == "__main__":
    main()
