"""The course to an aspiration level: planned anew after every leg, as near as the front comes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from paretonav.objectives import Problem
from paretonav.steering.planning.plan import Plan
from paretonav.steering.preferences import Wish
from paretonav.steering.stepping.acceptance import Broken
from paretonav.steering.stepping.correctors import Correction
from paretonav.steering.stepping.course import Course, Walk
from paretonav.steering.stepping.leg import Arrival
from paretonav.steering.stepping.method import Method
from paretonav.steering.stepping.place import Place
from paretonav.steering.stepping.predictors import at_hand
from paretonav.steering.stepping.target import measured
from paretonav.steering.stepping.unreached import why_unreached

Array = NDArray[np.float64]

_MAX_LEGS = 60  # the longest walk that was seen to come closer all the time took 27
_WORTH = 0.1  # of the predicted approach, that a leg has to bring; a trust region method's usual bound
_WELL = 0.75  # of it: a leg that brings more may be followed by one of twice the length; likewise usual
_SHORTER = 0.25  # times the length of a leg that was taken back; likewise usual
# Relative change of the losses, of a function and on data: a leg that is shorter is lost in rounding, or in noise.
_SMALL, _SMALL_ON_DATA = 1e-7, 1e-3
_NEAR, _NEAR_ON_DATA = 1e-6, 0.05  # of the way: what is left of it then is the precision of a step
# Times its size, that missing a target weighs where it can be met: an exact penalty, and large enough to be one.
_SHORT = 1e3


class ToAspiration(Course):
    """Leg after leg to the target of a wish, or to the outcome on the front that is nearest to it.

    A trust region method on the front (Conn, Gould, Toint, 2000): the second-order front model says where the target
    or the nearest outcome is, a leg leads as far towards it as the model is believed, and a leg that brings less than a
    tenth of the approach that it promised is taken back and made shorter. It ends where the model promises no more.
    """

    def __init__(self, problem: Problem, method: Method, start: Place, plan: Plan) -> None:
        super().__init__(problem, method, start, plan)
        self._small = _SMALL_ON_DATA if problem.stochastic else _SMALL
        self._radius = np.inf  # of the trust region, in relative changes of the losses as all lengths here
        self._length, self._longest = np.inf, 0.0  # of the plan now, and of all so far
        self._all_gone = False  # of a plan that promised the target itself

    def next_leg(self, place: Place, legs: int) -> tuple[Plan, float] | None:
        if self.over or legs >= _MAX_LEGS:
            return None
        changes = self.plan.changes[: place.front.m]
        self._length = place.trust.length(place.front, changes)
        self._longest = max(self._longest, self._length)
        if self._length <= self._small:
            return None
        self.share = min(place.trust.share(place.front, changes), self._radius / self._length)
        leg = _as_leg(self.plan.share(place.front, self.share), self._length)
        return leg, 1 - (1 - self.share) * self._length / self._longest

    def keeps(self, place: Place, arrival: Arrival, lost: tuple[Broken, ...], legs: int) -> bool:  # noqa: ARG002
        if arrival.correction is None or lost:
            return False
        brought, promised = self._approach(place, arrival, arrival.correction)
        if brought > _WELL * promised:
            self._radius = max(self._radius, 2 * self._length * self.share)
        return brought > _WORTH * promised

    def again(self, place: Place) -> Place:
        """A quarter as long."""
        self._radius = _SHORTER * min(self._length * self.share, self._radius)
        self.over = self._radius <= self._small
        return place

    def taken(self, place: Place, arrival: Arrival) -> Plan:
        self._all_gone = self.plan.exact and self.share * arrival.share == 1
        return self._gone(place, arrival)

    def plan_from(self, place: Place, legs: int) -> None:  # noqa: ARG002 - each comes nearer
        if self._all_gone and self._attained(place):
            self.over = True
        else:
            self.plan = self.method.predictor.plan(
                place.front, at_hand(place.tangent), self._rest(place), 1.0
            )

    def ended(self, gone: Walk) -> Walk:
        place, correction, tangent = gone.place, gone.correction, gone.place.tangent
        gone = replace(gone, amount=self.plan.amount)
        if correction is not None:
            gone = replace(gone, correction=replace(correction, tangent=tangent))
        here = (
            correction is None and self.plan.exact and self._length <= self._small
        )  # nearer than a step can tell
        if not (here or self._attained(place)):
            stochastic = self.problem.stochastic
            return replace(
                gone, reason=why_unreached(place.front, tangent, self._rest(place), stochastic=stochastic)
            )
        if correction is None:  # it was there from the start
            return replace(
                gone,
                correction=Correction(
                    tangent.theta, tangent.losses, tangent.weights, tangent, 0, converged=True
                ),
            )
        return gone

    def _gone(self, place: Place, arrival: Arrival) -> Plan:
        """The part of the plan that a leg has gone."""
        return self.plan.share(place.front, self.share * arrival.share)

    def _approach(self, place: Place, arrival: Arrival, correction: Correction) -> tuple[float, float]:
        """By how much a leg came nearer to the target, and by how much it was to."""
        plan, goal, named = self.plan, self.goal, self.plan.wish.named
        front = place.front
        came = measured(self.problem, correction.theta, front.asked, named, arrival.losses)
        was_to = (front.values + self._gone(place, arrival).changes)[named]
        before = _distance(plan, goal, front.values[named])
        return before - _distance(plan, goal, came), before - _distance(plan, goal, was_to)

    def _rest(self, place: Place) -> Wish:
        """The same target from another place; what is held is held where it is now."""
        wish = self.whole.wish
        return replace(wish.towards(self.goal, place.front.values[wish.named]), room=self.room_left(place))

    def _attained(self, place: Place) -> bool:
        """Whether the named quantities are as good as their targets, up to what a step's precision leaves."""
        wish, goal = self.whole.wish, self.goal
        short = _short(wish, goal, place.front.values[wish.named])
        way = np.abs(goal - self.start.front.values[wish.named]) / wish.scale[wish.named]
        return bool(short.max() <= (_NEAR_ON_DATA if self.problem.stochastic else _NEAR) * way.max())


def _as_leg(leg: Plan, amount: float) -> Plan:
    """What the predictor and the corrector are to bring about: all that is named, if the front has such an outcome.

    Else the plan's outcome is no promise, only the best that the model knows of: nothing but the holds is aligned to.
    """
    if leg.exact:
        return leg
    direction = np.where(leg.wish.direction == 0, 0.0, np.nan)
    return replace(leg, wish=replace(leg.wish, direction=direction), amount=amount)


def _short(wish: Wish, goal: Array, values: Array) -> Array:
    """[named], what values are worse than their targets by, in the wish's units of each; negative where better.

    Of a metric of which nobody has said which way is better, either way is worse.
    """
    off = (values - goal) / wish.scale[wish.named]
    sense = wish.orientation[wish.named]
    return np.asarray(np.where(sense == 0, np.abs(off), sense * off))


def _distance(plan: Plan, goal: Array, values: Array) -> float:
    """How far values [named] are from the target, in the sense in which the plan goes there.

    Half a sum of squares: of what is missing, where the front comes only near to the target; of the differences, where
    it has just this outcome; and of these beside what is missing, where there is one as good or better. What is held
    is no target.
    """
    moves = plan.wish.direction[plan.wish.named] != 0
    missing = np.where(moves, np.maximum(_short(plan.wish, goal, values), 0), 0.0)
    off = np.where(moves, (values - goal) / plan.wish.scale[plan.wish.named], 0.0)
    if not plan.attainable:
        return float(0.5 * np.square(missing).sum())
    if plan.exact:
        return float(0.5 * np.square(off).sum())
    return float(0.5 * np.square(off).sum() + _SHORT * missing.sum())
