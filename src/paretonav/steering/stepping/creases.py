"""Plans from where a front has a crease because a bound catches a parameter there, or lets go of one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from paretonav.errors import InfeasiblePreferenceError
from paretonav.geometry import FrontModel, Geometry, Tangent, releasing_weights, tangent_at
from paretonav.objectives import Problem
from paretonav.steering.planning.plan import Plan
from paretonav.steering.planning.programme import ahead
from paretonav.steering.preferences import Wish
from paretonav.steering.stepping.predictors import Predictor

_MOST = 20  # parameters that are let go of, or caught, for one plan
_OUT = 1e-6  # of the way that the fastest parameter goes


def plan_from_creases(
    problem: Problem,
    predictor: Predictor,
    geometry: Geometry,
    front: FrontModel,
    tangent: Callable[[], Tangent],
    wish: Wish,
    amount: float,
) -> tuple[Plan, FrontModel, Tangent | None]:
    """The plan for a wish, with the front and the tangent that it is in terms of.

    A tangent knows the front on one side of a crease. Two kinds of plans need the other:

    - One that pushes a parameter out that is as good as at its bound already. There the bound holds it, so it is
      planned with that parameter held.
    - One that is refused because bounds hold so many parameters that the rest cannot follow the weights. Then one point
      is optimal for a whole region of weights, and for those in its middle nothing changes along the front. At the
      region's border a bound lets go of a parameter, and the front goes on. So the weights go towards what the wish
      wants to improve, with the parameters as they are, until that happens, and it is planned from there.

    It takes a solve for every parameter that is caught or let go of, and no pass over data but for validation losses.

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
    here: Tangent | None = None
    refusal: InfeasiblePreferenceError | None = None
    held = torch.zeros(0, dtype=torch.long)
    for _ in range(_MOST):
        at = tangent if here is None else lambda here=here: here
        try:
            plan = predictor.plan(front, at, wish, amount)
            pushed = pushed_out(front, plan.coordinates)
            if not len(pushed):
                return plan, front, here
            problem.watch.require_free()
            here, weights = at(), None
            held = torch.cat([held, torch.from_numpy(pushed)])
        except InfeasiblePreferenceError as refused:
            refusal = refused if refusal is None or refused.reach > refusal.reach else refusal
            wanted = _wanted(front, wish)
            if problem.bounds is None or wanted is None:
                raise
            problem.watch.require_free()
            here = at()
            weights = releasing_weights(problem, here, wanted)
            if weights is None:
                break
        here = tangent_at(
            problem,
            here.theta,
            here.weights if weights is None else weights,
            geometry,
            evaluated=(here.losses, here.jacobian),
            held=held,
        )
        if weights is not None:  # of all that fit the point, those at this border
            here = replace(here, weights=weights)
        front = FrontModel.from_tangent(problem, here, geometry)
    if refusal is None:
        return plan, front, here
    raise refusal


def pushed_out(front: FrontModel, c: np.ndarray) -> np.ndarray:
    """The parameters that tangent coordinates c push further out, of those that are as good as at a bound."""
    G, h, entry = front.box
    out = G @ c - h
    return np.unique(entry[~ahead(front) & (out > _OUT * np.abs(G @ c).max(initial=0.0))])


def _wanted(front: FrontModel, wish: Wish) -> Tensor | None:
    """Weights [m] of the losses that a wish is to lower, in their proportions; None if it names none."""
    direction = torch.from_numpy(wish.direction[: front.m]).nan_to_num()
    pull = (-direction).clamp_min(0)
    return pull / pull.sum() if bool(pull.any()) else None
