"""What a walk goes for, whichever way it goes there."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from paretonav.objectives import Losses, Problem
from paretonav.steering.planning.plan import Plan
from paretonav.steering.stepping.acceptance import Broken
from paretonav.steering.stepping.correctors import Correction
from paretonav.steering.stepping.leg import Arrival
from paretonav.steering.stepping.method import Method
from paretonav.steering.stepping.place import Place
from paretonav.steering.stepping.target import Limits


@dataclass(frozen=True, eq=False)
class Walk:
    """Where a walk has led.

    Attributes:
        correction: at its end; None if not even the first leg was possible, or it came to next to nothing.
        losses: at its end, or where the first leg failed, on the data on which they are asked for.
        place: the last of which a front model was made: where the last leg began, or where it has ended.
        legs: how many were taken.
        error: |predicted - achieved| / |predicted| of the last leg.
        amount: how much of the wish has been gone for.
        reason: why it ended before the whole amount; empty if it did not.
    """

    correction: Correction | None
    losses: Losses
    place: Place
    legs: int = 0
    error: float = 0.0
    amount: float = 0.0
    reason: str = ""


class Course(ABC):
    """What is decided on a walk: which leg comes next, whether it is kept, and when enough is enough.

    There are two, ``ToTarget`` and ``ToAspiration``; ``walk`` asks them. An object is for one walk.

    Attributes:
        problem: what is steered; its own parameters are left alone.
        method: how.
        start: where the walk begins.
        whole: the plan there.
        plan: that from the place where the walk is now.
        limits: the bounds of the wish, as values.
        goal: the values that its named quantities are to have.
        share: the part of the plan that the latest leg was to take.
        over: whether there is no other leg to be tried.
        reason: why that is so before all has come true; empty if it has.
    """

    def __init__(self, problem: Problem, method: Method, start: Place, plan: Plan) -> None:
        self.problem, self.method = problem, method
        self.start, self.whole, self.plan = start, plan, plan
        self.limits = Limits.of(plan.wish, start.front)
        self.goal = start.front.values[plan.wish.named] + plan.wish.changes(plan.amount)
        self.share, self.over, self.reason = 1.0, False, ""

    @abstractmethod
    def next_leg(self, place: Place, legs: int) -> tuple[Plan, float] | None:
        """The plan for the next leg, and which part of the walk will be done with it; None at the end.

        Args:
            place: where the walk is.
            legs: how many have been taken.
        """

    @abstractmethod
    def keeps(self, place: Place, arrival: Arrival, lost: tuple[Broken, ...], legs: int) -> bool:
        """Whether a leg is kept.

        Args:
            place: where it began.
            arrival: where it has led.
            lost: what of its own promises has not come true.
            legs: how many were taken before.
        """

    @abstractmethod
    def again(self, place: Place) -> Place:
        """After a leg that was taken back: the place from where to try again; or it is over."""

    @abstractmethod
    def taken(self, place: Place, arrival: Arrival) -> Plan:
        """Note that a leg was taken: the part of the plan that it has gone."""

    @abstractmethod
    def plan_from(self, place: Place, legs: int) -> None:
        """Plan what is left from the place to which so many legs have led; or it is over."""

    @abstractmethod
    def ended(self, gone: Walk) -> Walk:
        """The walk as it is told, with amount and reason."""

    def room_left(self, place: Place) -> np.ndarray:
        """[q], by how much each quantity may still get worse, as the bounds of the wish count from the start.

        A front that was not measured on the way has no metrics; then the wish has no bounds on them, either.
        """
        room = np.full(len(self.plan.wish.room), np.inf)
        room[: len(place.front.values)] = self.limits.rooms(place.front)
        return room
