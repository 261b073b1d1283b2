"""From a preference to a new point: plan, predict, correct, report."""

from paretonav.steering.changes import Changes
from paretonav.steering.point import Point, Preview, Step, StepStatus
from paretonav.steering.ppe import ppe
from paretonav.steering.preference import Direction, Improve, Preference

__all__ = [
    "Changes",
    "Direction",
    "Improve",
    "Point",
    "Preference",
    "Preview",
    "Step",
    "StepStatus",
    "ppe",
]
