"""From a preference to a new point: plan, predict, correct, report."""

from paretonav.steering.changes import Changes, Estimates
from paretonav.steering.estimate import Estimate
from paretonav.steering.explain import explain
from paretonav.steering.options import Option
from paretonav.steering.point import Point, Preview, Step, StepStatus
from paretonav.steering.ppe import ppe
from paretonav.steering.preferences import Aim, Classify, Compare, Direction, Improve, Preference, Situation
from paretonav.steering.train_on import TrainOn
from paretonav.steering.training_gain import TrainingGain
from paretonav.steering.trial import Trial
from paretonav.steering.trust import Trust

__all__ = [
    "Aim",
    "Changes",
    "Classify",
    "Compare",
    "Direction",
    "Estimate",
    "Estimates",
    "Improve",
    "Option",
    "Point",
    "Preference",
    "Preview",
    "Situation",
    "Step",
    "StepStatus",
    "TrainOn",
    "TrainingGain",
    "Trial",
    "Trust",
    "explain",
    "ppe",
]
