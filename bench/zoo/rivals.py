"""What one would do without the library: train on from the same start, with other weights, for the same time."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from zoo.case import Case
from zoo.evaluation import change, evaluate
from zoo.training import minibatches, weighted

HEAVIER = (3.0, 10.0)
RATES = {"rate": 1.0, "rate / 10": 0.1}
TIMES = 10  # a step's time, in which a refused wish may be reached


@dataclass(frozen=True)
class Tuning:
    """A way to train on.

    Attributes:
        name: of it.
        weights: name -> weight of a loss.
        rate: the learning rate.
    """

    name: str
    weights: Mapping[str, float]
    rate: float


def tunings(case: Case, named: Collection[str], planned: Mapping[str, float] | None) -> list[Tuning]:
    """Heavier weights on what is to improve, and the plan's weights if there is a plan, each at both rates.

    Args:
        case: whose weights and rate are changed.
        named: what is to improve.
        planned: the weights that a preview has for the point that it leads to, of any sum.
    """
    made = {
        f"named x {factor:g}": {n: w * (factor if n in named else 1) for n, w in case.weights.items()}
        for factor in HEAVIER
    }
    if planned is not None:
        scale = sum(case.weights.values()) / sum(planned.values())
        made["planned"] = {name: scale * weight for name, weight in planned.items()}
    return [
        Tuning(f"{way}, {word}", weights, factor * case.rate)
        for way, weights in made.items()
        for word, factor in RATES.items()
    ]


def control(case: Case) -> Tuning:
    """The training's own weights at a tenth of its rate: what it gains, nobody else may claim."""
    return Tuning("control", dict(case.weights), 0.1 * case.rate)


def trained_on(
    case: Case, model: nn.Module, way: Tuning, seconds: float, looks: int = 1
) -> Iterator[nn.Module]:
    """Train a copy of a model on as its training did, with a fresh optimizer.

    Args:
        case: the data and the optimizer.
        model: where to begin; it is left alone.
        way: the weights and the learning rate.
        seconds: of CPU, what is done to look not counted; at least one minibatch.
        looks: after how many equal parts of the time it is handed out.

    Yields:
        The copy in eval mode, the same one every time.
    """
    model = copy.deepcopy(model)
    steps = case.optimizer([p for p in model.parameters() if p.requires_grad], way.rate)
    generator = torch.Generator().manual_seed(1)
    spent, look = 0.0, 1
    while True:
        for batch in minibatches(case.train, case.batch_size, generator):
            model.train()
            began = time.process_time()
            steps.zero_grad()
            outputs = case.forward(model, batch)
            weighted(case.losses, way.weights, outputs, batch).backward()  # type: ignore[no-untyped-call]
            steps.step()
            spent += time.process_time() - began
            while spent >= seconds * look / looks:
                model.eval()
                yield model
                look += 1
                if look > looks:
                    return


@dataclass(frozen=True)
class Reach:
    """How near fine-tuning comes to a wish on validation data.

    Attributes:
        reached: whether all that was to improve did so by the amount, at the same time.
        nearest: the change of what came least far, at the nearest look; negative is better.
        name: of the way that came there.
    """

    reached: bool
    nearest: float
    name: str


def reach(case: Case, model: nn.Module, named: Collection[str], amount: float, seconds: float) -> Reach:
    """Whether any fine-tuning reaches a wish in ``TIMES`` times a step's time, at any of as many looks.

    The request is a relative one, so that of a pair both losses must have fallen by ``amount``.
    """
    places = [case.names.index(name) for name in named]
    before = evaluate(model, case, "validation")
    found = Reach(False, math.inf, "")
    for way in tunings(case, named, None):
        for tuned in trained_on(case, model, way, TIMES * seconds, looks=TIMES):
            values = change(before, evaluate(tuned, case, "validation")).values[places]
            came = float(np.max(np.nan_to_num(values, nan=math.inf)))
            if came < found.nearest:
                found = Reach(came <= -amount, came, way.name)
            if found.reached:
                return found
    return found


def epoch_seconds(case: Case, model: nn.Module, repeats: int = 3) -> float:
    """CPU seconds of one pass forward and backward of the weighted sum over the training data, the median of a few."""
    model = copy.deepcopy(model)
    model.eval()
    taken = []
    for _ in range(repeats):
        began = time.process_time()
        for batch in minibatches(case.train, case.batch_size):
            outputs = case.forward(model, batch)
            weighted(case.losses, case.weights, outputs, batch).backward()  # type: ignore[no-untyped-call]
        taken.append(time.process_time() - began)
    return float(np.median(taken))
