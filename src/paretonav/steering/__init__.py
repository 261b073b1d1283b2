"""From a preference to a new point: plan, predict, correct, report."""

from paretonav.steering.changes import Changes, Estimates
from paretonav.steering.point import Point, Preview, Step, StepStatus
from paretonav.steering.ppe import ppe
from paretonav.steering.preferences import Aim, Classify, Compare, Direction, Improve, Preference, Situation
from paretonav.steering.trust import Trust

__all__ = [
    "Aim",
    "Changes",
    "Classify",
    "Compare",
    "Direction",
    "Estimates",
    "Improve",
    "Point",
    "Preference",
    "Preview",
    "Situation",
    "Step",
    "StepStatus",
    "Trust",
    "ppe",
]
