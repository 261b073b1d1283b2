"""Steer a PyTorch model along its Pareto front."""

from paretonav import problems
from paretonav.errors import (
    InfeasiblePreferenceError,
    NavigationError,
    NonFiniteError,
    OutOfMemoryError,
    ParetonavError,
    PreferenceError,
    ProblemError,
    SessionError,
)
from paretonav.geometry import Geometry
from paretonav.navigation import Navigator
from paretonav.objectives import (
    Aggregate,
    Cost,
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
    Direction,
    Improve,
    Point,
    Preview,
    Step,
    StepStatus,
    correctors,
    ppe,
)

__all__ = [
    "Aggregate",
    "Cost",
    "Direction",
    "FunctionProblem",
    "Geometry",
    "Improve",
    "InfeasiblePreferenceError",
    "Metric",
    "ModelProblem",
    "NavigationError",
    "Navigator",
    "NonFiniteError",
    "OutOfMemoryError",
    "ParetonavError",
    "Penalty",
    "Point",
    "PreferenceError",
    "Preview",
    "Problem",
    "ProblemError",
    "Record",
    "Session",
    "SessionError",
    "Step",
    "StepStatus",
    "correctors",
    "group_gap",
    "l2",
    "ppe",
    "problems",
    "smooth_l1",
    "worst_group",
]
