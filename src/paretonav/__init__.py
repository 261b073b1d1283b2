"""Steer a PyTorch model along its Pareto front."""

from paretonav.errors import (
    InfeasiblePreferenceError,
    NavigationError,
    NonFiniteError,
    ParetonavError,
    PreferenceError,
    ProblemError,
)
from paretonav.objectives import Cost, FunctionProblem

__all__ = [
    "Cost",
    "FunctionProblem",
    "InfeasiblePreferenceError",
    "NavigationError",
    "NonFiniteError",
    "ParetonavError",
    "PreferenceError",
    "ProblemError",
]
