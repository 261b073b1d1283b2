"""Move along a signed direction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from paretonav.errors import PreferenceError
from paretonav.steering.preferences.checks import disjoint, numbers, proportional
from paretonav.steering.preferences.terms import Terms
from paretonav.steering.preferences.wish import Situation, Wish


@dataclass(frozen=True, repr=False)
class Direction(Terms):
    """Move some losses or metrics in a signed direction; the rest pay.

    Args:
        changes: name -> signed change in the same sense as every reported change: of a loss, negative is an
            improvement, positive a price one is ready to pay, zero holds. A step's ``amount`` is the relative
            change of the one with the largest entry (in units of ranges, its change in parts of its range).
        hold: as in Improve.
        allow: as in Improve.
        on: as in Improve.
        units: as in Improve, of the changes.

    Example:
        >>> Direction({"age": -1.0, "marital": 0.5}).changes["marital"]
        0.5
    """

    changes: Mapping[str, float]

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "changes", numbers(self.changes, "changes"))

    def wish(self, at: Situation) -> Wish:
        at.require_known((*self.changes, *self.hold, *self.allow))
        numbers(self.changes, "changes", finite=True)
        moved = [name for name, change in self.changes.items() if change]
        disjoint({"is moved": moved, "is held": self.hold, "has a bound": self.allow})
        senses = {name: at.orientation[at.index(name)] for name in self.changes}
        if not any(
            change * senses[name] < 0 or (change and not senses[name])
            for name, change in self.changes.items()
        ):
            raise PreferenceError(
                "the direction improves nothing: no entry is negative (changes are signed as reported, "
                "negative is better; of a metric that is better higher, positive)"
            )
        return proportional(at, {**self.changes, **dict.fromkeys(self.hold, 0.0)}, self.units, self.allow)
