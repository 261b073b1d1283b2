"""Active box bounds, and the weights of a point that may sit at some.

See docs/method.md#bounds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from paretonav.geometry.weights import box_minimum_norm_weights, minimum_norm_weights
from paretonav.objectives import Bounds, Problem

if TYPE_CHECKING:  # a tangent asks here which parameters are free
    from paretonav.geometry.tangent import Tangent

_AT = 1e-9  # of the width of a parameter's box: one that is so near to a bound is at it
_SLACK = 1e-9  # of the largest entry of the Jacobian: a multiplier that counts as zero
_OPTIMAL = 1e-6  # of the longest gradient: a residual that is shorter counts as zero


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
    slack = _SLACK * float(jacobian.abs().max())
    return ~((at_lower & (gradient >= -slack)) | (at_upper & (gradient <= slack)))


def at_bounds(bounds: Bounds, theta: Tensor) -> tuple[Tensor, Tensor]:
    """Which parameters sit at their lower and at their upper bound, [n] bool each."""
    lower, upper = bounds
    reach = torch.where((upper - lower).isfinite(), upper - lower, 1 + theta.abs())
    return theta - lower <= _AT * reach, upper - theta <= _AT * reach


def releasing_weights(problem: Problem, tangent: Tangent, towards: Tensor) -> Tensor | None:
    """On the way from a point's weights to others, the first [m] for which a bound lets go of a parameter.

    With the parameters as they are: a bound holds a parameter while descent would push it out.

    Args:
        problem: what is steered.
        tangent: at the point.
        towards: [m], in the simplex.

    Returns:
        weights just beyond the border, so that ``active_set`` has the parameter free; None if there is none, or if the
        free parameters are not optimal for them.
    """
    if problem.bounds is None or tangent.free is None:
        return None
    held = ~tangent.free
    at_lower, _ = at_bounds(problem.bounds, tangent.theta)
    gradients = tangent.jacobian + problem.weight_decay * tangent.theta
    sign = torch.where(at_lower, 1.0, -1.0).to(gradients)
    # Positive while the bound holds; those that are zero may be let go of at once.
    now, then = (sign * (weights.to(gradients) @ gradients) for weights in (tangent.weights, towards))
    beyond = 2 * _SLACK * float(tangent.jacobian.abs().max())
    leaving = held & (then < -beyond)
    if not leaving.any():
        return None
    shares = (now[leaving].clamp_min(0) + beyond) / (now[leaving].clamp_min(0) - then[leaving])
    share = min(1.0, float(shares.min()))
    weights = tangent.weights + share * (towards.to(tangent.weights) - tangent.weights)
    left = ((weights - tangent.weights).to(gradients) @ gradients)[tangent.free]
    return weights if float(left.norm()) <= _OPTIMAL * float(gradients.norm(dim=1).max()) else None
