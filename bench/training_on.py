"""What training on brings to the models of the zoo: at a falling or a constant rate, keeping its end or its best epoch.

Run: PYTHONPATH=bench python bench/training_on.py
"""

from __future__ import annotations

import argparse
import copy
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

import paretonav as pn
from paretonav.statistics import standard_error
from report import write
from zoo.bring import problem_of
from zoo.case import Case
from zoo.evaluation import change, evaluate
from zoo.kinds import KINDS

EPOCHS = 20
MORE = 4  # epochs after it, at a tenth of the rate, which a model that is where it should be does not need


class Way(NamedTuple):
    """How to train on.

    Attributes:
        factor: on the rate.
        falls: whether it falls to zero.
        best: whether the epoch with the least weighted sum on validation data is kept, and not the last one.
    """

    factor: float
    falls: bool
    best: bool


WAYS = {
    "falling, its end": Way(1.0, True, False),
    "falling, best epoch": Way(1.0, True, True),
    "constant, its end": Way(1.0, False, False),
    "a tenth, its end": Way(0.1, False, False),
}


def descent(problem: pn.ModelProblem, weights: Tensor, factor: float, falls: bool) -> Iterator[Tensor]:
    """The parameters after each epoch of minibatches, of which the falling rate knows that there will be EPOCHS."""
    moving = problem.parameters().requires_grad_()
    make, examples = problem.optimizer, problem.examples
    assert make is not None
    assert examples is not None
    optimizer = make([moving])
    rates = [factor * group["lr"] for group in optimizer.param_groups]
    generator = torch.Generator().manual_seed(0)
    epoch = 0
    while True:
        done = 0.0
        for batch in problem.minibatches(pn.TrainOn().batch_size_for(examples), generator):
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * (1 - (epoch + done) / EPOCHS) if falls else rate
            optimizer.zero_grad()
            decay = problem.weight_decay / 2 * moving.square().sum()
            (weights.to(moving) @ batch.losses(batch.outputs(moving)) + weights.sum() * decay).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            done += batch.fraction
        epoch += 1
        yield moving.detach().clone()


def rows(case: Case) -> Iterator[dict[str, Any]]:
    """One for each way."""
    problem = problem_of(case, copy.deepcopy(case.model))
    came, weights = problem.parameters(), problem.training_weights / problem.training_weights.sum()
    before = problem.evaluate(came, "validation")
    tested = evaluate(problem.model, case, "test")
    size = 100 / abs(float(weights @ before.mean))
    for name, way in WAYS.items():
        ends = list(islice(descent(problem, weights, way.factor, way.falls), EPOCHS))
        sums = [float(weights @ problem.evaluate(theta, "validation").mean) for theta in ends]
        kept = int(np.argmin(sums)) if way.best else EPOCHS - 1
        after = problem.evaluate(ends[kept], "validation")
        error = standard_error(after.fractions, (after.batches - before.batches) @ weights)
        problem.set_parameters(ends[kept])
        reached = evaluate(problem.model, case, "test")
        *_, more = islice(descent(problem, weights, 0.1, False), MORE)
        again = size * float(weights @ (problem.evaluate(more, "validation").mean - after.mean))
        problem.set_parameters(more)
        beyond = change(reached, evaluate(problem.model, case, "test"))
        problem.set_parameters(came)
        yield {
            "case": case.name,
            "way": name,
            "epoch": kept + 1,
            "validation, weighted sum, %": f"{size * (sums[kept] - float(weights @ before.mean)):+.2g}"
            + ("" if error is None else f" ± {size * float(error):.1g}"),
            "TEST, each loss, %": _each(change(tested, reached).values),
            f"{MORE} epochs more: validation": f"{again:+.2g}",
            "their TEST": _each(beyond.values),
        }


def _each(values: Any) -> str:
    return ", ".join(f"{100 * float(x):+.2g}" for x in values)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", nargs="+", default=[name for name in KINDS if not name.startswith("gpt")])
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = []
    for name in options.cases:
        for row in rows(KINDS[name](options.seed)):
            print(row, flush=True)
            found.append(row)
        write(
            "training_on",
            f"Training on for {EPOCHS} epochs",
            found,
            "Models of the zoo as they are brought, at the weights that they were trained with, by their own "
            "optimizer. Falling: from its last rate linearly to zero. The best epoch is that with the least weighted "
            f"sum on validation data. Then {MORE} epochs more, at a tenth of the rate, from what was kept: where these "
            "raise the validation sum and lower the losses on TEST data, what was kept was chosen for its luck.",
        )


if __name__ == "__main__":
    main()
