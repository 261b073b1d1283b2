"""Active box bounds, and the weights of a point that may sit at some."""

from __future__ import annotations

import torch
from torch import Tensor

from paretonav.geometry.weights import box_minimum_norm_weights, minimum_norm_weights
from paretonav.objectives import Bounds, Problem


def pareto_weights(problem: Problem, theta: Tensor, jacobian: Tensor) -> tuple[Tensor, Tensor]:
    """The minimum-norm weights [m] at a point and the common gradient J^T alpha [n] that they leave.

    Weight decay is part of every gradient; at a bound only what would lead inside counts.
    """
    gradients = jacobian + problem.weight_decay * theta if problem.weight_decay else jacobian
    if problem.bounds is None:
        weights = minimum_norm_weights(gradients)
        return weights, weights.to(gradients) @ gradients
    at_lower, at_upper = at_bounds(problem.bounds, theta)
    weights = box_minimum_norm_weights(gradients, at_lower, at_upper)
    gradient = weights.to(gradients) @ gradients
    outward = (at_lower & (gradient > 0)) | (at_upper & (gradient < 0))
    return weights, gradient.masked_fill(outward, 0.0)


def active_set(problem: Problem, theta: Tensor, jacobian: Tensor, weights: Tensor) -> Tensor | None:
    """[n] bool, False where a parameter sits at a bound and descent would push it out; None without bounds.

    A parameter at its bound with a multiplier of zero counts as fixed: along the tangent it could leave the box
    in one direction; the corrector releases it as soon as its multiplier changes sign.
    """
    if problem.bounds is None:
        return None
    gradient = weights.to(jacobian) @ jacobian
    at_lower, at_upper = at_bounds(problem.bounds, theta)
    slack = 1e-9 * float(jacobian.abs().max())
    return ~((at_lower & (gradient >= -slack)) | (at_upper & (gradient <= slack)))


def at_bounds(bounds: Bounds, theta: Tensor) -> tuple[Tensor, Tensor]:
    """Which parameters sit at their lower and at their upper bound, [n] bool each."""
    lower, upper = bounds
    reach = torch.where((upper - lower).isfinite(), upper - lower, 1 + theta.abs())
    return theta - lower <= 1e-9 * reach, upper - theta <= 1e-9 * reach
