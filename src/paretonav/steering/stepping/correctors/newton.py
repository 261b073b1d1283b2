"""The corrector that goes back to the front along its normal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from paretonav.geometry import Geometry, Tangent, active_set, box_newton_step, tangent_at
from paretonav.objectives import Problem
from paretonav.objectives.finite import finite_jacobian
from paretonav.steering.stepping.align import align
from paretonav.steering.stepping.correctors.base import Correction, Guide

_ARRIVAL = 0.7  # of a correction's time, for its events: often the tangent on arrival says that nothing is left to do


@dataclass(frozen=True, kw_only=True)
class Newton:
    """Newton-Krylov steps that lower all objectives by the same amount, then meet the target again.

    At the new weights the tangent solve gives the Newton step to the front for one more right-hand side; with the
    weights refined as in ``tangent_at`` it moves the objectives along (1, ..., 1) only, so what the predictor
    has traded stays traded. What curvature bends away on the longer steps is put back by aligning with the target
    (forward passes). The tangent that is solved for last is the new point's own: it is not paid for again.

    Inside a box, a step that a bound would cut short, or whose weights fix other parameters than those that it was
    solved for, is replaced by the Newton step of the weighted sum within the bounds (``box_newton_step``).

    Attributes:
        tolerance: stop when the joint gain is below this fraction of the mean absolute loss. None: 1e-2 for
            models on data, 1e-15 for functions (1e-12 in single precision), and for functions ``|J^T alpha|`` below
            1e-8 of the longest gradient besides (1e-5 in single precision).
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
    ) -> Correction:
        limit = self.max_corrections
        if limit is None:
            limit = 2 if problem.stochastic else 20
        watch = problem.watch
        with watch.part(_ARRIVAL):
            tangent = _tangent(problem, theta, weights, geometry, None if guide is None else guide.tangent)
        arrival = tangent.joint_gain
        for iteration in range(limit + 1):
            settled, small = self._state(problem, tangent)
            on_target = guide is None or _on_target(problem, tangent, guide)
            if (small and on_target) or iteration == limit:
                break
            # Weights that follow the point bend its way; after two corrections without a target they have no need to.
            if settled and (guide is not None or iteration < 2 or not _convex(tangent)):
                weights = tangent.weights
            # Whether this is the last one is not known, so it counts for half of what is left.
            left = (1 - _ARRIVAL) * 0.5**iteration
            with watch.part(1 - 0.9 * left):
                moved = self._improve(problem, tangent, weights, geometry, guide, settled)
            if moved is None:
                break
            with watch.part(1 - 0.5 * left):
                tangent = _tangent(problem, moved, weights, geometry, tangent)
        return Correction(
            tangent.theta, tangent.losses, tangent.weights, tangent, iteration, small, gain_on_arrival=arrival
        )

    def _state(self, problem: Problem, tangent: Tangent) -> tuple[bool, bool]:
        """Whether the tangent's weights fix the parameters that it was solved for, and whether it is critical."""
        double = tangent.theta.dtype == torch.float64
        tolerance = self.tolerance
        if tolerance is None:
            tolerance = 1e-2 if problem.stochastic else (1e-15 if double else 1e-12)
        small = abs(tangent.joint_gain) <= tolerance * float(tangent.losses.mean.abs().mean())
        gradient = (
            tangent.weights.to(tangent.jacobian) @ tangent.jacobian + tangent.weight_decay * tangent.theta
        )
        free = active_set(problem, tangent.theta, tangent.jacobian, tangent.weights)
        if free is not None:
            gradient = gradient * free
        if self.tolerance is None and not problem.stochastic:
            longest = float(tangent.jacobian.norm(dim=1).max())
            small = small and float(gradient.norm()) <= (1e-8 if double else 1e-5) * longest
        return free is None or tangent.free is None or torch.equal(free, tangent.free), small

    def _improve(
        self,
        problem: Problem,
        tangent: Tangent,
        weights: Tensor,
        geometry: Geometry,
        guide: Guide | None,
        settled: bool,
    ) -> Tensor | None:
        """One Newton step, halved until the weighted objectives do not rise; None if no length helps."""
        bounds = problem.bounds
        change = tangent.weight_basis.T @ (weights - tangent.weights)
        step = (
            tangent.normal_step - change.to(tangent.basis) @ tangent.basis
        )  # the Newton step at ``weights``
        target = tangent.theta + step
        within = bounds is None or (settled and torch.equal(target, bounds.clamp(target)))
        if not within:
            step = box_newton_step(problem, tangent, weights, geometry)
        objectives = problem.objectives(tangent.losses.steered, tangent.theta)
        before = float(weights @ objectives)
        size, eps = float(weights @ objectives.abs()), torch.finfo(tangent.theta.dtype).eps
        noise, share = 16 * eps * size, 1.0
        for _ in range(6):
            theta = tangent.theta + share * step
            if bounds is not None:
                theta = bounds.clamp(theta)  # rounding
            losses = problem.evaluate(theta)
            after = float(weights @ problem.objectives(losses.steered, theta))
            if np.isfinite(after) and after <= before + noise:
                break
            # A function may round by more than its value's last digits; then its gradient still tells.
            close = share == 1 and not problem.stochastic and abs(after - before) <= eps**0.5 * size
            if close and _flatter(problem, theta, weights, tangent):
                break
            share /= 2
        else:
            return None
        # Where a bound stopped a parameter, aligning with a tangent that does not know it would move it off again.
        if guide is None or not within:
            return theta
        # That of what is measured on validation data is known along the tangent that the step started with only.
        if not guide.target.trains(problem):
            return align(problem, guide.tangent, theta, guide.target, self.alignments)[0]
        return align(problem, tangent, theta, guide.target.along(tangent), self.alignments, losses)[0]


def _flatter(problem: Problem, theta: Tensor, weights: Tensor, tangent: Tangent) -> bool:
    """Whether the weighted sum, bounds aside, has a smaller gradient than at the tangent's point."""
    w = weights.to(tangent.jacobian)
    before = w @ tangent.jacobian + tangent.weight_decay * tangent.theta
    after = w @ problem.jacobian(theta)[1] + tangent.weight_decay * theta
    return bool(after.norm() < before.norm())


def _convex(tangent: Tangent) -> bool:
    return bool(torch.linalg.eigvalsh(tangent.curvature_of_front).min() > 0)


def _on_target(problem: Problem, tangent: Tangent, guide: Guide) -> bool:
    losses = tangent.losses if guide.target.split == "train" else None
    return guide.target.met(guide.target.excess(problem, tangent.theta, losses))


def _tangent(
    problem: Problem, theta: Tensor, weights: Tensor, geometry: Geometry, nearby: Tangent | None
) -> Tangent:
    with problem.watch.part(0.2, passes=1):
        evaluated = finite_jacobian(problem, theta, "on the way back to the front")
    return tangent_at(problem, theta, weights, geometry, evaluated=evaluated, nearby=nearby)
