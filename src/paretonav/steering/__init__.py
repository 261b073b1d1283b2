"""From a preference to a new point: plan, predict, correct, report."""

from paretonav.steering.changes import Changes, Estimates
from paretonav.steering.point import Point, Preview, Step, StepStatus
from paretonav.steering.ppe import ppe
from paretonav.steering.preference import Direction, Improve, Preference
from paretonav.steering.trust import Trust

__all__ = [
    "Changes",
    "Direction",
    "Estimates",
    "Improve",
    "Point",
    "Preference",
    "Preview",
    "Step",
    "StepStatus",
    "Trust",
    "ppe",
]
