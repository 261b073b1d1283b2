"""Where in objective space a step is to arrive."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from paretonav.geometry import FrontModel, Tangent
from paretonav.objectives import Losses, Problem
from paretonav.objectives.problem import Split
from paretonav.steering.planning.plan import Plan
from paretonav.steering.preferences import Wish

Array = NDArray[np.float64]

# How precisely targets are met. All chosen, not measured: finer takes more rounds of alignment, one forward pass each,
# coarser leaves more of what was asked undone.
_SMALL_LOSS = 1e-4  # of the largest change asked of a loss: what is to change by less is next to nothing
_SMALL_METRIC = 1e-2  # of the amount, likewise, as most metrics are rates and so at most 1
_ROUNDING = 4  # units in the last place, by which no step can come nearer
_LEAP = 0.05  # of a metric's whole change: it moves by leaps of one example
_STILL = 1e-3  # of its value: a bound on what hardly moves is kept to a part of that
_NOTHING = 1e-12  # of the largest value: so that nothing is kept to a part of zero
_FINEST = 1e-6  # of a whole change: what a function's targets are met to, where there is none to say


@dataclass(frozen=True, eq=False)
class Limits:
    """Values that a step must not pass.

    Attributes:
        which: indices of the quantities, objectives first.
        worst: the worst value of each that is still acceptable.
        sense: 1 where lower is better, -1 where higher is.
    """

    which: NDArray[np.intp]
    worst: Array
    sense: Array

    @classmethod
    def of(cls, wish: Wish, front: FrontModel) -> Limits:
        """Those of a wish at the point of ``front``."""
        which = wish.limited
        sense = wish.orientation[which]
        return cls(which, front.values[which] + sense * wish.room[which], sense)

    def rooms(self, front: FrontModel) -> Array:
        """[q], by how much each quantity may get worse than at the point of ``front``; infinite without a limit."""
        room = np.full(len(front.values), np.inf)
        room[self.which] = np.maximum(0.0, self.sense * (self.worst - front.values[self.which]))
        return room

    def beyond(self, problem: Problem, theta: Tensor, split: Split, losses: Losses | None = None) -> Array:
        """By how much each is passed at theta; negative inside.

        Args:
            problem: what is steered.
            theta: where, [n].
            split: on which the losses are asked for.
            losses: there, if they are known.
        """
        if not len(self.which):
            return np.zeros(0)
        excess = self.sense * (measured(problem, theta, split, self.which, losses) - self.worst)
        return np.where(
            excess <= 4 * np.finfo(float).eps * np.abs(self.worst), np.minimum(excess, 0.0), excess
        )


def measured(
    problem: Problem, theta: Tensor, split: Split, which: NDArray[np.intp], losses: Losses | None = None
) -> Array:
    """The values of some quantities at theta: losses as they are asked for, and metrics as they are shown.

    Args:
        problem: what is steered; its metrics are measured if one of them is meant.
        theta: where, [n].
        split: on which losses are asked for.
        which: indices, objectives first.
        losses: on that split there, if they are known.
    """
    losses = problem.evaluate(theta, split) if losses is None else losses
    values = losses.mean.numpy()
    if (which >= problem.m).any():
        apart = split == "train" and problem.has_validation
        shown = problem.evaluate(theta, "validation") if apart else losses
        values = np.concatenate([values, [shown.metrics[name] for name in problem.metric_names]])
    return np.asarray(values[which])


@dataclass(frozen=True, eq=False)
class Target:
    """Values of the named losses and metrics to arrive at.

    Attributes:
        named: indices of the quantities with a target, objectives first.
        values: theirs.
        tolerance: of each, the error that does not matter.
        scale: of each, the change that counts as a whole one: what was asked of it, or if that is more, the amount's
            part of its value, but no more than the largest change of its kind.
        response: [named, k], of these quantities where the plan leads to, in the coordinates of the tangent that the
            step started with.
        split: the data on which losses are asked for.
    """

    named: NDArray[np.intp]
    values: Array
    tolerance: Array
    scale: Array
    response: Array
    split: Split

    @classmethod
    def of(cls, plan: Plan, front: FrontModel, problem: Problem, precision: float) -> Target:
        """The target of a plan that starts at the point of ``front``.

        Args:
            plan: its wish and amount say what is to change.
            front: at the start.
            problem: what is steered.
            precision: the error that does not matter, in parts of the scale.
        """
        named, changes = plan.wish.named, plan.wish.changes(plan.amount)
        values, is_loss = front.values[named], named < front.m
        scale = np.zeros(len(changes))
        largest = float(np.abs(changes[is_loss]).max(initial=0.0))
        for kind, least in (
            (is_loss, _SMALL_LOSS * largest if largest else plan.amount),
            (~is_loss, _SMALL_METRIC * plan.amount),
        ):
            scale[kind] = _whole_changes(changes[kind], values[kind], plan.amount, least)
        eps = torch.finfo(problem.parameters().dtype).eps
        tolerance = np.maximum(precision * scale, _ROUNDING * eps * np.abs(values))
        tolerance[~is_loss] = np.maximum(tolerance[~is_loss], _LEAP * scale[~is_loss])
        response = -front.slopes(plan.coordinates)[named]
        return cls(named, values + changes, tolerance, scale, response, front.asked)

    def along(self, tangent: Tangent) -> Target:
        """The same in the coordinates of a tangent nearer to it; only the training losses' response is known there."""
        return replace(self, response=tangent.response.numpy()[self.named])

    def and_bounds(self, limits: Limits, which: NDArray[np.intp], plan: Plan, front: FrontModel) -> Target:
        """The same with some of the limits as targets, each to be kept from the inside.

        Args:
            limits: the bounds.
            which: the places in them that are meant.
            plan: its predicted changes say how precisely.
            front: at the start of the plan.
        """
        added, sense = limits.which[which], limits.sense[which]
        moved = np.abs(plan.changes[added])
        scale = np.maximum(moved, _STILL * np.abs(front.values[added]))
        scale = np.maximum(scale, _NOTHING * np.abs(front.values).max())
        tolerance = np.where(added < front.m, self.precision, np.maximum(self.precision, _LEAP)) * scale
        return self._and(
            added, limits.worst[which] - sense * tolerance, tolerance, scale, -front.slopes(plan.coordinates)
        )

    def and_promised(self, which: NDArray[np.intp], plan: Plan, front: FrontModel) -> Target:
        """The same with the predicted changes of some unnamed quantities as targets, too.

        Args:
            which: their indices.
            plan: its predictions are the promise.
            front: at the start of the plan.
        """
        sizes = front.sizes_of(front.asked_losses)
        largest = np.abs(plan.changes[: front.m] / sizes).max(initial=0.0)
        scale = np.maximum(np.abs(plan.changes[which]), largest * sizes[which])
        return self._and(
            which,
            (front.values + plan.changes)[which],
            self.precision * scale,
            scale,
            -front.slopes(plan.coordinates),
        )

    @property
    def precision(self) -> float:
        """The largest error that does not matter, in parts of the scale."""
        return float((self.tolerance / self.scale).max(initial=_FINEST))

    def _and(
        self, added: NDArray[np.intp], values: Array, tolerance: Array, scale: Array, response: Array
    ) -> Target:
        """The same with more quantities; ``response`` is that of all, [q, k]."""
        return Target(
            np.concatenate([self.named, added]),
            np.concatenate([self.values, values]),
            np.concatenate([self.tolerance, tolerance]),
            np.concatenate([self.scale, scale]),
            np.concatenate([self.response, response[added]]),
            self.split,
        )

    def excess(self, problem: Problem, theta: Tensor, losses: Losses | None = None) -> Array:
        """How far the named quantities are above their targets.

        Args:
            problem: what is steered; its metrics are measured if one of them is named.
            theta: where, [n].
            losses: there, on the data on which they are asked for, if they are known.
        """
        return np.asarray(measured(problem, theta, self.split, self.named, losses) - self.values)

    def met(self, excess: Array) -> bool:
        """Whether no error is left that matters."""
        return bool((np.abs(excess) <= self.tolerance).all())

    def trains(self, problem: Problem) -> bool:
        """Whether only training losses are named, whose response is known wherever there is a tangent."""
        return self.split == "train" and not bool((self.named >= problem.m).any())


def _whole_changes(changes: Array, values: Array, amount: float, least: float) -> Array:
    """The change of each quantity of one kind that counts as a whole one (``Target.scale``).

    What is held, or asked for little, is to be met as precisely as the amount's part of its value is large, but no
    less precisely than the largest change of its kind. A value next to nothing counts as the ``least``: no step would
    keep it to a part of its own size, so it is held by the plan alone.

    Args:
        changes: that are asked of them.
        values: theirs.
        amount: of the wish.
        least: below which there is no whole change but one that was asked for.
    """
    largest = np.abs(changes).max(initial=0.0) or np.inf
    by_amount = np.maximum(amount * np.abs(values), least)
    return np.asarray(np.maximum(np.abs(changes), np.minimum(largest, by_amount)))
