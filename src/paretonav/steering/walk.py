"""The way from one point to the next: one leg after the other, each within the trust region."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from paretonav.errors import InfeasiblePreferenceError
from paretonav.geometry import FrontModel, Tangent, tangent_at
from paretonav.geometry.krylov import Status
from paretonav.objectives import Losses, Problem, Progress
from paretonav.steering.correctors import Correction, Corrector, Guide
from paretonav.steering.plan import Plan
from paretonav.steering.predictors import Predictor
from paretonav.steering.preference import Wish
from paretonav.steering.target import Target
from paretonav.steering.trust import Leg, Trust


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
    progress: Progress | None = None,
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
        progress: told of the phases.
    """
    start, wish, total, done, legs = front, plan.wish, plan.amount, 0.0, 0
    arrived: Correction | None = None
    losses, reason = tangent.losses, ""
    while True:
        if progress is not None:
            progress("predict", min(1.0, done / total) if total else 0.0)
        leg = plan.share(front, trust.share(front, plan.predicted))
        prediction = predictor.predict(problem, front, tangent, leg)
        if prediction.share == 0:
            reason = f"no step length out of {prediction.tries} improved what was to improve"
            losses = prediction.losses if arrived is None else losses
            break
        leg = leg.share(front, prediction.share)
        guide = Guide(tangent, front, leg, target_of(leg, front, problem))
        weights = torch.from_numpy(leg.weights).clamp_min(0)
        correction = corrector.correct(
            problem, prediction.theta, weights / weights.sum(), trust.geometry, guide, progress
        )
        change = correction.losses.mean.numpy() - front.losses
        worse = [front.names[i] for i in wish.improved if i < front.m and not change[i] < 0]
        if worse:
            reason = f"{' and '.join(worse)} did not improve"
            losses = correction.losses if arrived is None else losses
            break
        trust = trust.after(_leg(trust, front, tangent, leg, correction))
        arrived, losses, done, legs = correction, correction.losses, done + leg.amount, legs + 1
        if prediction.share < 1:
            reason = f"only {prediction.share:.3g} of the length kept what the front model promised"
            break
        if done >= (1 - 1e-9) * total:
            break
        tangent = correction.tangent or tangent_at(
            problem, correction.theta, correction.weights, trust.geometry, nearby=tangent
        )
        asked = np.concatenate([wish.named, wish.limited])
        front = FrontModel.from_tangent(
            problem, tangent, trust.geometry, measure=bool((asked >= start.m).any())
        )
        try:
            plan = predictor.plan(front, tangent, _rest(wish, start, front), total - done)
        except InfeasiblePreferenceError as refused:
            reason = f"on the way, {refused.reason}"
            break
    return Walk(arrived, losses, done, reason, trust, legs)


def target_of(plan: Plan, front: FrontModel, problem: Problem) -> Target:
    """What a plan from the point of ``front`` is to arrive at, as precisely as the problem allows."""
    return Target.of(plan, front, problem, 0.01 if problem.stochastic else 1e-6)


def _rest(wish: Wish, start: FrontModel, front: FrontModel) -> Wish:
    """The wish with what room is left to those that have a bound."""
    room = wish.room.copy()
    for i in wish.limited:
        worsened = wish.orientation[i] * (front.values[i] - start.values[i])
        room[i] = max(0.0, room[i] - worsened)
    return replace(wish, room=room)


def _leg(trust: Trust, front: FrontModel, tangent: Tangent, plan: Plan, correction: Correction) -> Leg:
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
