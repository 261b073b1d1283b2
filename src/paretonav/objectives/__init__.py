"""What is traded: the objectives, as functions of one flat parameter vector."""

from paretonav.objectives.aggregate import Aggregate, group_gap, worst_group
from paretonav.objectives.backward import backward
from paretonav.objectives.cost import Cost, Tally
from paretonav.objectives.differentiated import differentiated
from paretonav.objectives.function import FunctionProblem
from paretonav.objectives.linearised import Linearised
from paretonav.objectives.losses import Losses, Response
from paretonav.objectives.metric import Metric
from paretonav.objectives.model import Loss, ModelProblem
from paretonav.objectives.penalty import Penalty, l2, smooth_l1
from paretonav.objectives.problem import Bounds, Composite, Entry, Problem, Split
from paretonav.objectives.watch import Event, Watch

__all__ = [
    "Aggregate",
    "Bounds",
    "Composite",
    "Cost",
    "Entry",
    "Event",
    "FunctionProblem",
    "Linearised",
    "Loss",
    "Losses",
    "Metric",
    "ModelProblem",
    "Penalty",
    "Problem",
    "Response",
    "Split",
    "Tally",
    "Watch",
    "backward",
    "differentiated",
    "group_gap",
    "l2",
    "smooth_l1",
    "worst_group",
]
