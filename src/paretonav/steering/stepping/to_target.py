"""The course to a wish's target: all of its amount, or as much of it as keeps what was promised."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import numpy as np

from paretonav.errors import InfeasiblePreferenceError
from paretonav.objectives import Problem
from paretonav.steering.measured import Measured
from paretonav.steering.planning.plan import Plan
from paretonav.steering.preferences import Wish
from paretonav.steering.stepping.acceptance import Broken
from paretonav.steering.stepping.course import Course, Walk
from paretonav.steering.stepping.leg import Arrival
from paretonav.steering.stepping.method import Method
from paretonav.steering.stepping.onward import held_stronger, place_on_the_way
from paretonav.steering.stepping.place import Place
from paretonav.steering.stepping.predictors import at_hand
from paretonav.steering.stepping.promises import best_kept, promises

# When a walk is not worth going on with. All chosen, not measured: more patience brings a little more of the amount, at
# a leg's cost each time.
_DETOURS = 4  # new plans behind a bound that shortened a leg: where four were shortened, so is the next
_RETRIES = 3  # of legs that did not come true: what fails at an eighth of its length does not fail by that
_MOST_LEGS = 6  # from where a model is held: each is a measurement as dear as a start
_LEAST = 0.04  # of the amount: a leg that is shorter is not worth its cost
_WORTH = 0.1  # of the amount: a walk that ends with less is no step, as a plan that covers less is none
_ALL = 1 - 1e-9  # of the amount: what is left then is rounding
_SAFE = 0.9  # of a reach, as in ``plan``: up to there the losses do fall


class ToTarget(Course):
    """One leg after the other until the amount is gone for.

    A leg after which something is worse than was predicted, for the leg or for all of the way so far, is taken back
    (``broken``). It is tried again with a stronger pull, where the model is held by one, and shorter. Where the model
    around the start covers only a part of the way, the first leg goes no further, and the rest is planned from there.
    A walk that ends with less than a tenth of what was asked is none.
    """

    def __init__(self, problem: Problem, method: Method, start: Place, plan: Plan) -> None:
        super().__init__(problem, method, start, plan)
        self._done = 0.0  # of the amount
        self._most = 1.0  # share of the plan that a leg may take, after longer ones have failed
        self._failures, self._detours = 0, 0

    def next_leg(self, place: Place, legs: int) -> tuple[Plan, float] | None:  # noqa: ARG002 - see plan_from
        if self.over:
            return None
        self.share = min(self._trusted(place), self._most)
        leg, total = self.plan.share(place.front, self.share), self.whole.amount
        return leg, (self._done + leg.amount) / total if total else 1.0

    def keeps(self, place: Place, arrival: Arrival, lost: tuple[Broken, ...], legs: int) -> bool:
        if arrival.correction is None:
            self.reason, self.over = arrival.reason, True
            return False
        lost = lost or self._lost_so_far(place, arrival, legs)
        if lost:
            self.reason = str(lost[0])
        return not lost

    def again(self, place: Place) -> Place:
        """With more pull after every second failure, or half as long."""
        self._failures += 1
        if self.over or self._failures > _RETRIES:
            self.over = True
            return place
        if self._failures % 2 == 0 and (stronger := self._with_more_pull(place)) is not None:
            return stronger
        self._most = self.share / 2
        self.over = self._most * self.plan.amount < _LEAST * self.whole.amount
        return place

    def taken(self, place: Place, arrival: Arrival) -> Plan:  # noqa: ARG002 - the leg says it itself
        self._done, self._most = self._done + arrival.plan.amount, 1.0
        if arrival.share < 1:
            self.reason, self._detours = arrival.reason, self._detours + 1
            self.over = not arrival.bounded or self._detours > _DETOURS
        if not self.over and self._done >= _ALL * self.whole.amount:
            self._end("")
        return arrival.plan

    def plan_from(self, place: Place, legs: int) -> None:
        rest = self._rest(place)
        if not np.nan_to_num(rest.direction).any():
            self._done = self.whole.amount
            self._end("")
            return
        total, left = self.whole.amount, self.whole.amount - self._done
        plan, at = self.method.predictor.plan, at_hand(place.tangent)
        try:
            self.plan = plan(place.front, at, rest, left)
        except InfeasiblePreferenceError as refused:
            if _SAFE * refused.reach < _LEAST * total:
                self._end(f"on the way, {refused.reason}")
                return
            self.plan = plan(place.front, at, rest, _SAFE * refused.reach)
        if place.front.anchor is None:
            return
        if legs >= _MOST_LEGS:
            self._end(f"{legs} legs led no further" + (f": {self.plan.end}" if self.plan.end else ""))
        elif self._trusted(place) * self.plan.amount < min(_LEAST * total, 0.999 * self.plan.amount):
            self._end(
                f"on the way, {self.plan.end or 'the next leg would be too short to be worth its cost'}"
            )

    def ended(self, gone: Walk) -> Walk:
        gone = replace(gone, amount=self._done, reason=self.reason)
        total = self.whole.amount
        if gone.correction is None or self._done >= _WORTH * total or not self.method.predictor.promises:
            return gone
        too_little = f"only {self._done / total:.2g} of it was possible, which is not worth a step"
        return replace(gone, correction=None, reason=f"{too_little}: {self.reason}")

    def _end(self, reason: str) -> None:
        self.over, self.reason = True, reason

    def _trusted(self, place: Place) -> float:
        """The share of the plan that the model around a place covers, within the trust radius."""
        return min(place.trust.share(place.front, self.plan.changes[: place.front.m]), self.plan.modelled)

    def _lost_so_far(self, place: Place, arrival: Arrival, legs: int) -> tuple[Broken, ...]:
        """What the start has promised for the way up to the end of a leg, and was not kept; but for the first leg."""
        start, predictor = self.start, self.method.predictor
        if arrival.correction is None or place.front is start.front or not predictor.promises:
            return ()
        plans = promises(predictor, start, self.whole, self._done + arrival.plan.amount)
        came = Measured(arrival.correction.losses, arrival.validation(start.front))
        return best_kept(start.front, plans, came, legs + 1)[1]

    def _with_more_pull(self, place: Place) -> Place | None:
        """The same place with the model held more strongly and the rest planned anew; None where that cannot be."""
        tangent = held_stronger(self.problem, place.tangent, place.trust.geometry)
        if tangent is None:
            return None
        stronger = place_on_the_way(self.problem, place, tangent, self.whole.wish, place.losses)
        with suppress(InfeasiblePreferenceError):
            self.plan = self.method.predictor.plan(
                stronger.front, at_hand(tangent), self._rest(stronger), self.whole.amount - self._done
            )
            return stronger
        return None

    def _rest(self, place: Place) -> Wish:
        """What is left of the wish: the way to its goal from a place, as the amount that is left.

        What has gone too far stays there, and what is held is held where it is now: nobody has asked to go back.
        """
        wish, left = self.whole.wish, self.whole.amount - self._done
        named, direction = wish.named, wish.direction.copy()
        remaining = (self.goal - place.front.values[named]) / (wish.unit * left)
        direction[named] = np.where(remaining * direction[named] > 0, remaining, 0.0)
        no_caps = np.full(len(wish.cap), np.inf)
        return replace(wish, direction=direction, room=self.room_left(place), cap=no_caps)
