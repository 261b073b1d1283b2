"""How a problem is steered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from paretonav.geometry import Geometry
from paretonav.objectives import Problem
from paretonav.steering.stepping.correctors import MGDA, Corrector, Newton, Stay
from paretonav.steering.stepping.predictors import ObjectiveSpace, Predictor
from paretonav.steering.stepping.trust import first_geometry


@dataclass(frozen=True)
class Method:
    """What a navigator is configured with.

    Attributes:
        predictor: along the tangent space.
        corrector: back to the front.
        approach: what brings a starting point near the front; None where nothing has to.
        geometry: how curvature is measured at first.
        adapts: whether that, and the length of legs, follow what predictions are worth.
        holds: whether the model is held where it is (``anchored_tangent``), rather than led to a front.
    """

    predictor: Predictor
    corrector: Corrector
    approach: Corrector | None = None
    geometry: Geometry = field(default_factory=Geometry)
    adapts: bool = False
    holds: bool = False

    @classmethod
    def of(
        cls,
        problem: Problem,
        predictor: Predictor | None = None,
        corrector: Corrector | None = None,
        approach: Corrector | None = None,
        geometry: Geometry | None = None,
    ) -> Self:
        """With what suits the problem in the place of what is not given.

        A model that comes trained is held where it is, unless somebody says how to lead it to the front.
        """
        predictor = predictor or ObjectiveSpace()
        holds = problem.comes_trained and corrector is None and approach is None and predictor.promises
        return cls(
            predictor=predictor,
            corrector=corrector or (Stay() if holds else Newton()),
            approach=approach or (None if problem.stochastic else MGDA(normalized=True)),
            geometry=geometry or first_geometry(problem),
            adapts=geometry is None and problem.stochastic,
            holds=holds,
        )
