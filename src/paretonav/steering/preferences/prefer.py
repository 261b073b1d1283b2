"""Follow a comparison: of two outcomes, one is preferred."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from paretonav.errors import PreferenceError
from paretonav.steering.changes import Estimates
from paretonav.steering.outcome import Outcome
from paretonav.steering.preferences.checks import disjoint, numbers, proportional
from paretonav.steering.preferences.terms import Terms
from paretonav.steering.preferences.wish import Fit, On, Situation, Units, Wish


class Valued(Protocol):
    """What has losses and metrics: a point, or its record."""

    @property
    def values(self) -> Outcome[Estimates]:
        """On each part of the data."""


@dataclass(frozen=True, repr=False)
class Prefer(Terms):
    """Go on in the direction from one outcome to another that is preferred to it.

    The difference of the two says what is wanted, and what may be paid for it. Of the changes in this direction the
    part that lies along the front here is taken, by least squares in parts of the present values (or in other
    ``units``).

    Args:
        better: the outcome that is preferred: a point, or a mapping name -> value.
        over: the other one. The losses and metrics that both have are compared, but for metrics of which nobody
            has said which way they are better.
        hold: names of those that shall not move, whatever they do in the comparison.
        allow: as in Improve; what has a bound is not compared.
        on: as in Improve; of a point, its losses on these data are taken.
        units: what differences are compared in, as in Improve. A step's ``amount`` is what the one with the largest
            difference is to change by, relative to its value (or range); the part along the front may be less.

    Example:
        >>> Prefer({"age": 0.5, "marital": 0.4}, over={"age": 0.6, "marital": 0.3}).better
        {'age': 0.5, 'marital': 0.4}
    """

    better: Mapping[str, float]
    over: Mapping[str, float]

    def __init__(
        self,
        better: Valued | Mapping[str, float],
        over: Valued | Mapping[str, float],
        *,
        hold: Sequence[str] = (),
        allow: Mapping[str, float] | None = None,
        on: On | None = None,
        units: Units = "relative",
    ) -> None:
        super().__init__(hold=hold, allow=allow or {}, on=on, units=units)
        object.__setattr__(self, "better", _values(better, "better", on))
        object.__setattr__(self, "over", _values(over, "over", on))

    def wish(self, at: Situation) -> Wish:
        at.require_known((*self.better, *self.over, *self.hold, *self.allow))
        disjoint({"is held": self.hold, "has a bound": self.allow})
        scale = dict(zip(at.names, at.scale(self.units), strict=True))
        # What is zero has no size to measure a difference by; of a metric without a better side no value is better.
        common = [
            name
            for name in self.better
            if name in self.over and scale[name] > 0 and at.orientation[at.index(name)]
        ]
        differences = {name: (self.better[name] - self.over[name]) / scale[name] for name in common}
        changes = {
            name: change
            for name, change in differences.items()
            if name not in self.hold and name not in self.allow
        }
        if not any(changes.values()):
            raise PreferenceError(
                "the two outcomes do not differ, so the comparison says nothing; compare others"
            )
        return proportional(
            at, changes | dict.fromkeys(self.hold, 0.0), self.units, self.allow, fit=Fit.ALONG
        )


def _values(given: Valued | Mapping[str, float], what: str, on: On | None) -> dict[str, float]:
    values = getattr(given, "values", None)  # a mapping has them, too, and others
    if isinstance(values, Outcome):
        given = {**(values.train if on == "train" else values.losses), **values.metrics}
    return numbers(given, what, finite=True)  # type: ignore[arg-type]
