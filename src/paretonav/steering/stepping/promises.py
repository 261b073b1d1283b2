"""What was promised of a part of a way, and whether it has been kept."""

from __future__ import annotations

from paretonav.errors import InfeasiblePreferenceError
from paretonav.geometry import FrontModel
from paretonav.steering.measured import Measured
from paretonav.steering.planning.plan import Plan
from paretonav.steering.stepping.acceptance import Broken, broken
from paretonav.steering.stepping.place import Place
from paretonav.steering.stepping.predictors import Predictor, at_hand


def promises(predictor: Predictor, start: Place, whole: Plan, amount: float) -> list[Plan]:
    """What was promised at the start for the part of the way up to ``amount``.

    That part of the whole plan, by which the legs go as long as nothing else turns up; and what a plan for this much
    alone would have been, as the legs' own plans are the cheapest from where they begin.
    """
    if amount >= (1 - 1e-9) * whole.amount:
        return [whole]
    part = whole.share(start.front, amount / whole.amount)
    try:
        return [predictor.plan(start.front, at_hand(start.tangent), whole.wish, amount), part]
    except InfeasiblePreferenceError:
        return [part]


def best_kept(
    front: FrontModel, plans: list[Plan], measured: Measured, legs: int
) -> tuple[Plan, tuple[Broken, ...]]:
    """The first of these plans that was kept, or the first of all with what of it was not (``broken``)."""
    lost = [broken(front, plan, measured, legs=legs) for plan in plans]
    return next(
        ((plan, each) for plan, each in zip(plans, lost, strict=True) if not each), (plans[0], lost[0])
    )
