"""A predictor whose steps never come true."""

from __future__ import annotations

from typing import Any

import torch

from paretonav.steering.stepping.predictors import ObjectiveSpace, Prediction


class Misled(ObjectiveSpace):
    """Goes the wrong way and says that it arrived."""

    def predict(self, problem: Any, front: Any, tangent: Any, plan: Any) -> Prediction:
        theta = tangent.point(-torch.from_numpy(plan.coordinates))
        return Prediction(theta, problem.evaluate(theta, front.asked), 1.0, 1)
