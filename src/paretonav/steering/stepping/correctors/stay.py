"""The corrector of a model that is held where it is: there is no front to go back to."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from paretonav.geometry import Geometry
from paretonav.objectives import Problem
from paretonav.steering.stepping.correctors.base import Correction, Guide


@dataclass(frozen=True)
class Stay:
    """Leaves a model where the predictor has brought it.

    Around a model that is no optimum of its training losses (``anchored_tangent``) the predicted point is where the
    step ends: its outcome has been aligned with what was asked, and the next tangent is anchored there. A step towards
    an optimum of the training losses would be training on, which nobody has asked for.
    """

    def correct(
        self,
        problem: Problem,
        theta: Tensor,
        weights: Tensor,  # noqa: ARG002 - the model keeps those it was trained with
        geometry: Geometry,  # noqa: ARG002 - nothing is measured
        guide: Guide | None = None,  # noqa: ARG002 - nothing is moved
    ) -> Correction:
        return Correction(theta, None, problem.training_weights, None, 0, converged=True)
