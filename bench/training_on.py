"""What training on brings to the models of the zoo: at a rate that falls to zero, and at a constant one.

Run: PYTHONPATH=bench python bench/training_on.py
"""

from __future__ import annotations

import argparse
import copy
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch

import paretonav as pn
from paretonav.steering.reporting.training_gain import TrainingGain
from paretonav.steering.stepping.train_on import train_on
from report import write
from zoo.bring import problem_of
from zoo.case import Case
from zoo.evaluation import change, evaluate
from zoo.kinds import KINDS

EPOCHS = 10
SCHEDULES = {"falling": (1.0, False), "constant": (1.0, True), "constant, a tenth": (0.1, True)}


def constant(
    make: Callable[[Any], torch.optim.Optimizer], factor: float, parameters: Any
) -> torch.optim.Optimizer:
    """An optimizer that keeps its rate, times a factor, whatever is written into it."""
    made = make(parameters)
    rates = [factor * group["lr"] for group in made.param_groups]
    step = made.step

    def kept(*args: Any) -> Any:
        for group, rate in zip(made.param_groups, rates, strict=True):
            group["lr"] = rate
        return step(*args)

    made.step = kept  # type: ignore[assignment, method-assign]
    return made


def rows(case: Case) -> Iterator[dict[str, Any]]:
    """One for each schedule."""
    before = evaluate(case.model, case, "test")
    for name, (factor, keeps) in SCHEDULES.items():
        problem = problem_of(case, copy.deepcopy(case.model))
        make = problem.optimizer
        assert make is not None
        optimizer = partial(constant, make, factor) if keeps else make
        weights = problem.training_weights / problem.training_weights.sum()
        trained = train_on(problem, weights, pn.TrainOn(epochs=EPOCHS, rounds=1, optimizer=optimizer))
        gain = TrainingGain.of(problem, weights, trained, pn.Cost())
        problem.set_parameters(trained.theta)
        test = change(before, evaluate(problem.model, case, "test")).values
        error = 0.0 if gain.total_error is None else gain.total_error
        size = 100 / abs(gain.total_before)
        yield {
            "case": case.name,
            "rate": name,
            "pays": {True: "yes", False: "no", None: "unknown"}[gain.pays],
            "validation, weighted sum, %": f"{size * gain.total:+.2g} ± {size * error:.1g}",
            "TEST, each loss, %": ", ".join(f"{100 * float(x):+.2g}" for x in test),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", nargs="+", default=[name for name in KINDS if not name.startswith("gpt")])
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = [row for name in options.cases for row in rows(KINDS[name](options.seed))]
    write(
        "training_on",
        f"Training on for {EPOCHS} epochs",
        found,
        "Models of the zoo as they are brought, at the weights that they were trained with, by their own optimizer. "
        "Falling: from its last rate linearly to zero. Kept is the best epoch on validation data.",
    )


if __name__ == "__main__":
    main()
