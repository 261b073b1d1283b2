"""Move along a signed direction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from paretonav.errors import PreferenceError
from paretonav.steering.preferences.checks import DEFAULT_AMOUNT, check_on, disjoint, numbers, proportional
from paretonav.steering.preferences.wish import On, Situation, Units, Wish


@dataclass(frozen=True)
class Direction:
    """Move some losses or metrics in a signed direction; the rest pay.

    Args:
        changes: name -> signed change in the same sense as every reported change: of a loss, negative is an
            improvement, positive a price one is ready to pay, zero holds. A step's ``amount`` is the relative
            change of the one with the largest entry (in units of ranges, its change in parts of its range).
        units: as in Improve.
        allow: as in Improve.
        on: as in Improve.

    Example:
        >>> Direction({"age": -1.0, "marital": 0.5}).changes["marital"]
        0.5
    """

    changes: Mapping[str, float]
    units: Units = "absolute"
    allow: Mapping[str, float] = field(default_factory=dict)
    on: On | None = None
    default_amount: ClassVar[float] = DEFAULT_AMOUNT

    def __post_init__(self) -> None:
        object.__setattr__(self, "changes", numbers(self.changes, "changes"))
        object.__setattr__(self, "allow", numbers(self.allow, "allow"))
        check_on(self.on)

    def wish(self, at: Situation) -> Wish:
        at.require_known((*self.changes, *self.allow))
        numbers(self.changes, "changes", finite=True)
        disjoint({"is moved": self.changes, "has a bound": self.allow})
        senses = {name: at.orientation[at.index(name)] for name in self.changes}
        if not any(
            change * senses[name] < 0 or (change and not senses[name])
            for name, change in self.changes.items()
        ):
            raise PreferenceError(
                "the direction improves nothing: no entry is negative (changes are signed as reported, "
                "negative is better; of a metric that is better higher, positive)"
            )
        return proportional(at, self.changes, self.units, self.allow)
