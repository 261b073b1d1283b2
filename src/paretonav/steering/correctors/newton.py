"""The corrector that goes back to the front along its normal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from paretonav.geometry import Geometry, Tangent, tangent_at
from paretonav.objectives import Problem, Progress
from paretonav.steering.align import align
from paretonav.steering.correctors.base import Correction, Guide
from paretonav.steering.finite import finite_jacobian


@dataclass(frozen=True)
class Newton:
    """Newton-Krylov steps that lower all objectives by the same amount, then meet the target again.

    At the new weights the tangent solve gives the Newton step to the front for one more right-hand side; with the
    weights refined as in ``tangent_at`` it moves the objectives along (1, ..., 1) only, so what the predictor
    has traded stays traded. What curvature bends away on the longer steps is put back by aligning with the target
    (forward passes). The tangent that is solved for last is the new point's own: it is not paid for again.

    Attributes:
        tolerance: stop when the joint gain is below this fraction of the mean absolute loss. None: 1e-2 for
            models on data, 1e-15 for functions (1e-12 in single precision).
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
        tolerance, limit = self.tolerance, self.max_corrections
        if tolerance is None:
            double = theta.dtype == torch.float64
            tolerance = 1e-2 if problem.stochastic else (1e-15 if double else 1e-12)
        if limit is None:
            limit = 2 if problem.stochastic else 20
        tangent = _tangent(problem, theta, weights, geometry, None if guide is None else guide.tangent)
        arrival = tangent.joint_gain
        for iteration in range(limit + 1):
            if progress is not None:
                progress("return to the front", iteration / max(limit, 1))
            scale = float(tangent.losses.mean.abs().mean())
            small = abs(tangent.joint_gain) <= tolerance * scale
            on_target = guide is None or _on_target(problem, tangent, guide)
            if (small and on_target) or iteration == limit:
                break
            moved = self._improve(problem, tangent, guide)
            if moved is None:
                break
            tangent = _tangent(problem, moved, tangent.weights, geometry, tangent)
        return Correction(
            tangent.theta, tangent.losses, tangent.weights, tangent, iteration, small, gain_on_arrival=arrival
        )

    def _improve(self, problem: Problem, tangent: Tangent, guide: Guide | None) -> Tensor | None:
        """One Newton step, halved until the weighted objectives do not rise; None if no length helps."""
        weights = tangent.weights
        before = float(weights @ problem.objectives(tangent.losses.mean, tangent.theta))
        noise = 16 * torch.finfo(tangent.theta.dtype).eps * max(1.0, abs(before))
        share = 1.0
        for _ in range(6):
            unbounded = tangent.theta + share * tangent.normal_step
            theta = unbounded if problem.bounds is None else problem.bounds.clamp(unbounded)
            losses = problem.evaluate(theta)
            after = float(weights @ problem.objectives(losses.mean, theta))
            if np.isfinite(after) and after <= before + noise:
                break
            share /= 2
        else:
            return None
        # Where a bound stopped a parameter, aligning with a tangent that does not know it would move it off again.
        if guide is None or not torch.equal(theta, unbounded):
            return theta
        # The response of metrics is known along the tangent that the step started with only.
        known = guide.tangent if guide.target.has_metrics(problem) else tangent
        return align(problem, known, theta, guide.target, self.alignments, losses)[0]


def _on_target(problem: Problem, tangent: Tangent, guide: Guide) -> bool:
    return guide.target.met(guide.target.excess(problem, tangent.theta, tangent.losses))


def _tangent(
    problem: Problem, theta: Tensor, weights: Tensor, geometry: Geometry, nearby: Tangent | None
) -> Tangent:
    evaluated = finite_jacobian(problem, theta, "on the way back to the front")
    return tangent_at(problem, theta, weights, geometry, evaluated=evaluated, nearby=nearby)
