"""One leg of a step: along the tangent space, back to the front, and never beyond a bound."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from paretonav.geometry import FrontModel
from paretonav.objectives import Losses, Problem
from paretonav.steering.planning.plan import Plan
from paretonav.steering.stepping.correctors import Correction, Guide
from paretonav.steering.stepping.method import Method
from paretonav.steering.stepping.place import Place
from paretonav.steering.stepping.predictors import Prediction
from paretonav.steering.stepping.target import Limits, Target
from paretonav.text import listed

# Lengths of one leg that are tried before it is given up; each is cut to where it should be inside the bounds. Chosen,
# not measured.
_TRIES = 6
_PREDICTION = 0.05  # of a leg's time, for its events; the correction is the rest


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

    def validation(self, front: FrontModel) -> Losses | None:
        """The validation losses at its end, where losses are asked for on these; ``front`` is where it began."""
        return self.losses if front.asked == "validation" else None


def take_leg(problem: Problem, method: Method, place: Place, leg: Plan, limits: Limits) -> Arrival:
    """Predict and correct, so that at the end no limit is passed.

    A limit that the plan comes up to is aligned to as a target is, from the inside; so is one that the corrector has
    passed. Where there are more of them than the front has dimensions, or that fails, the leg is shortened
    to where it meets the limit.

    Args:
        problem: what is steered; its own parameters are left alone.
        method: how.
        place: where the leg begins.
        leg: the plan for it.
        limits: not to be passed at its end.
    """
    front, tries = place.front, _Tries(problem, method, place, leg, limits)
    share, reason, bounded = 1.0, "", False
    for _ in range(_TRIES):
        prediction = tries.predicted(leg)
        if prediction.share == 0:
            reason = f"no step length out of {prediction.tries} improved what was to improve"
            return Arrival(leg, None, prediction.losses, 0.0, reason)
        if prediction.share < 1:
            reason = f"only {prediction.share:.3g} of the length kept what the front model promised"
        leg, share = leg.share(front, prediction.share), share * prediction.share
        correction, losses, beyond = tries.corrected(leg, prediction)
        if not (beyond > 0).any():
            return Arrival(leg, correction, losses, share, reason, bounded)
        reason, bounded = _no_room(front, limits, beyond), True
        cut = _inside(front, limits, beyond)
        leg, share = leg.share(front, cut), share * cut
    return Arrival(leg, None, losses, 0.0, reason)


class _Tries:
    """What the tries of one leg have in common.

    Attributes:
        active: of each limit, whether it is aligned to.
        left: of the leg, for the events: another try is not expected, so each takes most of what is left.
    """

    def __init__(self, problem: Problem, method: Method, place: Place, leg: Plan, limits: Limits) -> None:
        self.problem, self.method, self.place, self.limits = problem, method, place, limits
        self.active = _comes_up_to(leg, limits, place.front)
        self.left = 1.0

    def predicted(self, leg: Plan) -> Prediction:
        """The point along the tangent space."""
        problem, front = self.problem, self.place.front
        with problem.watch.part(1 - self.left * (1 - _PREDICTION), "predict"):
            prediction = self.method.predictor.predict(problem, front, self.place.tangent, leg)
            if front.asked == "train":
                problem.watch.saw(problem.names, prediction.losses.mean)
        return prediction

    def corrected(self, leg: Plan, prediction: Prediction) -> tuple[Correction, Losses, NDArray[np.float64]]:
        """The point back on the front, the losses there, and by how much each limit is passed.

        It is corrected again as long as that passes limits that are not aligned to yet, and there is room to do so.
        """
        front, limits = self.place.front, self.limits
        while True:
            target = target_of(leg, front, self.problem)
            room = len(target.named) + self.active.sum() < front.m
            if room and self.active.any():
                target = target.and_bounds(limits, np.flatnonzero(self.active), leg, front)
            correction = self._correction(leg, prediction, target)
            losses = self._asked(prediction, correction)
            beyond = limits.beyond(self.problem, correction.theta, front.asked, losses)
            passed = beyond > 0
            if not room or not (passed & ~self.active).any():
                return correction, losses, beyond
            self.active |= passed

    def _correction(self, leg: Plan, prediction: Prediction, target: Target) -> Correction:
        place, weights = self.place, torch.from_numpy(leg.weights).clamp_min(0)
        self.left *= 0.1
        with self.problem.watch.part(1 - self.left, "return to the front"):
            return self.method.corrector.correct(
                self.problem,
                prediction.theta,
                weights / weights.sum(),
                place.trust.geometry,
                Guide(place.tangent, place.front, leg, target),
            )

    def _asked(self, prediction: Prediction, correction: Correction) -> Losses:
        """The losses at the end of a correction, on the data on which they are asked for."""
        asked = self.place.front.asked
        if correction.theta is prediction.theta:
            return prediction.losses
        if asked == "train" and correction.losses is not None:
            return correction.losses
        return self.problem.evaluate(correction.theta, asked)


def _no_room(front: FrontModel, limits: Limits, beyond: NDArray[np.float64]) -> str:
    """That limits are passed, in words."""
    names = [front.steerable[i] for i in limits.which[beyond > 0]]
    return f"the bound{'s' if len(names) > 1 else ''} on {listed(names)} left no more room"


def _inside(front: FrontModel, limits: Limits, beyond: NDArray[np.float64]) -> float:
    """The share of a leg that ends inside its limits, if what they limit grows in proportion to the length."""
    passed = beyond > 0
    room = limits.rooms(front)[limits.which[passed]]
    return float(np.clip(0.999 * (room / (room + beyond[passed])).min(), 0.1, 0.999))


def target_of(plan: Plan, front: FrontModel, problem: Problem) -> Target:
    """What a plan from the point of ``front`` is to arrive at, as precisely as the problem allows."""
    return Target.of(plan, front, problem, 0.01 if problem.stochastic else 1e-6)


def _comes_up_to(plan: Plan, limits: Limits, front: FrontModel) -> NDArray[np.bool_]:
    """Of each limit, whether the plan uses all but a little of the room before it."""
    room = limits.rooms(front)[limits.which]
    change = limits.sense * plan.changes[limits.which]
    largest = np.abs(plan.changes[: front.m]).max(initial=0.0)
    return np.asarray(change > room - 0.02 * np.maximum(np.abs(change), 1e-3 * largest))
