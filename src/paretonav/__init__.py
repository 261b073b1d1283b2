"""Steer a PyTorch model along its Pareto front."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from paretonav.atlas import Cover, FrontMap, Route, Unreached
from paretonav.cockpit import Cockpit
from paretonav.errors import (
    Cancelled,
    InfeasiblePreferenceError,
    MissingExtraError,
    NavigationError,
    NonFiniteError,
    OutOfMemoryError,
    ParetonavError,
    PreferenceError,
    ProblemError,
    ProcessesError,
    ReachedError,
    SessionError,
)
from paretonav.geometry import Geometry
from paretonav.navigation import Checkup, Finding, Navigator, News, Processes, checkup
from paretonav.objectives import (
    Aggregate,
    Cost,
    Event,
    FunctionProblem,
    Metric,
    ModelProblem,
    Penalty,
    Problem,
    group_gap,
    l2,
    smooth_l1,
    worst_group,
)
from paretonav.session import Record, Session
from paretonav.steering import (
    Aim,
    Classify,
    Direction,
    Estimate,
    Improve,
    Option,
    Point,
    Prefer,
    Preview,
    Step,
    StepStatus,
    TrainingGain,
    TrainOn,
    Trial,
    ppe,
)
from paretonav.steering.stepping import correctors, predictors
from paretonav.trainers import from_accelerate, from_lightning, from_trainer

if TYPE_CHECKING:
    from paretonav import loggers, plotting, problems

    __version__: str

__all__ = [
    "Aggregate",
    "Aim",
    "Cancelled",
    "Checkup",
    "Classify",
    "Cockpit",
    "Cost",
    "Cover",
    "Direction",
    "Estimate",
    "Event",
    "Finding",
    "FrontMap",
    "FunctionProblem",
    "Geometry",
    "Improve",
    "InfeasiblePreferenceError",
    "Metric",
    "MissingExtraError",
    "ModelProblem",
    "NavigationError",
    "Navigator",
    "News",
    "NonFiniteError",
    "Option",
    "OutOfMemoryError",
    "ParetonavError",
    "Penalty",
    "Point",
    "Prefer",
    "PreferenceError",
    "Preview",
    "Problem",
    "ProblemError",
    "Processes",
    "ProcessesError",
    "ReachedError",
    "Record",
    "Route",
    "Session",
    "SessionError",
    "Step",
    "StepStatus",
    "TrainOn",
    "TrainingGain",
    "Trial",
    "Unreached",
    "checkup",
    "correctors",
    "from_accelerate",
    "from_lightning",
    "from_trainer",
    "group_gap",
    "l2",
    "loggers",
    "plotting",
    "ppe",
    "predictors",
    "problems",
    "smooth_l1",
    "worst_group",
]


def __getattr__(name: str) -> Any:
    """What not every program needs is imported when it is asked for."""
    if name in ("loggers", "plotting", "problems"):
        return import_module(f"paretonav.{name}")
    if name == "__version__":  # pyproject.toml is the only place that says it
        from importlib.metadata import version

        return version("paretonav")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
