"""The way from one point to the next: one leg after the other, each within the trust region."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from paretonav.errors import InfeasiblePreferenceError
from paretonav.geometry import FrontModel, Tangent, tangent_at
from paretonav.geometry.krylov import Status
from paretonav.objectives import Losses, Problem
from paretonav.steering.correctors import Correction, Corrector
from paretonav.steering.leg import take_leg
from paretonav.steering.plan import Plan
from paretonav.steering.predictors import Predictor, at_hand
from paretonav.steering.preferences import Wish
from paretonav.steering.target import Limits
from paretonav.steering.trust import Leg, Trust

_DETOURS = 4  # plans for the rest of a leg that a bound has shortened


@dataclass(frozen=True, eq=False)
class Walk:
    """Where a walk has led.

    Attributes:
        correction: at its end; None if not even the first leg was possible.
        losses: of the training data at its end, or where the first leg failed.
        amount: how much of the wish has been gone for.
        reason: why it ended before the whole amount; empty if it did not.
        trust: for the next one.
        legs: how many were taken.
    """

    correction: Correction | None
    losses: Losses
    amount: float
    reason: str
    trust: Trust
    legs: int


def walk(
    problem: Problem,
    predictor: Predictor,
    corrector: Corrector,
    trust: Trust,
    front: FrontModel,
    tangent: Tangent,
    plan: Plan,
) -> Walk:
    """Go where the plan leads: predict, correct, and where that is too far for one leg, plan the rest from there.

    Args:
        problem: what is steered; its own parameters are left alone.
        predictor: along the tangent space.
        corrector: back to the front.
        trust: how long a leg may be, and how the front is measured on the way.
        front: where it begins.
        tangent: there.
        plan: where to go.
    """
    start, wish, total, done, legs, detours = front, plan.wish, plan.amount, 0.0, 0, 0
    limits, goal = Limits.of(wish, front), front.values[wish.named] + wish.changes(total)
    arrived: Correction | None = None
    losses, reason = tangent.losses, ""
    while True:
        leg = plan.share(front, trust.share(front, plan.predicted))
        with problem.watch.part((done + leg.amount) / total if total else 1.0):
            arrival = take_leg(problem, predictor, corrector, trust, front, tangent, leg, limits)
        leg, correction = arrival.plan, arrival.correction
        if correction is None:
            reason = arrival.reason
            losses = arrival.losses if arrived is None else losses
            break
        change = correction.losses.mean.numpy() - front.losses
        worse = [front.names[i] for i in wish.improved if i < front.m and not change[i] < 0]
        if worse:
            reason = f"{' and '.join(worse)} did not improve"
            losses = correction.losses if arrived is None else losses
            break
        trust = trust.after(leg_report(trust, front, tangent, leg, correction))
        arrived, losses, done, legs = correction, correction.losses, done + leg.amount, legs + 1
        if arrival.share < 1:
            reason, detours = arrival.reason, detours + 1
            if not arrival.bounded or detours > _DETOURS:
                break
        if done >= (1 - 1e-9) * total:
            reason = ""
            break
        front, tangent = measure(problem, trust, tangent, correction, start, wish)
        rest = _rest(wish, goal, limits, front, total - done)
        if not np.nan_to_num(rest.direction).any():
            done, reason = total, ""
            break
        try:
            plan = predictor.plan(front, at_hand(tangent), rest, total - done)
        except InfeasiblePreferenceError as refused:
            reason = f"on the way, {refused.reason}"
            break
    return Walk(arrived, losses, done, reason, trust, legs)


def measure(
    problem: Problem, trust: Trust, nearby: Tangent, correction: Correction, start: FrontModel, wish: Wish
) -> tuple[FrontModel, Tangent]:
    """The front at the end of a leg; metrics are measured where the wish asks for one."""
    tangent = correction.tangent or tangent_at(
        problem, correction.theta, correction.weights, trust.geometry, nearby=nearby
    )
    asked = np.concatenate([wish.named, wish.limited])
    wanted = bool((asked >= start.m).any())
    return FrontModel.from_tangent(problem, tangent, trust.geometry, measure=wanted), tangent


def _rest(wish: Wish, goal: np.ndarray, limits: Limits, front: FrontModel, left: float) -> Wish:
    """What is left of a wish: the way to its goal from the point of ``front``, as the amount ``left``.

    What has gone too far stays there, and what is held is held where it is now: nobody has asked to go back.
    """
    named = wish.named
    direction = wish.direction.copy()
    remaining = (goal - front.values[named]) / (wish.unit * left)
    direction[named] = np.where(remaining * direction[named] > 0, remaining, 0.0)
    known = len(front.values)  # a front that was not measured has no metrics, and the wish asks for none
    room = np.full(len(wish.room), np.inf)
    room[:known] = limits.rooms(front)
    return replace(wish, direction=direction, room=room, cap=np.full(len(wish.cap), np.inf))


def leg_report(trust: Trust, front: FrontModel, tangent: Tangent, plan: Plan, correction: Correction) -> Leg:
    """How a leg went, for the trust in the next one."""
    achieved = correction.losses.mean.numpy() - front.losses
    size = float(np.linalg.norm(plan.predicted))
    waste = None
    if correction.gain_on_arrival is not None:
        waste = max(0.0, correction.gain_on_arrival - front.joint_gain) / float(np.abs(plan.predicted).max())
    solved = correction.tangent or tangent
    return Leg(
        length=trust.length(front, plan.predicted),
        error=float(np.linalg.norm(plan.predicted - achieved)) / size if size else 0.0,
        waste=waste,
        struggled=Status.ITERATION_LIMIT in solved.solution.status,
        damping=solved.damping,
    )
