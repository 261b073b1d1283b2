"""Go to an aspiration level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from paretonav.errors import PreferenceError
from paretonav.steering.preferences.checks import check_on, comparable, disjoint, names, numbers, rooms
from paretonav.steering.preferences.wish import Fit, On, Situation, Units, Wish


@dataclass(frozen=True)
class Aim:
    """Go to values of some losses or metrics, in as many legs as it takes.

    Where the front does not have such an outcome, the step goes to the one nearest to it: with the least sum of
    squares of what the named quantities are worse than their targets, each in parts of its value at the start (in
    units of ranges, of its range). What is better than its target counts for nothing, so no other pays for it. If the
    front has an outcome that is better than every target, the surplus is made as small as may be instead. The idea of
    aspiration levels is Wierzbicki's ("The use of reference objectives in multiobjective optimization", 1980).

    Args:
        target: name -> the value to arrive at; in other units than "absolute", the signed change to it.
        hold: names of those that shall not move meanwhile.
        allow: name -> the worst value that is still acceptable, of those that may pay.
        units: of the targets: "absolute", values; "relative", signed changes in parts of the present values; "range",
            in parts of the ranges.
        on: as in Improve.

    A step's ``amount`` is the part of the way, by default all of it.

    Example:
        >>> Aim({"age": 0.52, "accuracy": 0.9}).target["accuracy"]
        0.9
    """

    target: Mapping[str, float]
    hold: Sequence[str] = field(default=())
    allow: Mapping[str, float] = field(default_factory=dict)
    units: Units = "absolute"
    on: On | None = None
    default_amount: ClassVar[float] = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "target", numbers(self.target, "target", finite=True))
        object.__setattr__(self, "hold", names(self.hold, "hold"))
        object.__setattr__(self, "allow", numbers(self.allow, "allow"))
        check_on(self.on)

    def wish(self, at: Situation) -> Wish:
        at.require_known((*self.target, *self.hold, *self.allow))
        if not self.target:
            raise PreferenceError("there is no target; give at least one objective or metric a value")
        disjoint({"has a target": self.target, "is held": self.hold, "has a bound": self.allow})
        scale, goal, direction = at.scale(self.units), at.values.copy(), np.full(len(at.names), np.nan)
        for name, value in self.target.items():
            i = at.index(name)
            goal[i] = value if self.units == "absolute" else at.values[i] + value * scale[i]
            direction[i] = 1.0
        for name in self.hold:
            direction[at.index(name)] = 0.0
        if (goal == at.values).all():
            raise PreferenceError(f"{' and '.join(self.target)} already is where it shall go")
        room, sizes = rooms(at, self.allow), comparable(at, self.units)
        named = Wish(at.names, direction, 1.0, at.orientation, room, np.abs(direction), sizes, Fit.NEAREST)
        return named.towards(goal[named.named], at.values[named.named])
