"""Plans from a corner of a box, where the front seems to end in every direction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from paretonav.errors import InfeasiblePreferenceError
from paretonav.geometry import FrontModel, Geometry, Tangent, releasing_weights, tangent_at
from paretonav.objectives import Problem
from paretonav.steering.plan import Plan
from paretonav.steering.predictors import Predictor
from paretonav.steering.preferences import Wish

_MOST = 20  # parameters that are released before a wish is given up


def plan_from_corners(
    problem: Problem,
    predictor: Predictor,
    geometry: Geometry,
    front: FrontModel,
    tangent: Callable[[], Tangent],
    wish: Wish,
    amount: float,
) -> tuple[Plan, FrontModel, Tangent | None]:
    """The plan for a wish, with the front and the tangent that it is in terms of.

    Where bounds hold so many parameters that the rest cannot follow the weights, one point is optimal for a whole
    region of weights, and for those in its middle nothing changes along the front. At the region's border a bound lets
    go of a parameter, and there the front goes on. So where a wish is refused for want of a direction, the weights go
    towards what it wants to improve, with the parameters as they are, until that happens, and it is planned from there.
    That takes a few solves, and no pass over data but for validation losses.

    Args:
        problem: what is steered.
        predictor: makes the plan.
        geometry: how curvature is measured.
        front: at the point.
        tangent: there.
        wish: what is wanted.
        amount: how much of it.

    Returns:
        the plan, the front model, and the tangent, None where that is the given one.

    Raises:
        InfeasiblePreferenceError: as the predictor, where there is no more to let go of.
    """
    try:
        return predictor.plan(front, tangent, wish, amount), front, None
    except InfeasiblePreferenceError as refused:
        wanted = _wanted(front, wish)
        if problem.bounds is None or wanted is None:
            raise
        reason = refused
    here = tangent()
    for _ in range(_MOST):
        weights = releasing_weights(problem, here, wanted)
        if weights is None:
            break
        evaluated = here.losses, here.jacobian
        # Of the weights that fit the point, those at this border: what refines them knows of no direction.
        here = replace(
            tangent_at(problem, here.theta, weights, geometry, evaluated=evaluated), weights=weights
        )
        there = FrontModel.from_tangent(problem, here, geometry)
        try:
            return predictor.plan(there, lambda here=here: here, wish, amount), there, here  # type: ignore[misc]
        except InfeasiblePreferenceError as refused:
            reason = max(reason, refused, key=lambda error: error.reach)
    raise reason


def _wanted(front: FrontModel, wish: Wish) -> Tensor | None:
    """Weights [m] of the losses that a wish is to lower, in their proportions; None if it names none."""
    direction = torch.from_numpy(wish.direction[: front.m]).nan_to_num()
    pull = (-direction).clamp_min(0)
    return pull / pull.sum() if bool(pull.any()) else None
