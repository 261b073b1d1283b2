"""The model moved along the tangent, measured before any step is taken."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from paretonav.display import Display, Shown, changes_shown
from paretonav.geometry import Tangent
from paretonav.objectives import Problem
from paretonav.steering.changes import Changes
from paretonav.steering.measured import Measured, changes_between
from paretonav.steering.outcome import Outcome
from paretonav.steering.planning.plan import Plan
from paretonav.steering.reporting.point import DATA, Point


@dataclass(frozen=True, repr=False)
class Trial(Shown):
    """What the linearised model ``theta - V c`` of a plan does. It is no step: nothing was corrected, or kept.

    Attributes:
        changes: of losses and metrics, on validation data where there is any; on the others nothing is measured.
    """

    changes: Outcome[Changes]

    def _display(self) -> Display:
        shown = self.changes.shown
        title = f"Trial: the model moved along the tangent, measured on {DATA[self.changes.split]}"
        return changes_shown(title, {"change": shown}, shown.standard_errors)


def trial(problem: Problem, here: Point, tangent: Tangent, plan: Plan) -> Trial:
    """Measure the linearised model of a plan: one forward pass over the validation data (training without any)."""
    theta = tangent.point(torch.from_numpy(plan.coordinates))
    if problem.bounds is not None:
        theta = problem.bounds.clamp(theta)
    split = here.values.split
    found = problem.evaluate(theta, split)
    return Trial(changes_between(here.front.names, here.measured, Measured.on(split, found)))
