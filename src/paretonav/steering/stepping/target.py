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

_SMALL_LOSS = 1e-4  # of the largest change asked of a loss
_SMALL_METRIC = 1e-2  # most are rates


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
        wish = plan.wish
        changes = wish.changes(plan.amount)
        values = front.values[wish.named]
        losses = wish.named < front.m
        scale = np.zeros(len(changes))
        for kind in (losses, ~losses):
            # The kind's largest change may be in other units than a quantity that is held or asked for little. What is
            # next to nothing is held by the plan alone, as no step would keep it to a part of that.
            largest = np.abs(changes[kind]).max(initial=0.0) or np.inf
            least = _SMALL_LOSS * largest if kind is losses else _SMALL_METRIC * plan.amount
            by_amount = np.maximum(
                plan.amount * np.abs(values[kind]), least if np.isfinite(least) else plan.amount
            )
            scale[kind] = np.maximum(np.abs(changes[kind]), np.minimum(largest, by_amount))
        eps = torch.finfo(problem.parameters().dtype).eps
        tolerance = np.maximum(precision * scale, 4 * eps * np.abs(values))
        # A metric moves by leaps of one example.
        tolerance[~losses] = np.maximum(tolerance[~losses], 0.05 * scale[~losses])
        slopes = front.slopes(plan.coordinates)
        return cls(wish.named, values + changes, tolerance, scale, -slopes[wish.named], front.asked)

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
        added = limits.which[which]
        moved = np.abs(plan.changes[added])
        scale = np.maximum(moved, 1e-3 * np.abs(front.values[added]))
        scale = np.maximum(scale, 1e-12 * np.abs(front.values).max())
        # As precise as the targets are, relative to the changes.
        relative = (self.tolerance / self.scale).max(initial=1e-6)
        tolerance = np.where(added < front.m, relative, np.maximum(relative, 0.05)) * scale
        response = -front.slopes(plan.coordinates)[added]
        return Target(
            np.concatenate([self.named, added]),
            np.concatenate([self.values, limits.worst[which] - limits.sense[which] * tolerance]),
            np.concatenate([self.tolerance, tolerance]),
            np.concatenate([self.scale, scale]),
            np.concatenate([self.response, response]),
            self.split,
        )

    def and_promised(self, which: NDArray[np.intp], plan: Plan, front: FrontModel) -> Target:
        """The same with the predicted changes of some unnamed quantities as targets, too.

        Args:
            which: their indices.
            plan: its predictions are the promise.
            front: at the start of the plan.
        """
        relative = (self.tolerance / self.scale).max(initial=1e-6)
        sizes = front.sizes_of(front.asked_losses)
        largest = np.abs(plan.changes[: front.m] / sizes).max(initial=0.0)
        scale = np.maximum(np.abs(plan.changes[which]), largest * sizes[which])
        return Target(
            np.concatenate([self.named, which]),
            np.concatenate([self.values, (front.values + plan.changes)[which]]),
            np.concatenate([self.tolerance, relative * scale]),
            np.concatenate([self.scale, scale]),
            np.concatenate([self.response, -front.slopes(plan.coordinates)[which]]),
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
