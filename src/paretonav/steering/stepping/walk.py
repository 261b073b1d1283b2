"""The way from one point to the next: one leg after the other, each as long as the model of the front holds."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from paretonav.errors import InfeasiblePreferenceError
from paretonav.geometry import FrontModel, Tangent
from paretonav.geometry.krylov import Status
from paretonav.objectives import Losses, Problem
from paretonav.steering.planning.plan import Plan
from paretonav.steering.preferences import Wish
from paretonav.steering.stepping.acceptance import Broken, broken
from paretonav.steering.stepping.correctors import Correction, Corrector
from paretonav.steering.stepping.leg import Arrival, take_leg
from paretonav.steering.stepping.onward import (
    front_on_the_way,
    held_stronger,
    tangent_after,
    with_train_losses,
)
from paretonav.steering.stepping.predictors import Predictor, at_hand
from paretonav.steering.stepping.target import Limits
from paretonav.steering.stepping.trust import Leg, Trust

_DETOURS = 4  # plans for the rest of a leg that a bound has shortened
_RETRIES = 3  # of a leg that did not come true
_MOST_LEGS = 6  # of a walk from where a model is held: each is a measurement as dear as a start
_LEAST = 0.04  # of the amount: a leg that is shorter is not worth its cost
_WORTH = 0.1  # of the amount: a walk that ends with less is no step


@dataclass(frozen=True, eq=False)
class Walk:
    """Where a walk has led.

    Attributes:
        correction: at its end; None if not even the first leg was possible, or it came to next to nothing.
        losses: at its end, or where the first leg failed, on the data on which they are asked for.
        amount: how much of the wish has been gone for.
        reason: why it ended before the whole amount; empty if it did not.
        trust: for the next one.
        legs: how many were taken.
        tangent: where the last leg began.
        error: |predicted - achieved| / |predicted| of the last leg.
    """

    correction: Correction | None
    losses: Losses
    amount: float
    reason: str
    trust: Trust
    legs: int
    tangent: Tangent
    error: float = 0.0


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

    A leg after which something is worse than was predicted, for the leg or for all of the way so far, is taken back
    (``broken``). It is tried again with a stronger pull, where the model is held by one, and shorter. Where the model
    around the start covers only a part of the way, the first leg goes no further, and the rest is planned from there.
    A walk that ends with less than a tenth of what was asked is none.

    Args:
        problem: what is steered; its own parameters are left alone.
        predictor: along the tangent space.
        corrector: back to the front.
        trust: how long a leg may be, and how the front is measured on the way.
        front: where it begins.
        tangent: there.
        plan: where to go.
    """
    start, whole, wish, total, done, legs, detours = front, plan, plan.wish, plan.amount, 0.0, 0, 0
    limits, goal = Limits.of(wish, front), front.values[wish.named] + wish.changes(total)
    arrived: Correction | None = None
    losses, reason, error = _at(front, tangent), "", 0.0
    cut, failures = 1.0, 0
    while True:
        share = min(trust.share(front, plan.changes[: front.m]), cut, plan.modelled)
        leg = plan.share(front, share)
        with problem.watch.part((done + leg.amount) / total if total else 1.0):
            arrival, lost = attempt(problem, predictor, corrector, trust, front, tangent, leg, limits)
        leg, correction = arrival.plan, arrival.correction
        if correction is not None and not lost and front is not start and predictor.promises:
            so_far = promises(predictor, start, tangent, whole, done + leg.amount)
            _, lost = best_kept(start, so_far, correction.losses, _held_out(start, arrival), legs + 1)
        if correction is None or lost:
            failures += 1
            reason = str(lost[0]) if lost else arrival.reason
            losses = losses if arrived is not None else arrival.losses
            if failures > _RETRIES or not lost:
                break
            if failures % 2 == 0:
                stronger = held_stronger(problem, tangent, trust.geometry)
                if stronger is not None:
                    again = front_on_the_way(
                        problem, stronger, trust.geometry, start, wish, _at(front, tangent)
                    )
                    rest = _rest(wish, goal, limits, again, total - done)
                    with suppress(InfeasiblePreferenceError):
                        plan = predictor.plan(again, at_hand(stronger), rest, total - done)
                        front, tangent = again, stronger
                        continue
            cut = share / 2
            if cut * plan.amount < _LEAST * total:
                break
            continue
        report = leg_report(trust, front, tangent, leg, arrival)
        trust, error = trust.after(report), report.error
        arrived, losses, done, legs = correction, arrival.losses, done + leg.amount, legs + 1
        cut = 1.0
        if arrival.share < 1:
            reason, detours = arrival.reason, detours + 1
            if not arrival.bounded or detours > _DETOURS:
                break
        if done >= (1 - 1e-9) * total:
            reason = ""
            break
        tangent = tangent_after(problem, correction, tangent, trust.geometry)
        front = front_on_the_way(problem, tangent, trust.geometry, start, wish, losses)
        rest = _rest(wish, goal, limits, front, total - done)
        if not np.nan_to_num(rest.direction).any():
            done, reason = total, ""
            break
        try:
            plan = predictor.plan(front, at_hand(tangent), rest, total - done)
        except InfeasiblePreferenceError as refused:
            further = 0.9 * refused.reach
            if further < _LEAST * total:
                reason = f"on the way, {refused.reason}"
                break
            plan = predictor.plan(front, at_hand(tangent), rest, further)
        if legs >= _MOST_LEGS and front.anchor is not None:
            reason = f"{legs} legs led no further" + (f": {plan.end}" if plan.end else "")
            break
        trusted = min(plan.modelled, trust.share(front, plan.changes[: front.m]))
        if front.anchor is not None and trusted * plan.amount < min(_LEAST * total, 0.999 * plan.amount):
            reason = f"on the way, {plan.end or 'the next leg would be too short to be worth its cost'}"
            break
    if arrived is not None and done < _WORTH * total and predictor.promises:
        reason = f"only {done / total:.2g} of it was possible, which is not worth a step: {reason}"
        arrived = None
    return Walk(arrived, losses, done, reason, trust, legs, tangent, error)


def attempt(
    problem: Problem,
    predictor: Predictor,
    corrector: Corrector,
    trust: Trust,
    front: FrontModel,
    tangent: Tangent,
    leg: Plan,
    limits: Limits,
) -> tuple[Arrival, tuple[Broken, ...]]:
    """Take a leg, and say what of it did not come true.

    Validation losses are looked at first: where they are not as promised, the training data need not be read.
    """
    arrival = take_leg(problem, predictor, corrector, trust, front, tangent, leg, limits)
    if arrival.correction is None or not predictor.promises:
        return arrival, ()
    lost = broken(front, arrival.plan, None, _held_out(front, arrival))
    if lost:
        return arrival, lost
    correction = with_train_losses(problem, arrival.correction)
    return replace(arrival, correction=correction), broken(front, arrival.plan, correction.losses, None)


def promises(
    predictor: Predictor, start: FrontModel, tangent: Tangent, whole: Plan, amount: float
) -> list[Plan]:
    """What was promised at the start for the part of the way up to ``amount``.

    That part of the whole plan, by which the legs go as long as nothing else turns up; and what a plan for this much
    alone would have been, as the legs' own plans are the cheapest from where they begin.
    """
    if amount >= (1 - 1e-9) * whole.amount:
        return [whole]
    part = whole.share(start, amount / whole.amount)
    try:
        return [predictor.plan(start, at_hand(tangent), whole.wish, amount), part]
    except InfeasiblePreferenceError:
        return [part]


def best_kept(
    front: FrontModel, plans: list[Plan], train: Losses | None, held_out: Losses | None, legs: int
) -> tuple[Plan, tuple[Broken, ...]]:
    """The first of these plans that was kept, or the first of all with what of it was not (``broken``)."""
    lost = [broken(front, plan, train, held_out, legs=legs) for plan in plans]
    return next(
        ((plan, each) for plan, each in zip(plans, lost, strict=True) if not each), (plans[0], lost[0])
    )


def _held_out(front: FrontModel, arrival: Arrival) -> Losses | None:
    return arrival.losses if front.asked == "validation" else None


def _at(front: FrontModel, tangent: Tangent) -> Losses:
    if front.asked == "validation" and front.validation_losses is not None:
        return front.validation_losses
    return tangent.losses


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


def leg_report(trust: Trust, front: FrontModel, tangent: Tangent, plan: Plan, arrival: Arrival) -> Leg:
    """How a leg went, for the trust in the next one."""
    correction, predicted = arrival.correction, plan.changes[: front.m]
    if correction is None:
        raise AssertionError("a leg that was taken back has no report")
    achieved = arrival.losses.mean.numpy() - front.asked_losses
    size = float(np.linalg.norm(predicted))
    waste = None
    if correction.gain_on_arrival is not None:
        waste = max(0.0, correction.gain_on_arrival - front.joint_gain) / float(np.abs(predicted).max())
    solved = correction.tangent or tangent
    return Leg(
        length=trust.length(front, predicted),
        error=float(np.linalg.norm(predicted - achieved)) / size if size else 0.0,
        waste=waste,
        struggled=Status.ITERATION_LIMIT in solved.solution.status,
        damping=solved.damping,
    )
