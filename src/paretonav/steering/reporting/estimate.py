"""How long a start or a step will take, before it begins."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Self

import numpy as np
import torch
from torch import Tensor

from paretonav.errors import NavigationError
from paretonav.geometry import (
    Curvature,
    Geometry,
    exchange_passes,
    measuring_passes,
    probing_passes,
    usual_products,
)
from paretonav.objectives import Composite, Cost, Problem, differentiated

What = Literal["start", "step"]

_BACKWARD = 2.0  # forward passes, that a backward pass takes the time of
_PRODUCT = 2.0  # epochs over its sample, that a curvature product takes the time of
_TIMED = 8  # parts of the data, of which one is a batch that is timed: four or five epochs of it are one half of all
_PULLS = 3  # that are tried at most; two are the fewest
_ALIGNED = 4  # forward passes to align a step
_POLISHED = Cost(
    forward_passes=9, gradient_passes=2, hessian_products=18
)  # to a front; gradients for each loss
_SHORT = 5.0  # seconds: what takes longer is done once
_LATEST = 5  # steps, whose time the next one is expected to take


@dataclass(frozen=True)
class Estimate:
    """What a start or a step is expected to take.

    Attributes:
        seconds: of time.
        epochs: of one forward and one backward pass of the weighted loss over the training data, which it is about as
            much work as.
        words: both, and what they do not include.
    """

    seconds: float
    epochs: float
    words: str

    @classmethod
    def of(cls, seconds: float, epochs: float, beside: str = "") -> Self:
        """With its words; ``beside`` says what is not included."""
        many = f"{float(f'{epochs:.2g}'):g}"
        told = f"about {_time(seconds)} ({many} epoch{'' if many == '1' else 's'})"
        return cls(seconds, epochs, f"{told}{beside}")


@dataclass(frozen=True)
class Pace:
    """The seconds that passes over the training data take, and a product with the curvature of a sample.

    Attributes:
        forward: a pass without a graph.
        gradient: what a backward pass of one scalar takes beside it.
        product: a curvature-vector product.
    """

    forward: float
    gradient: float
    product: float

    @classmethod
    def measured(cls, problem: Problem, geometry: Geometry) -> Self:
        """From a small part of the training data, in about the time of an epoch at most where they come in batches.

        Nothing is counted as a cost of navigating, and problem and random state are as before.
        """
        if problem.examples is None or problem.batch_size is None:
            raise NavigationError("a function has no data, so there is no pass over them to be timed")
        theta = problem.parameters()
        weights = problem.training_weights.to(theta)
        size = max(1, min(problem.batch_size, problem.examples // _TIMED))
        batches = iter(problem.minibatches(size, torch.Generator().manual_seed(0)))
        read, batch = 0.0, next(batches)
        divided = batch.fraction <= 1 / _TIMED  # else the data come in a few batches of their own
        if divided:
            _gradient(batch, theta, weights)  # what is slow at first is not what all of it takes
            began = _now(theta)
            batch = next(batches)
            read = _now(theta) - began
        both = _timed(lambda: _gradient(batch, theta, weights), problem, theta)
        forward, product = both / (1 + _BACKWARD), _PRODUCT * both
        if divided:
            with torch.no_grad():
                forward = min(_timed(lambda: batch.losses(batch.outputs(theta)), problem, theta), both)
            operator = Curvature([batch._replace(fraction=1.0)], theta, weights, kind="gauss-newton")
            product = _timed(lambda: operator(torch.ones_like(theta)[None]), problem, theta)
        whole = 1 / (batch.fraction * problem.processes)  # which share a pass
        sample = min(geometry.samples or problem.examples, problem.examples) / problem.examples
        return cls(whole * (forward + read), whole * (both - forward), whole * sample * product)

    def seconds(self, cost: Cost) -> float:
        """What so many passes and products take."""
        return (
            self.forward * cost.forward_passes
            + self.gradient * cost.gradient_passes
            + self.product * cost.hessian_products
        )


def epochs(cost: Cost, problem: Problem, geometry: Geometry) -> float:
    """How many epochs passes and products are about as much work as; deterministic, whatever time they take."""
    part = 1.0
    if problem.examples is not None and geometry.samples is not None:
        part = min(1.0, geometry.samples / problem.examples)
    passes = (cost.forward_passes + _BACKWARD * cost.gradient_passes) / (1 + _BACKWARD)
    return passes + _PRODUCT * part * cost.hessian_products


def planned(problem: Problem, geometry: Geometry, what: What, *, held: bool) -> Cost:
    """The passes that a start or a step of one leg takes as a rule, without any training.

    Args:
        problem: on data.
        geometry: how curvature is measured.
        what: "start" or "step".
        held: whether the model is held where it is, rather than polished until it is on a front.
    """
    m = problem.m
    if not held:
        measured = probing_passes(problem, max(1, m - 1), "validation") if problem.has_validation else 0.0
        return replace(
            _POLISHED,
            forward_passes=_POLISHED.forward_passes + measured,
            gradient_passes=_POLISHED.gradient_passes * m,
        )
    ways = min(m, len(problem.parameters()))
    passes = 1 + measuring_passes(problem, ways)
    if what == "start":
        passes += _PULLS * exchange_passes(problem, ways)
    else:
        passes += _ALIGNED * problem.share("validation" if problem.has_validation else "train")
    return Cost(passes, m, usual_products(problem, geometry, nearby=what == "step"))


def recorded(costs: Sequence[Cost], problem: Problem, geometry: Geometry) -> Estimate | None:
    """From what the latest steps have cost; None if there were none."""
    latest = costs[-_LATEST:]
    if not latest:
        return None
    typical = np.median([epochs(cost, problem, geometry) for cost in latest])
    return Estimate.of(float(np.median([cost.seconds for cost in latest])), float(typical))


def _gradient(batch: Composite, theta: Tensor, weights: Tensor) -> None:
    here = theta.detach().requires_grad_()
    with differentiated(batch, here):
        torch.autograd.grad(weights @ batch.losses(batch.outputs(here)), here)


def _timed(work: Callable[[], object], problem: Problem, theta: Tensor) -> float:
    """The seconds that it takes; the shorter of two times, as the first may be that of torch's first operations."""
    taken: list[float] = []
    while len(taken) < 2 and sum(taken) < _SHORT:
        problem.watch.checkpoint()
        began = _now(theta)
        work()
        taken.append(_now(theta) - began)
    return min(taken)


def _now(theta: Tensor) -> float:
    """The time when all that was asked of the device is done."""
    if theta.is_cuda:
        torch.cuda.synchronize(theta.device)
    return time.perf_counter()


def _time(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.2g} min" if minutes < 10 else f"{minutes:.0f} min"
