"""What is asked for at every start."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

import paretonav as pn
from paretonav.steering.planning.plan import Plan
from side_by_side.problems import Start

Array = NDArray[np.float64]

AMOUNT = 0.05
OF_REACH = 0.8  # is taken where the amount is infeasible
NOTHING = 1e-3  # a reach below this allows no step


@dataclass(frozen=True)
class Wish:
    """A preference with its amount.

    Attributes:
        preference: what is wanted.
        amount: how much of it, a part of the losses.
        note: what became of an infeasible amount.
    """

    preference: pn.Improve
    amount: float
    note: str = ""

    def __str__(self) -> str:
        improved = ", ".join(f"{name} {weight:g}" for name, weight in self.preference.weights.items())
        return improved + "".join(f", hold {name}" for name in self.preference.hold)


@dataclass(frozen=True, eq=False)
class Task:
    """A wish at a start, with the default method's plan for it.

    Attributes:
        start: where it begins.
        wish: a feasible one.
        plan: of the default method.
    """

    start: Start
    wish: Wish
    plan: Plan

    @property
    def named(self) -> NDArray[np.intp]:
        """The objectives that the wish names."""
        return self.plan.wish.named

    @property
    def requested(self) -> Array:
        """[m], the changes of the losses that are asked for; NaN where an objective is free."""
        requested = np.full(self.start.problem.m, np.nan)
        requested[self.named] = list(self.plan.requested.losses.values())
        return requested

    @property
    def outcome(self) -> Array:
        """[m], the losses that the plan predicts; kept above zero, as rays to it must be."""
        losses = self.start.point.front.losses + self.plan.predicted.train
        return np.asarray(np.maximum(losses, 1e-4 * losses.max()))


def wishes(names: tuple[str, ...], amount: float = AMOUNT) -> list[Wish]:
    """One objective; two of them 0.7 : 0.3; one with another held. With two in all: each, and half of the first.

    They are about the training losses, by which the other methods steer.
    """
    first = Wish(pn.Improve({names[0]: 1.0}, on="train"), amount)
    if len(names) == 2:
        return [
            first,
            Wish(pn.Improve({names[1]: 1.0}, on="train"), amount),
            replace(first, amount=amount / 2),
        ]
    a, b = names[:2]
    two = pn.Improve({a: 0.7, b: 0.3}, on="train", units="absolute")
    return [first, Wish(two, amount), Wish(pn.Improve({a: 1.0}, hold=[b], on="train"), amount)]


def task(start: Start, wish: Wish) -> Task | Wish:
    """The wish as it can be had, or with a note of why it cannot."""
    start.nav.go_to(start.point.id)
    try:
        return Task(start, wish, start.nav.preview(wish.preference, wish.amount).plan)
    except pn.InfeasiblePreferenceError as refused:
        note = f"infeasible at {wish.amount:g}, reach {refused.reach:.3g}"
        if refused.reach < NOTHING:
            return replace(wish, note=note)
        part = replace(wish, amount=OF_REACH * refused.reach, note=note)
        return Task(start, part, start.nav.preview(part.preference, part.amount).plan)
