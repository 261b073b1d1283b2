"""The corrector that goes back to the front along its normal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from paretonav.geometry import Geometry, Tangent, tangent_at
from paretonav.objectives import Losses, Problem, Progress
from paretonav.steering.align import Target, align
from paretonav.steering.correctors.base import Correction, Guide


@dataclass(frozen=True)
class Newton:
    """Newton-Krylov steps that lower all objectives by the same amount, then meet the target again.

    At the new weights the tangent solve gives the Newton step to the front for one more right-hand side; with the
    weights refined as in ``tangent_at`` it moves the objectives along (1, ..., 1) only, so what the predictor
    has traded stays traded. What curvature bends away on the longer steps is put back by aligning with the target
    (forward passes). The tangent that is solved for last is the new point's own: it is not paid for again.

    Attributes:
        tolerance: stop when the joint gain is below this fraction of the mean absolute loss. None: 1e-2 for
            models on data, 1e-15 for functions.
        max_corrections: at most; None: 2 for models on data, 20 for functions.
        alignments: rounds after each correction.
    """

    tolerance: float | None = None
    max_corrections: int | None = None
    alignments: int = 2

    def correct(
        self,
        problem: Problem,
        theta: Tensor,
        weights: Tensor,
        geometry: Geometry,
        guide: Guide | None = None,
        progress: Progress | None = None,
    ) -> Correction:
        tolerance = self.tolerance if self.tolerance is not None else (1e-2 if problem.stochastic else 1e-15)
        limit = (
            self.max_corrections if self.max_corrections is not None else (2 if problem.stochastic else 20)
        )
        tangent = tangent_at(problem, theta, weights, geometry)
        for iteration in range(limit + 1):
            if progress is not None:
                progress("return to the front", iteration / max(limit, 1))
            scale = float(tangent.losses.mean.abs().mean())
            small = abs(tangent.joint_gain) <= tolerance * scale
            if (small and _on_target(tangent.losses, guide)) or iteration == limit:
                break
            moved = self._improve(problem, tangent, guide)
            if moved is None:
                break
            tangent = tangent_at(problem, moved, tangent.weights, geometry)
        return Correction(tangent.theta, tangent.losses, tangent.weights, tangent, iteration, small)

    def _improve(self, problem: Problem, tangent: Tangent, guide: Guide | None) -> Tensor | None:
        """One Newton step, halved until the weighted objectives do not rise; None if no length helps."""
        weights = tangent.weights
        before = float(weights @ problem.objectives(tangent.losses.mean, tangent.theta))
        noise = (
            1e-14 * max(1.0, abs(before))
            if tangent.theta.dtype == torch.float64
            else 1e-6 * max(1.0, abs(before))
        )
        share = 1.0
        for _ in range(6):
            theta = tangent.theta + share * tangent.normal_step
            if problem.bounds is not None:
                theta = problem.bounds.clamp(theta)
            losses = problem.evaluate(theta)
            after = float(weights @ problem.objectives(losses.mean, theta))
            if np.isfinite(after) and after <= before + noise:
                break
            share /= 2
        else:
            return None
        if guide is None:
            return theta
        return align(problem, tangent, theta, guide.target, self.alignments)[0]


def _on_target(losses: Losses, guide: Guide | None) -> bool:
    if guide is None:
        return True
    target: Target = guide.target
    return float(np.abs(losses.mean.numpy()[target.named] - target.losses).max()) <= target.tolerance
