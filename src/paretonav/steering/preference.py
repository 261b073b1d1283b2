"""What the decision maker wants, and what that means for the objectives."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from paretonav.errors import PreferenceError

Array = NDArray[np.float64]
Units = Literal["absolute", "relative"]


@dataclass(frozen=True, eq=False)
class Wish:
    """A preference in numbers: an amount a asks for ``change_i = a * unit * direction_i``; the rest pays freely.

    Its q quantities are the objectives, then the metrics.

    Attributes:
        names: of all quantities.
        direction: [q]; zero holds, NaN leaves free. It is -1 or 1 for the anchor, the one whose weight is the largest
            as it was given.
        unit: the anchor's value in magnitude, so that the amount is the anchor's relative change.
        orientation: [q], 1 where lower is better, -1 where higher is, 0 where that is not known.
        room: [q], by how much each may get worse; infinite where nothing was said.
    """

    names: tuple[str, ...]
    direction: Array
    unit: float
    orientation: Array
    room: Array

    @property
    def named(self) -> NDArray[np.intp]:
        """Indices of the quantities whose change is prescribed."""
        return np.flatnonzero(~np.isnan(self.direction))

    @property
    def improved(self) -> NDArray[np.intp]:
        """Indices of the quantities that shall get better."""
        return np.flatnonzero(self.direction * self.orientation < 0)

    @property
    def limited(self) -> NDArray[np.intp]:
        """Indices of the quantities with a bound."""
        return np.flatnonzero(np.isfinite(self.room))

    @property
    def held(self) -> NDArray[np.intp]:
        """Indices of the quantities that shall not move."""
        return np.flatnonzero(self.direction == 0)

    def changes(self, amount: float) -> Array:
        """The prescribed changes of the ``named`` quantities for an amount."""
        return amount * self.unit * self.direction[self.named]


class Preference(Protocol):
    """Anything that can be turned into a wish."""

    def wish(self, names: Sequence[str], values: Array, orientation: Array | None = None) -> Wish:
        """The wish at a point with these values [q] of the named quantities, objectives first.

        Args:
            names: of the quantities.
            values: theirs.
            orientation: [q], 1 where lower is better, -1 where higher is, 0 where that is not known; None: all lower.

        Raises:
            PreferenceError: it makes no sense there.
        """


@dataclass(frozen=True)
class Improve:
    """Improve some losses or metrics in given proportions, hold others, let the rest pay.

    Losses are those of the training data, metrics those of the validation data.

    Args:
        weights: name -> non-negative weight. The improvements are in these proportions; a step's ``amount``
            is the relative improvement of the one with the largest weight.
        hold: names of those that shall not move.
        units: "absolute": the weights are proportions of the changes; "relative": of the changes relative to the
            present values. Losses and metrics together are best weighed in relative units.
        allow: name -> the worst value that is still acceptable, of those that may pay.

    Example:
        >>> Improve({"age": 0.7, "marital": 0.3}, hold=["education"])
        Improve(weights={'age': 0.7, 'marital': 0.3}, hold=('education',), units='absolute', allow={})
    """

    weights: Mapping[str, float]
    hold: Sequence[str] = field(default=())
    units: Units = "absolute"
    allow: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        hold = (self.hold,) if isinstance(self.hold, str) else tuple(self.hold)
        object.__setattr__(self, "hold", hold)
        object.__setattr__(self, "weights", _numbers(self.weights, "weights"))
        object.__setattr__(self, "allow", _numbers(self.allow, "allow"))

    def wish(self, names: Sequence[str], values: Array, orientation: Array | None = None) -> Wish:
        better = np.ones(len(names)) if orientation is None else orientation
        _require_known(names, (*self.weights, *self.hold, *self.allow))
        for name, weight in self.weights.items():
            if not (math.isfinite(weight) and weight >= 0):
                raise PreferenceError(
                    f"the weight of {name!r} is {weight}; improvement weights are zero or positive (use "
                    "Direction to ask for an increase)"
                )
        if not any(self.weights.values()):
            raise PreferenceError(
                "no objective has a positive weight; give at least one objective to improve"
            )
        for name in self.hold:
            if self.weights.get(name):
                raise PreferenceError(f"{name!r} is both improved and held; remove it from one of the two")
        for name in self.allow:
            if self.weights.get(name) or name in self.hold:
                raise PreferenceError(
                    f"{name!r} has a bound and is improved or held besides; remove it from one of the two"
                )
        changes = {
            name: -weight * _sense(names, better, name) for name, weight in self.weights.items() if weight
        }
        changes |= dict.fromkeys(self.hold, 0.0)
        return _wish(names, values, changes, self.units, better, _rooms(names, values, better, self.allow))


@dataclass(frozen=True)
class Direction:
    """Move some losses or metrics in a signed direction; the rest pay.

    Args:
        changes: name -> signed change in the same sense as every reported change: of a loss, negative is an
            improvement, positive a price one is ready to pay, zero holds. A step's ``amount`` is the relative
            change of the one with the largest entry.
        units: as in Improve.

    Example:
        >>> Direction({"age": -1.0, "marital": 0.5}).changes["marital"]
        0.5
    """

    changes: Mapping[str, float]
    units: Units = "absolute"

    def __post_init__(self) -> None:
        object.__setattr__(self, "changes", _numbers(self.changes, "changes"))

    def wish(self, names: Sequence[str], values: Array, orientation: Array | None = None) -> Wish:
        better = np.ones(len(names)) if orientation is None else orientation
        _require_known(names, self.changes)
        for name, change in self.changes.items():
            if not math.isfinite(change):
                raise PreferenceError(f"the change of {name!r} is {change}; give a finite number")
        senses = {name: better[list(names).index(name)] for name in self.changes}
        if not any(
            change * senses[name] < 0 or (change and not senses[name])
            for name, change in self.changes.items()
        ):
            raise PreferenceError(
                "the direction improves nothing: no entry is negative (changes are signed as reported, "
                "negative is better; of a metric that is better higher, positive)"
            )
        return _wish(names, values, self.changes, self.units, better, np.full(len(names), np.inf))


def _numbers(given: Mapping[str, float], what: str) -> dict[str, float]:
    if not isinstance(given, Mapping):
        raise PreferenceError(f'{what}={given!r} is not a mapping; give a dict such as {{"age": 1.0}}')
    for name, value in given.items():
        if not isinstance(value, Real):
            raise PreferenceError(f"{value!r} for {name!r} in {what} is not a number")
    return {name: float(value) for name, value in given.items()}


def _require_known(names: Sequence[str], given: Iterable[str]) -> None:
    for name in given:
        if name not in names:
            raise PreferenceError(f"there is no objective {name!r}; the objectives are {', '.join(names)}")


def _sense(names: Sequence[str], orientation: Array, name: str) -> float:
    """1 if lower is better, -1 if higher is."""
    sense = float(orientation[list(names).index(name)])
    if sense == 0:
        raise PreferenceError(
            f"nobody has said which way {name!r} is better; wrap the metric as Metric(function, "
            "higher_is_better=True or False), or use Direction with a signed change"
        )
    return sense


def _rooms(names: Sequence[str], values: Array, orientation: Array, allow: Mapping[str, float]) -> Array:
    """[q]: by how much each may get worse."""
    room = np.full(len(names), np.inf)
    for name, bound in allow.items():
        i = list(names).index(name)
        room[i] = _sense(names, orientation, name) * (bound - values[i])
        if not room[i] >= 0:
            raise PreferenceError(
                f"{name!r} is {values[i]:.4g} here, already beyond its bound of {bound:.4g}; improve it, or allow "
                "at least that"
            )
    return room


def _wish(
    names: Sequence[str],
    values: Array,
    changes: Mapping[str, float],
    units: Units,
    orientation: Array,
    room: Array,
) -> Wish:
    if units not in ("absolute", "relative"):
        raise PreferenceError(f"units={units!r} is unknown; choose 'absolute' or 'relative'")
    # The anchor is the one with the largest weight as it was given, in its own units.
    anchor = max(changes, key=lambda name: abs(changes[name]))
    direction, sizes = np.full(len(names), np.nan), np.abs(values)
    for i, name in enumerate(names):
        if name not in changes:
            continue
        if sizes[i] == 0 and (name == anchor or (units == "relative" and changes[name] != 0)):
            raise PreferenceError(
                f"{name!r} is zero, so a relative change of it means nothing; "
                + ("use units='absolute'" if name != anchor else "give another objective the largest weight")
            )
        direction[i] = changes[name] * (sizes[i] if units == "relative" else 1.0)
    i = list(names).index(anchor)
    return Wish(tuple(names), direction / abs(direction[i]), float(sizes[i]), orientation, room)


def check_amount(amount: float) -> float:
    """Return ``amount`` as a float if it is a positive number."""
    if isinstance(amount, bool) or not (isinstance(amount, Real) and math.isfinite(amount) and amount > 0):
        raise PreferenceError(
            f"amount={amount!r} is not possible; give a positive fraction, such as 0.05 for a change of 5 %"
        )
    return float(amount)
