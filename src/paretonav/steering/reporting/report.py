"""What a step was to do and did, put together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from paretonav.geometry import FrontModel
from paretonav.objectives import Cost, Losses
from paretonav.steering.outcome import Part
from paretonav.steering.planning.plan import Plan
from paretonav.steering.planning.predictions import predictions
from paretonav.steering.preferences import Fit, Preference, Wish
from paretonav.steering.reporting.measured import Read, changes_between
from paretonav.steering.reporting.point import Point, Step, StepStatus
from paretonav.steering.stepping.acceptance import broken
from paretonav.steering.stepping.target import Target


def step_report(
    before: Point,
    after: Point,
    plan: Plan,
    train: Losses | None,
    held_out: Losses | None,
    status: StepStatus,
    reason: str,
    cost: Cost,
    preference: Preference,
    amount: float,
    legs: int = 1,
) -> Step:
    """The report of a step.

    Args:
        before: where it began.
        after: where the navigation is now.
        plan: of the part that was taken.
        train: the training losses that it led to, taken back or not, or None if they were not measured.
        held_out: the same on validation data, if they were measured.
        status: how it ended.
        reason: why.
        cost: of it all.
        preference: what was asked.
        amount: how much of it.
        legs: in how many it was gone.
    """
    return Step(
        point=after,
        requested=plan.requested,
        predicted=predictions(before.front, plan),
        achieved=changes_between(before.front.names, before.read, Read(train, held_out)),
        status=status,
        reason=reason,
        cost=cost,
        preference=preference,
        amount=amount,
        legs=legs,
        missed=() if status is StepStatus.REJECTED else _missed(before, plan, train, held_out),
    )


def _missed(
    before: Point, plan: Plan, train: Losses | None, held_out: Losses | None
) -> tuple[tuple[str, Part], ...]:
    front = replace(before.front, asked=plan.on)
    return tuple((each.name, each.part) for each in broken(front, plan, train, held_out))


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
    parts = short / target.scale
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
    changes = changes_between(before.front.names, before.read, after.read).metrics
    return [
        wish.names[i]
        for i in ([] if wish.fit is Fit.NEAREST else wish.improved)
        if i >= m and wish.orientation[i] * changes[wish.names[i]] > 0 and not changes.is_noise(wish.names[i])
    ]
