"""What is traded: the objectives, as functions of one flat parameter vector."""

from paretonav.objectives.function import FunctionProblem
from paretonav.objectives.model import ModelProblem
from paretonav.objectives.problem import Bounds, Composite, Cost, Losses, Problem, Progress, Split

__all__ = [
    "Bounds",
    "Composite",
    "Cost",
    "FunctionProblem",
    "Losses",
    "ModelProblem",
    "Problem",
    "Progress",
    "Split",
]
