"""Along the tangent space: where a step goes before it is corrected."""

from paretonav.steering.stepping.predictors.base import Prediction, Predictor, at_hand
from paretonav.steering.stepping.predictors.objective_space import ObjectiveSpace
from paretonav.steering.stepping.predictors.published import PublishedProjection

__all__ = ["ObjectiveSpace", "Prediction", "Predictor", "PublishedProjection", "at_hand"]
