"""Descent along a combination of the objectives' gradients that a rule chooses anew at every point."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import paretonav as pn
from paretonav.errors import NonFiniteError
from paretonav.objectives import Composite
from paretonav.objectives.finite import finite_jacobian
from paretonav.steering.stepping.correctors.minibatch import batch_gradient, moved

Array = NDArray[np.float64]


class Rule(Protocol):
    """Chooses the combination that is descended: most methods of multi-objective descent see no more than this.

    A rule with a true attribute ``balances`` may raise some objectives to lower others.
    """

    def __call__(self, losses: Array, gramian: Array) -> Array:
        """The weights w [m] of the direction ``-J^T w``.

        Args:
            losses: [m], as they are shown.
            gramian: J J^T [m, m], of the objectives' gradients, weight decay included.
        """


@dataclass(frozen=True)
class Fixed:
    """The weighted sum: one backward pass where the other rules take m."""

    weights: Array

    def __call__(self, losses: Array, gramian: Array) -> Array:  # noqa: ARG002
        return self.weights


@dataclass(frozen=True)
class Run:
    """Where a descent has ended.

    Attributes:
        theta: the parameters, [n].
        seconds: that it took.
        epochs: passes over the data; iterations for a function.
        gradient_passes: passes over the data times backward passes for each batch.
    """

    theta: Tensor
    seconds: float
    epochs: float
    gradient_passes: float


def descend(
    problem: pn.Problem,
    theta: Tensor,
    rule: Rule,
    *,
    rate: float,
    seconds: float | None = None,
    epochs: float | None = None,
    batch_size: int = 256,
    seed: int = 1,
    anneal: bool = False,
) -> Run:
    """Follow a rule from ``theta`` for a time or a number of passes, whichever ends first.

    On models: Adam on minibatches. On functions: projected gradient descent, an iteration being an epoch: with
    backtracking from ``rate``, ending where no step lowers the weighted sum, or for rules that balance, which lower no
    sum, with steps that shrink. What is not finite ends a descent at the parameters before.

    Args:
        problem: what is descended; its own parameters are left alone.
        theta: where to start, [n].
        rule: what is descended.
        rate: the learning rate.
        seconds: at most; on models it stops within an epoch.
        epochs: at most.
        batch_size: of the minibatches.
        seed: of their order.
        anneal: a one-cycle learning rate over ``epochs``, as for training from scratch.
    """
    if seconds is None and epochs is None:
        raise ValueError("give seconds or epochs; a descent has no end of its own")
    if anneal and epochs is None:
        raise ValueError("a one-cycle learning rate needs epochs")
    began = time.perf_counter()
    before = problem.cost.gradient_passes
    end = math.inf if seconds is None else began + seconds
    limit = math.inf if epochs is None else epochs
    if problem.stochastic:
        steps = _minibatches(problem, theta, rule, rate, limit, batch_size, seed, anneal)
    else:
        steps = itertools.islice(
            _iterations(problem, theta, rule, rate), None if epochs is None else int(epochs)
        )
    done = 0.0
    for further, fraction in steps:
        theta, done = further, done + fraction
        if done >= limit - 1e-9 or time.perf_counter() > end:
            break
    spent = problem.cost.gradient_passes - before
    return Run(theta, time.perf_counter() - began, done, spent)


def _minibatches(
    problem: pn.Problem,
    theta: Tensor,
    rule: Rule,
    rate: float,
    epochs: float,
    batch_size: int,
    seed: int,
    anneal: bool,
) -> Iterator[tuple[Tensor, float]]:
    theta = theta.clone()
    optimizer = torch.optim.Adam([theta], lr=rate)
    generator = torch.Generator().manual_seed(seed)
    schedule = None
    if anneal:
        count = sum(1 for _ in problem.minibatches(batch_size, torch.Generator().manual_seed(seed)))
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, max_lr=rate, total_steps=math.ceil(epochs) * count
        )
    gradient = _gradient_of(problem, rule)
    before = theta.clone()
    while True:
        for batch in problem.minibatches(batch_size, generator):
            try:
                theta.grad = gradient(batch, theta)
            except NonFiniteError:
                yield before, 0.0
                return
            before = theta.detach().clone()
            optimizer.step()
            if schedule is not None:
                schedule.step()
            yield theta.detach().clone(), batch.fraction


def _gradient_of(problem: pn.Problem, rule: Rule) -> Callable[[Composite, Tensor], Tensor]:
    """Batch and parameters -> the combination of gradients, [n], weight decay included."""
    decay = problem.weight_decay

    if isinstance(rule, Fixed):
        weights = torch.from_numpy(rule.weights)

        def fixed(batch: Composite, theta: Tensor) -> Tensor:
            gradient = batch_gradient(problem, batch, theta, weights, "in a descent")
            return gradient.add_(theta, alpha=decay * float(weights.sum()))

        return fixed

    def chosen(batch: Composite, theta: Tensor) -> Tensor:
        theta = theta.detach().requires_grad_()
        losses = batch.losses(batch.outputs(theta))
        problem.require_finite(losses.detach(), "in a descent")
        rows = [
            torch.autograd.grad(loss, theta, retain_graph=True, materialize_grads=True)[0] for loss in losses
        ]
        problem.tally.count(gradient_passes=batch.fraction * problem.m)
        jacobian = torch.stack(rows).add_(theta.detach(), alpha=decay)
        return _weights(rule, losses, jacobian) @ jacobian

    return chosen


def _iterations(
    problem: pn.Problem, theta: Tensor, rule: Rule, rate: float
) -> Iterator[tuple[Tensor, float]]:
    bounds = problem.bounds
    length = rate
    for k in itertools.count():
        try:
            losses, combined = _combination(problem, theta, rule)
        except NonFiniteError:
            return
        weights, direction = combined(None)
        if bounds is not None:
            # What a bound holds does not count, and the rule is to know.
            stopped = ((theta <= bounds.lower) & (direction > 0)) | (
                (theta >= bounds.upper) & (direction < 0)
            )
            if stopped.any():
                weights, direction = combined(~stopped)
        if getattr(rule, "balances", False):
            shrunk = rate / math.sqrt(1 + k / 10) / max(1.0, float(direction.norm()))
            theta = moved(problem, theta, direction, shrunk)
        else:
            further = _backtracked(problem, theta, direction, weights, losses, length)
            if further is None:
                return
            theta, length = further[0], 2 * further[1]
        yield theta, 1.0


def _combination(
    problem: pn.Problem, theta: Tensor, rule: Rule
) -> tuple[Tensor, Callable[[Tensor | None], tuple[Tensor, Tensor]]]:
    """The losses, and what gives weights and direction with only some entries free (None: all).

    Raises:
        NonFiniteError: something is not.
    """
    if isinstance(rule, Fixed):
        losses, weights = problem.evaluate(theta).mean, torch.from_numpy(rule.weights)
        (whole,) = problem.curvature_sample()
        gradient = _gradient_of(problem, rule)(whole, theta)
        return losses, lambda free: (weights, gradient if free is None else gradient * free)
    evaluated, jacobian = finite_jacobian(problem, theta, "in a descent")

    def combined(free: Tensor | None) -> tuple[Tensor, Tensor]:
        rows = jacobian if free is None else jacobian * free
        weights = _weights(rule, evaluated.mean, rows)
        return weights, weights @ rows

    return evaluated.mean, combined


def _backtracked(
    problem: pn.Problem, theta: Tensor, direction: Tensor, weights: Tensor, losses: Tensor, length: float
) -> tuple[Tensor, float] | None:
    """The point where the weighted sum has fallen enough (Armijo), and the step's length; None if there is none."""
    value, slope = float(weights.double() @ losses), float(direction @ direction)
    for _ in range(40):
        trial = moved(problem, theta, direction, length)
        after = float(weights.double() @ problem.evaluate(trial).mean)
        if after <= value - 1e-4 * length * slope and slope > 0:
            return trial, length
        length /= 2
    return None


def _weights(rule: Rule, losses: Tensor, jacobian: Tensor) -> Tensor:
    gramian = (jacobian @ jacobian.T).double().cpu().numpy()
    return torch.from_numpy(rule(losses.detach().double().cpu().numpy(), gramian)).to(jacobian)


def positive(ray: Array) -> Array:
    """A ray that losses can be proportional to.

    Raises:
        ValueError: it has an entry that is not positive.
    """
    if not (ray > 0).all():
        raise ValueError(f"a ray must be positive, not {ray}")
    return ray


def root(gramian: Array) -> Array:
    """R [m, m] with ``R R^T = gramian``: gradients as short as can be that have it."""
    eigenvalues, vectors = np.linalg.eigh(0.5 * (gramian + gramian.T))
    return np.asarray(vectors * np.sqrt(np.maximum(eigenvalues, 0.0)))
