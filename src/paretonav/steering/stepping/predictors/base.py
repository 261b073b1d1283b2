"""What a predictor is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from paretonav.geometry import FrontModel, Tangent
from paretonav.objectives import Losses, Problem
from paretonav.steering.planning.plan import Plan
from paretonav.steering.preferences import On, Wish


@dataclass(frozen=True, eq=False)
class Prediction:
    """Where a predictor went.

    Attributes:
        theta: the parameters, [n].
        losses: there, on the data on which they are asked for.
        share: the part of the plan that was taken: 1, or less after backtracking; 0 if no length was acceptable.
        tries: how many lengths were tried.
    """

    theta: Tensor
    losses: Losses
    share: float
    tries: int


class Predictor(Protocol):
    """Chooses tangent coordinates for a wish, and goes there."""

    @property
    def on(self) -> On | None:
        """The data whose losses it steers by, "train" or "validation"; None where it takes either."""

    @property
    def promises(self) -> bool:
        """Whether what it predicts is a promise, so that a leg which does not keep it is taken back."""

    def plan(self, front: FrontModel, tangent: Callable[[], Tangent], wish: Wish, amount: float) -> Plan:
        """Decide; no pass over data. Raises InfeasiblePreferenceError if the wish cannot be met.

        ``tangent`` gives that at the point; where it is not kept, asking for it is a solve.
        """

    def reach(self, front: FrontModel, tangent: Callable[[], Tangent], wish: Wish) -> float:
        """The largest amount that ``plan`` accepts."""

    def predict(self, problem: Problem, front: FrontModel, tangent: Tangent, plan: Plan) -> Prediction:
        """Go along the tangent space, as far as the improved objectives do fall."""


def at_hand(tangent: Tangent) -> Callable[[], Tangent]:
    """A tangent that has been solved for, as predictors take it."""
    return lambda: tangent
