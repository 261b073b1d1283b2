"""One leg of a step: along the tangent space, back to the front, and never beyond a bound."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from paretonav.geometry import FrontModel, Tangent
from paretonav.objectives import Losses, Problem
from paretonav.steering.planning.plan import Plan
from paretonav.steering.stepping.correctors import Correction, Corrector, Guide
from paretonav.steering.stepping.predictors import Prediction, Predictor
from paretonav.steering.stepping.target import Limits, Target
from paretonav.steering.stepping.trust import Trust
from paretonav.text import listed

_TRIES = 6
_PREDICTION = 0.05  # of a leg


@dataclass(frozen=True, eq=False)
class Arrival:
    """Where a leg has led.

    Attributes:
        plan: the part of the leg's plan that was gone for.
        correction: at its end; None if it was taken back.
        losses: at its end, on the data on which they are asked for, taken back or not.
        share: of the leg that was taken.
        reason: why not all of it; empty if it was.
        bounded: whether that was for a limit, so that another way to the rest of it may be open.
    """

    plan: Plan
    correction: Correction | None
    losses: Losses
    share: float
    reason: str
    bounded: bool = False


def take_leg(
    problem: Problem,
    predictor: Predictor,
    corrector: Corrector,
    trust: Trust,
    front: FrontModel,
    tangent: Tangent,
    leg: Plan,
    limits: Limits,
) -> Arrival:
    """Predict and correct, so that at the end no limit is passed.

    A limit that the plan comes up to is aligned to as a target is, from the inside; so is one that the corrector has
    passed. Where there are more of them than the front has dimensions, or that fails, the leg is shortened
    to where it meets the limit.

    Args:
        problem: what is steered; its own parameters are left alone.
        predictor: along the tangent space.
        corrector: back to the front.
        trust: how the front is measured.
        front: where the leg begins.
        tangent: there.
        leg: the plan for it.
        limits: not to be passed at its end.
    """
    share, reason, bounded = 1.0, "", False
    left = 1.0  # of the leg, for the events: another try is not expected
    active = _comes_up_to(leg, limits, front)
    for _ in range(_TRIES):
        with problem.watch.part(1 - left * (1 - _PREDICTION), "predict"):
            prediction = predictor.predict(problem, front, tangent, leg)
            if front.asked == "train":
                problem.watch.saw(problem.names, prediction.losses.mean)
        if prediction.share == 0:
            reason = f"no step length out of {prediction.tries} improved what was to improve"
            return Arrival(leg, None, prediction.losses, 0.0, reason)
        if prediction.share < 1:
            reason = f"only {prediction.share:.3g} of the length kept what the front model promised"
        leg, share = leg.share(front, prediction.share), share * prediction.share
        weights = torch.from_numpy(leg.weights).clamp_min(0)
        while True:
            target = target_of(leg, front, problem)
            aligned = len(target.named) + active.sum() < front.m
            if aligned and active.any():
                target = target.and_bounds(limits, np.flatnonzero(active), leg, front)
            guide = Guide(tangent, front, leg, target)
            left *= 0.1
            with problem.watch.part(1 - left, "return to the front"):
                correction = corrector.correct(
                    problem, prediction.theta, weights / weights.sum(), trust.geometry, guide
                )
            losses = _asked(problem, front, prediction, correction)
            beyond = limits.beyond(problem, correction.theta, front.asked, losses)
            passed = beyond > 0
            if not passed.any():
                return Arrival(leg, correction, losses, share, reason, bounded)
            if not aligned or not (passed & ~active).any():
                break
            active |= passed
        names = [front.steerable[i] for i in limits.which[passed]]
        reason = f"the bound{'s' if len(names) > 1 else ''} on {listed(names)} left no more room"
        bounded = True
        room = limits.rooms(front)[limits.which[passed]]
        cut = float(np.clip(0.999 * (room / (room + beyond[passed])).min(), 0.1, 0.999))
        leg, share = leg.share(front, cut), share * cut
    return Arrival(leg, None, losses, 0.0, reason)


def _asked(problem: Problem, front: FrontModel, prediction: Prediction, correction: Correction) -> Losses:
    """The losses at the end of a correction, on the data on which they are asked for."""
    if correction.theta is prediction.theta:
        return prediction.losses
    if front.asked == "train" and correction.losses is not None:
        return correction.losses
    return problem.evaluate(correction.theta, front.asked)


def target_of(plan: Plan, front: FrontModel, problem: Problem) -> Target:
    """What a plan from the point of ``front`` is to arrive at, as precisely as the problem allows."""
    return Target.of(plan, front, problem, 0.01 if problem.stochastic else 1e-6)


def _comes_up_to(plan: Plan, limits: Limits, front: FrontModel) -> NDArray[np.bool_]:
    """Of each limit, whether the plan uses all but a little of the room before it."""
    room = limits.rooms(front)[limits.which]
    change = limits.sense * plan.changes[limits.which]
    largest = np.abs(plan.changes[: front.m]).max(initial=0.0)
    return np.asarray(change > room - 0.02 * np.maximum(np.abs(change), 1e-3 * largest))
