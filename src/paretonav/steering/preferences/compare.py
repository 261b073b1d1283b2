"""Follow what a liking implies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol, runtime_checkable

from paretonav.errors import PreferenceError
from paretonav.steering.preferences.checks import (
    DEFAULT_AMOUNT,
    check_on,
    disjoint,
    names,
    numbers,
    proportional,
)
from paretonav.steering.preferences.wish import Fit, On, Situation, Units, Wish


@runtime_checkable
class Outcome(Protocol):
    """What has losses and metrics: a point, or its record."""

    @property
    def losses(self) -> Mapping[str, float]:
        """Name -> training loss."""

    @property
    def validation(self) -> Mapping[str, float] | None:
        """Name -> validation loss, or None."""

    @property
    def metrics(self) -> Mapping[str, float]:
        """Name -> metric."""


@dataclass(frozen=True)
class Compare:
    """Go on in the direction from an outcome that is liked less to one that is liked better.

    The difference of the two says what is wanted, and what is paid for it: of the changes in this
    direction the part along the front here is taken, by least squares in parts of the present values (in units of
    ranges, of the ranges).

    Args:
        better: the outcome that is liked better: a point, or a mapping name -> value.
        worse: the other one. The losses and metrics that both have are compared, but for metrics of which nobody
            has said which way they are better.
        hold: names of those that shall not move, whatever they do in the comparison.
        allow: name -> the worst value that is still acceptable; what has a bound is not compared.
        units: what differences are compared in. A step's ``amount`` is what the one with the largest difference is
            to change by, relative to its value (or range); the part along the front may be less.
        on: as in Improve; of a point, its losses on these data are taken.

    Example:
        >>> Compare(better={"age": 0.5, "marital": 0.4}, worse={"age": 0.6, "marital": 0.3}).better
        {'age': 0.5, 'marital': 0.4}
    """

    better: Mapping[str, float]
    worse: Mapping[str, float]
    hold: Sequence[str] = field(default=())
    allow: Mapping[str, float] = field(default_factory=dict)
    units: Units = "relative"
    on: On | None = None
    default_amount: ClassVar[float] = DEFAULT_AMOUNT

    def __init__(
        self,
        better: Outcome | Mapping[str, float],
        worse: Outcome | Mapping[str, float],
        hold: Sequence[str] = (),
        allow: Mapping[str, float] | None = None,
        units: Units = "relative",
        on: On | None = None,
    ) -> None:
        check_on(on)
        object.__setattr__(self, "better", _values(better, "better", on))
        object.__setattr__(self, "worse", _values(worse, "worse", on))
        object.__setattr__(self, "hold", names(hold, "hold"))
        object.__setattr__(self, "allow", numbers(allow or {}, "allow"))
        object.__setattr__(self, "units", units)
        object.__setattr__(self, "on", on)

    def wish(self, at: Situation) -> Wish:
        at.require_known((*self.better, *self.worse, *self.hold, *self.allow))
        disjoint({"is held": self.hold, "has a bound": self.allow})
        scale = dict(zip(at.names, at.scale(self.units), strict=True))
        # What is zero has no size to measure its difference with; of a metric without a better side nobody likes more.
        common = [
            name
            for name in self.better
            if name in self.worse and scale[name] > 0 and at.orientation[at.index(name)]
        ]
        differences = {name: (self.better[name] - self.worse[name]) / scale[name] for name in common}
        changes = {
            name: change
            for name, change in differences.items()
            if name not in self.hold and name not in self.allow
        }
        if not any(changes.values()):
            raise PreferenceError(
                "the two outcomes do not differ, so the liking says nothing; compare others"
            )
        return proportional(
            at, changes | dict.fromkeys(self.hold, 0.0), self.units, self.allow, fit=Fit.ALONG
        )


def _values(given: Outcome | Mapping[str, float], what: str, on: On | None) -> dict[str, float]:
    if isinstance(given, Outcome):
        losses = given.losses if on == "train" or given.validation is None else given.validation
        given = {**losses, **given.metrics}
    return numbers(given, what, finite=True)
