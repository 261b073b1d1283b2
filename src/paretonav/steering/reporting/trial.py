"""The model moved along the tangent, measured before any step is taken."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from paretonav.geometry import Tangent
from paretonav.objectives import Problem
from paretonav.steering.changes import Changes
from paretonav.steering.planning.plan import Plan
from paretonav.steering.reporting.point import Point


@dataclass(frozen=True)
class Trial:
    """What the linearised model ``theta - V c`` of a plan does. It is no step: nothing was corrected, or kept.

    Attributes:
        losses: name -> change of the loss, on validation data where there is any.
        metrics: name -> change of the metric.
    """

    losses: Changes
    metrics: Changes


def trial(problem: Problem, here: Point, tangent: Tangent, plan: Plan) -> Trial:
    """Measure the linearised model of a plan: one forward pass over the validation data (training without any)."""
    theta = tangent.point(torch.from_numpy(plan.coordinates))
    if problem.bounds is not None:
        theta = problem.bounds.clamp(theta)
    before = here.train if here.held_out is None else here.held_out
    after = problem.evaluate(theta, "train" if here.held_out is None else "validation")
    batches = len(after.fractions)
    return Trial(
        losses=Changes.of(here.front.names, *after.change_from(before), batches),
        metrics=Changes.of(here.front.metric_names, *after.metric_change_from(before), batches),
    )
