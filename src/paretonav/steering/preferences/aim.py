"""Go to an aspiration level."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from paretonav.errors import PreferenceError
from paretonav.steering.preferences.checks import comparable, disjoint, numbers, rooms
from paretonav.steering.preferences.terms import Terms
from paretonav.steering.preferences.wish import Fit, Situation, Wish


@dataclass(frozen=True, repr=False)
class Aim(Terms):
    """Go to values of some losses or metrics, in as many legs as it takes.

    Where the front does not have such an outcome, the step goes to the one nearest to it: with the least sum of
    squares of what the named quantities are worse than their targets, each in parts of its value at the start (or
    in other ``units``). What is better than its target counts for nothing, so no other pays for it. If the
    front has an outcome that is better than every target, the surplus is made as small as may be instead. The idea of
    aspiration levels is Wierzbicki's ("The use of reference objectives in multiobjective optimization", 1980).

    Args:
        target: name -> the value to arrive at.
        hold: names of those that shall not move meanwhile.
        allow: as in Improve.
        on: as in Improve.
        units: in which it is measured what is nearest: as in Improve.

    A step's ``amount`` is the part of the way, by default all of it.

    Example:
        >>> Aim({"age": 0.52, "accuracy": 0.9}).target["accuracy"]
        0.9
    """

    target: Mapping[str, float]
    default_amount: ClassVar[float] = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "target", numbers(self.target, "target", finite=True))

    def wish(self, at: Situation) -> Wish:
        at.require_known((*self.target, *self.hold, *self.allow))
        if not self.target:
            raise PreferenceError("there is no target; give at least one objective or metric a value")
        disjoint({"has a target": self.target, "is held": self.hold, "has a bound": self.allow})
        goal, direction = at.values.copy(), np.full(len(at.names), np.nan)
        for name, value in self.target.items():
            goal[at.index(name)], direction[at.index(name)] = value, 1.0
        for name in self.hold:
            direction[at.index(name)] = 0.0
        if (goal == at.values).all():
            raise PreferenceError(f"{' and '.join(self.target)} already is where it shall go")
        room, sizes = rooms(at, self.allow), comparable(at, self.units)
        if self.units == "absolute":  # all alike; it does not matter how large
            sizes = np.full(len(sizes), sizes[direction == 1.0].max())
        named = Wish(at.names, direction, 1.0, at.orientation, room, np.abs(direction), sizes, Fit.NEAREST)
        return named.towards(goal[named.named], at.values[named.named])
