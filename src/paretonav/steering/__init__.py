"""From a preference to a new point: plan, predict, correct, report."""

from paretonav.steering.changes import Changes, Estimates
from paretonav.steering.outcome import Outcome
from paretonav.steering.planning.options import Option
from paretonav.steering.preferences import Aim, Classify, Direction, Improve, Prefer, Preference, Situation
from paretonav.steering.reporting.estimate import Estimate
from paretonav.steering.reporting.point import Point, Preview, Step, StepStatus
from paretonav.steering.reporting.training_gain import TrainingGain
from paretonav.steering.reporting.trial import Trial
from paretonav.steering.stepping.ppe import ppe
from paretonav.steering.stepping.train_on import TrainOn
from paretonav.steering.stepping.trust import Trust

__all__ = [
    "Aim",
    "Changes",
    "Classify",
    "Direction",
    "Estimate",
    "Estimates",
    "Improve",
    "Option",
    "Outcome",
    "Point",
    "Prefer",
    "Preference",
    "Preview",
    "Situation",
    "Step",
    "StepStatus",
    "TrainOn",
    "TrainingGain",
    "Trial",
    "Trust",
    "ppe",
]
