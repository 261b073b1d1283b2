"""Steer a PyTorch model along its Pareto front."""

from paretonav import problems
from paretonav.errors import (
    InfeasiblePreferenceError,
    NavigationError,
    NonFiniteError,
    ParetonavError,
    PreferenceError,
    ProblemError,
)
from paretonav.geometry import Geometry
from paretonav.objectives import Cost, FunctionProblem, ModelProblem, Problem
from paretonav.steering import (
    Direction,
    Improve,
    Navigator,
    Point,
    Preview,
    Step,
    StepStatus,
    ppe,
)

__all__ = [
    "Cost",
    "Direction",
    "FunctionProblem",
    "Geometry",
    "Improve",
    "InfeasiblePreferenceError",
    "ModelProblem",
    "NavigationError",
    "Navigator",
    "NonFiniteError",
    "ParetonavError",
    "Point",
    "PreferenceError",
    "Preview",
    "Problem",
    "ProblemError",
    "Step",
    "StepStatus",
    "ppe",
    "problems",
]
