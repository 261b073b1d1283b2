"""What a step was to do and did, put together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from paretonav.geometry import FrontModel
from paretonav.objectives import Cost
from paretonav.steering.measured import Measured, changes_between
from paretonav.steering.outcome import Part
from paretonav.steering.planning.plan import Plan
from paretonav.steering.planning.predictions import predictions
from paretonav.steering.preferences import Fit, Preference, Wish
from paretonav.steering.reporting.point import Point, Step, StepStatus
from paretonav.steering.stepping.acceptance import broken
from paretonav.steering.stepping.target import Target


@dataclass(frozen=True, eq=False)
class Taken:
    """What was gone for in a step, and what came of it, whether it is kept or not.

    Attributes:
        plan: of the part that was taken.
        measured: where it led, as far as that was measured.
        legs: in how many it was gone.
    """

    plan: Plan
    measured: Measured
    legs: int = 1


@dataclass(frozen=True, eq=False)
class Report:
    """What the report of a step says however it ends.

    Attributes:
        before: where it began.
        preference: what was asked.
        amount: how much of it.
        spent: says what it has cost so far.
    """

    before: Point
    preference: Preference
    amount: float
    spent: Callable[[], Cost]

    def rejected(self, taken: Taken, reason: str) -> Step:
        """Of a step that was taken back; nothing that it missed is worth telling."""
        return self._step(self.before, taken, StepStatus.REJECTED, reason, self.spent())

    def kept(self, after: Point, taken: Taken, reason: str, *, shortened: bool = False) -> Step:
        """Of a step to ``after``; the reason says what it has left, empty if nothing."""
        status = StepStatus.SHORTENED if shortened else StepStatus.ACCEPTED
        step = self._step(after, taken, status, reason, after.cost)
        return replace(step, missed=_missed(self.before, taken))

    def _step(self, after: Point, taken: Taken, status: StepStatus, reason: str, cost: Cost) -> Step:
        before = self.before
        return Step(
            point=after,
            requested=taken.plan.requested,
            predicted=predictions(before.front, taken.plan),
            achieved=changes_between(before.front.names, before.measured, taken.measured),
            status=status,
            reason=reason,
            cost=cost,
            preference=self.preference,
            amount=self.amount,
            legs=taken.legs,
        )


def _missed(before: Point, taken: Taken) -> tuple[tuple[str, Part], ...]:
    front = replace(before.front, asked=taken.plan.on)
    return tuple((each.name, each.part) for each in broken(front, taken.plan, taken.measured))


def misses(plan: Plan, target: Target, after: FrontModel) -> Iterator[str]:
    """What of a plan has not come true, in words; of a wish that takes the nearest outcome that is no news.

    What misses its target by most is told, where that is more than a tenth of what counts as a whole change
    (``Target.scale``): in parts of the change that was asked of it, or where it was to be held, of its value.
    """
    wish = plan.wish
    if wish.fit is Fit.NEAREST:
        return
    off = after.values[wish.named] - target.values
    sense = wish.orientation[wish.named]
    # Of a metric that nobody says which way is better, either way is off.
    short = np.where(sense == 0, np.abs(off), sense * off)
    # Where nothing was asked for, nothing is missing.
    parts = np.divide(short, target.scale, out=np.zeros_like(short), where=target.scale > 0)
    worst = int(parts.argmax())
    if parts[worst] > 0.1:
        name, missing = wish.names[wish.named[worst]], short[worst]
        asked, value = (float(abs(x[worst])) for x in (wish.changes(plan.amount), target.values))
        if asked:
            yield f"{name} misses its target by {missing / asked:.0%} of the change asked of it"
        else:
            by = f"{100 * missing / value:.2g}% of its value" if value else f"{missing:.2g}"
            yield f"{name} was to be held, and is off by {by}"


def worse_metrics(wish: Wish, before: Point, after: Point) -> list[str]:
    """The metrics that were to improve, and got worse by more than their noise."""
    m = before.front.m
    changes = changes_between(before.front.names, before.measured, after.measured).metrics
    return [
        wish.names[i]
        for i in ([] if wish.fit is Fit.NEAREST else wish.improved)
        if i >= m and wish.orientation[i] * changes[wish.names[i]] > 0 and not changes.is_noise(wish.names[i])
    ]
