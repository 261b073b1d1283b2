"""The way to an aspiration level: planned anew after every leg, as near as the front comes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from paretonav.geometry import FrontModel, Tangent
from paretonav.objectives import Problem
from paretonav.steering.planning.plan import Plan
from paretonav.steering.preferences import Wish
from paretonav.steering.stepping.correctors import Correction, Corrector
from paretonav.steering.stepping.onward import front_on_the_way, tangent_after
from paretonav.steering.stepping.predictors import Predictor, at_hand
from paretonav.steering.stepping.target import Limits, measured
from paretonav.steering.stepping.trust import Trust
from paretonav.steering.stepping.unreached import why_unreached
from paretonav.steering.stepping.walk import Walk, attempt, leg_report

Array = NDArray[np.float64]

_MAX_LEGS = 60
_WORTH = 0.1  # of the predicted approach, that a leg has to bring


def seek(
    problem: Problem,
    predictor: Predictor,
    corrector: Corrector,
    trust: Trust,
    front: FrontModel,
    tangent: Tangent,
    plan: Plan,
) -> Walk:
    """Go to the target of a wish, or to the outcome on the front that is nearest to it.

    A trust region method on the front (Conn, Gould, Toint, 2000): the second-order front model says where the target
    or the nearest outcome is, a leg leads as far towards it as the model is believed, and a leg that brings less than a
    tenth of the approach that it promised is taken back and made shorter. It ends where the model promises no more.

    Args:
        problem: what is steered; its own parameters are left alone.
        predictor: along the tangent space.
        corrector: back to the front.
        trust: how long a leg may be, and how the front is measured on the way.
        front: where it begins.
        tangent: there.
        plan: where to go.
    """
    start, wish, legs, radius = front, plan.wish, 0, np.inf
    limits, goal = Limits.of(wish, front), front.values[wish.named] + wish.changes(plan.amount)
    small = 1e-3 if problem.stochastic else 1e-7
    arrived: Correction | None = None
    losses, whole, size, error = tangent.losses, 0.0, np.inf, 0.0
    while legs < _MAX_LEGS:
        size = trust.length(front, plan.changes[: front.m])
        whole = max(whole, size)
        if size <= small:
            break
        share = min(trust.share(front, plan.changes[: front.m]), radius / size)
        leg = plan.share(front, share)
        with problem.watch.part(1 - (1 - share) * size / whole):
            arrival, lost = attempt(
                problem, predictor, corrector, trust, front, tangent, _as_leg(leg, size), limits
            )
        correction, gone = arrival.correction, plan.share(front, share * arrival.share)
        if correction is None:
            brought = -np.inf
        else:
            values = measured(problem, correction.theta, front.asked, wish.named, arrival.losses)
            before = _distance(plan, goal, front.values[wish.named])
            brought = before - _distance(plan, goal, values)
            promised = before - _distance(plan, goal, (front.values + gone.changes)[wish.named])
        if correction is None or lost or not brought > _WORTH * promised:
            losses = arrival.losses if arrived is None else losses
            radius = 0.25 * min(size * share, radius)
            if radius <= small:
                break
            continue
        radius = max(radius, 2 * size * share) if brought > 0.75 * promised else radius
        report = leg_report(trust, front, tangent, gone, arrival)
        trust, error = trust.after(report), report.error
        arrived, losses, legs = correction, arrival.losses, legs + 1
        there = plan.exact and share * arrival.share == 1
        tangent = tangent_after(problem, correction, tangent, trust.geometry)
        front = front_on_the_way(problem, tangent, trust.geometry, start, wish, losses)
        arrived = replace(arrived, tangent=tangent)
        if there and _attained(start, front, wish, goal, problem.stochastic):
            break
        plan = predictor.plan(front, at_hand(tangent), _rest(wish, goal, limits, front), 1.0)
    reason = ""
    here = arrived is None and plan.exact and size <= small  # nearer than a step can tell
    if not (here or _attained(start, front, wish, goal, problem.stochastic)):
        rest = _rest(wish, goal, limits, front)
        reason = why_unreached(front, tangent, rest, stochastic=problem.stochastic)
    elif arrived is None:  # it was there from the start
        arrived = Correction(tangent.theta, tangent.losses, tangent.weights, tangent, 0, converged=True)
    return Walk(arrived, losses, plan.amount, reason, trust, legs, tangent, error)


def _rest(wish: Wish, goal: Array, limits: Limits, front: FrontModel) -> Wish:
    """The same target from the point of ``front``; what is held is held where it is now."""
    room = np.full(len(wish.room), np.inf)
    room[: len(front.values)] = limits.rooms(front)
    return replace(wish.towards(goal, front.values[wish.named]), room=room)


def _as_leg(leg: Plan, amount: float) -> Plan:
    """What the predictor and the corrector are to bring about: all that is named, if the front has such an outcome.

    Else the plan's outcome is no promise, only the best that the model knows of: nothing but the holds is aligned to.
    """
    if leg.exact:
        return leg
    direction = np.where(leg.wish.direction == 0, 0.0, np.nan)
    return replace(leg, wish=replace(leg.wish, direction=direction), amount=amount)


def _distance(plan: Plan, goal: Array, values: Array) -> float:
    """How far values of the named quantities are from the target, in the sense in which the plan goes there."""
    wish, which = plan.wish, plan.wish.named
    off = (values - goal) / wish.scale[which]
    sense = wish.orientation[which]
    short = np.where(sense == 0, np.abs(off), np.maximum(sense * off, 0))
    short = np.where(wish.direction[which] == 0, 0.0, short)  # what is held is no target
    off = np.where(wish.direction[which] == 0, 0.0, off)
    if not plan.attainable:
        return float(0.5 * np.square(short).sum())
    if plan.exact:
        return float(0.5 * np.square(off).sum())
    return float(0.5 * np.square(off).sum() + 1e3 * short.sum())


def _attained(start: FrontModel, front: FrontModel, wish: Wish, goal: Array, stochastic: bool) -> bool:
    """Whether the named quantities are as good as their targets, up to what a step's precision leaves."""
    named = wish.named
    sense = wish.orientation[named]
    off = front.values[named] - goal
    short = np.where(sense == 0, np.abs(off), sense * off) / wish.scale[named]
    way = np.abs(goal - start.values[named]) / wish.scale[named]
    return bool(short.max() <= (0.05 if stochastic else 1e-6) * way.max())
