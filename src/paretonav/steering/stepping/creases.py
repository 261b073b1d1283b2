"""Plans from where a front has a crease because a bound catches a parameter there, or lets go of one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from paretonav.errors import InfeasiblePreferenceError
from paretonav.geometry import FrontModel, Geometry, Tangent, measure_front, releasing_weights, tangent_at
from paretonav.objectives import Problem
from paretonav.steering.planning.plan import Plan
from paretonav.steering.planning.programme import ahead
from paretonav.steering.preferences import Wish
from paretonav.steering.stepping.predictors import Predictor, at_hand

# Parameters that are let go of, or caught, for one plan; each takes a solve. Chosen, not measured: steps over more
# creases than that are refused, and shorter ones are possible.
_MOST = 20
# Of the way that the fastest parameter goes: one that leaves its bound by less is held up by rounding alone.
_OUT = 1e-6


@dataclass(frozen=True, eq=False)
class Side:
    """The front on one side of a crease, as one tangent at the point knows it.

    Attributes:
        front: the model of it.
        tangent: gives the tangent; where that is not kept, asking for it is a solve.
        geometry: how curvature is measured.
        crossed: the tangent, if it is another one than the point's own.
        held: the numbers of the parameters that stay where they are here, besides those that an active bound holds.
    """

    front: FrontModel
    tangent: Callable[[], Tangent]
    geometry: Geometry
    crossed: Tangent | None = None
    held: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.long))

    def with_held(self, problem: Problem, parameters: Tensor) -> Side:
        """The side on which these parameters stay at their bounds, too."""
        held = torch.cat([self.held, parameters])
        return self._found(problem, self._solved(problem, self.tangent().weights, held), held)

    def at_weights(self, problem: Problem, weights: Tensor) -> Side:
        """The side at other weights [m] for which the point is optimal, too: of all that fit it, exactly these."""
        tangent = replace(self._solved(problem, weights, self.held), weights=weights)
        return self._found(problem, tangent, self.held)

    def _solved(self, problem: Problem, weights: Tensor, held: Tensor) -> Tangent:
        here = self.tangent()
        known = here.losses, here.jacobian
        return tangent_at(problem, here.theta, weights, self.geometry, evaluated=known, held=held)

    def _found(self, problem: Problem, tangent: Tangent, held: Tensor) -> Side:
        front = measure_front(problem, tangent, self.geometry)
        return Side(front, at_hand(tangent), self.geometry, tangent, held)


def plan_from_creases(
    problem: Problem, predictor: Predictor, here: Side, wish: Wish, amount: float
) -> tuple[Plan, Side]:
    """The plan for a wish, and the side of the front that it is made on.

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
        here: the side that the point's own tangent knows.
        wish: what is wanted.
        amount: how much of it.

    Raises:
        InfeasiblePreferenceError: as the predictor, where there is no more to let go of.
    """
    side = here
    made: tuple[Plan, Side] | None = None
    refusal: InfeasiblePreferenceError | None = None  # the one that reaches furthest
    for _ in range(_MOST):
        try:
            plan = predictor.plan(side.front, side.tangent, wish, amount)
        except InfeasiblePreferenceError as refused:
            refusal = refused if refusal is None or refused.reach > refusal.reach else refusal
            wanted = _wanted(side.front, wish)
            if problem.bounds is None or wanted is None:
                raise
            problem.watch.require_free()
            weights = releasing_weights(problem, side.tangent(), wanted)
            if weights is None:
                break
            side = side.at_weights(problem, weights)
            continue
        made = plan, side
        pushed = pushed_out(side.front, plan.coordinates)
        if not len(pushed):
            return made
        problem.watch.require_free()
        side = side.with_held(problem, torch.from_numpy(pushed))
    if refusal is not None:
        raise refusal
    assert made is not None
    return made


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
