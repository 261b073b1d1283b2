"""The Newton step of a weighted sum inside a box.

See docs/method.md#newton-in-a-box.
"""

from __future__ import annotations

import torch
from torch import Tensor

from paretonav.geometry.bounds import active_set
from paretonav.geometry.curvature import Curvature
from paretonav.geometry.krylov import minres
from paretonav.geometry.tangent import Geometry, Tangent
from paretonav.objectives import Problem

_ROUNDS = 20  # of the active-set method, which as a rule ends by itself after a few. Chosen, not measured


def box_newton_step(problem: Problem, tangent: Tangent, weights: Tensor, geometry: Geometry) -> Tensor:
    """The d that minimises ``g . d + 1/2 d . A d`` while theta + d is inside the box, for fixed weights.

    With ``g = J^T weights`` and A as for the tangent. Which bounds hold is found by the primal-dual active-set method
    (Hintermüller, Ito, Kunisch, SIAM J. Optim. 13, 2002): solve for the free entries, fix those that leave the
    box, release those that descent would pull inside, until nothing changes; a few Krylov solves.

    Args:
        problem: what is steered, with bounds.
        tangent: at theta; its Jacobian and its shifts are used.
        weights: [m], in the simplex.
        geometry: how curvature is measured.

    Returns:
        d, [n], inside the box; where the active set does not settle, the last one projected on the box.
    """
    theta, bounds = tangent.theta, problem.bounds
    shift = tangent.weight_decay + tangent.damping
    A = Curvature(
        problem.curvature_sample(geometry.samples, around=theta),
        theta,
        weights,
        kind=geometry.curvature or problem.default_curvature,
        shift=shift,
        tally=problem.tally,
        watch=problem.watch,
    )
    gradient = weights.to(theta) @ tangent.jacobian + tangent.weight_decay * theta
    free = active_set(problem, theta, tangent.jacobian, weights)
    assert bounds is not None
    assert free is not None
    lower, upper = bounds.lower - theta, bounds.upper - theta
    at_upper = ~free & (gradient < 0)
    at_lower = ~free & ~at_upper
    step = torch.zeros_like(theta)
    for _ in range(_ROUNDS):
        fixed = torch.where(at_upper, upper, torch.where(at_lower, lower, torch.zeros_like(step)))
        rhs = -gradient - (A(fixed[None])[0] if fixed.any() else 0)
        inside = ~(at_lower | at_upper)
        solution = minres(
            lambda v, inside=inside: A(v) * inside,  # type: ignore[misc]
            (rhs * inside)[None],
            tolerance=geometry.tolerance_for(problem, theta.dtype),
            max_iterations=geometry.max_iterations,
        )
        step = fixed + solution.x[0]
        slope = gradient + A(step[None])[0]
        above = torch.where(at_upper, slope < 0, step > upper)
        below = torch.where(at_lower, slope > 0, step < lower)
        below = below & ~at_upper
        above = above & ~at_lower
        if torch.equal(above, at_upper) and torch.equal(below, at_lower):
            break
        at_upper, at_lower = above, below
    return bounds.clamp(theta + step) - theta
