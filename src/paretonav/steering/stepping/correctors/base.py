"""What a corrector is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from paretonav.geometry import FrontModel, Geometry, Tangent
from paretonav.objectives import Losses, Problem
from paretonav.steering.planning.plan import Plan
from paretonav.steering.stepping.target import Target


@dataclass(frozen=True, eq=False)
class Guide:
    """The step that a correction belongs to: what it shall not give away.

    Attributes:
        tangent: at the point where the step began.
        front: the model of the front there.
        plan: where it was to go.
        target: the losses and metrics that it is to arrive at.
    """

    tangent: Tangent
    front: FrontModel
    plan: Plan
    target: Target


@dataclass(frozen=True, eq=False)
class Correction:
    """Where a corrector went.

    Attributes:
        theta: the parameters, [n].
        losses: there, on the training data; None where they were not measured.
        weights: the weights at which the point is taken to be optimal, [m].
        tangent: at theta, if the corrector has computed it.
        iterations: corrections made.
        converged: whether the corrector's own tolerance was reached.
        evaluated: training losses and Jacobian at theta, if they are known.
        gain_on_arrival: the joint gain before the first correction, if the corrector has measured it.
    """

    theta: Tensor
    losses: Losses | None
    weights: Tensor
    tangent: Tangent | None
    iterations: int
    converged: bool
    gain_on_arrival: float | None = None
    evaluated: tuple[Losses, Tensor] | None = None


class Corrector(Protocol):
    """Goes from near the front back to it."""

    def correct(
        self,
        problem: Problem,
        theta: Tensor,
        weights: Tensor,
        geometry: Geometry,
        guide: Guide | None = None,
    ) -> Correction:
        """Return to the front from ``theta``, expected at ``weights``; without a guide, to any point of it."""
