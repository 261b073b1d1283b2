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

    Attributes:
        names: of all objectives.
        direction: [m]; negative improves, zero holds, NaN leaves free. It is -1 or 1 for the anchor, the
            objective whose weight is the largest as it was given.
        unit: the anchor's loss in magnitude, so that the amount is the anchor's relative change.
    """

    names: tuple[str, ...]
    direction: Array
    unit: float

    @property
    def named(self) -> NDArray[np.intp]:
        """Indices of the objectives whose change is prescribed."""
        return np.flatnonzero(~np.isnan(self.direction))

    @property
    def improved(self) -> NDArray[np.intp]:
        """Indices of the objectives that shall fall."""
        return np.flatnonzero(self.direction < 0)

    @property
    def held(self) -> NDArray[np.intp]:
        """Indices of the objectives that shall not move."""
        return np.flatnonzero(self.direction == 0)

    def changes(self, amount: float) -> Array:
        """The prescribed changes of the ``named`` objectives for an amount."""
        return amount * self.unit * self.direction[self.named]


class Preference(Protocol):
    """Anything that can be turned into a wish."""

    def wish(self, names: Sequence[str], losses: Array) -> Wish:
        """The wish at a point with these losses [m]; raises PreferenceError if it makes no sense there."""


@dataclass(frozen=True)
class Improve:
    """Lower some objectives in given proportions, hold others, let the rest pay.

    Args:
        weights: name -> non-negative weight. The improvements are in these proportions; a step's ``amount``
            is the relative improvement of the objective with the largest weight.
        hold: names of objectives that shall not move.
        units: "absolute": the weights are proportions of the losses' changes; "relative": of their
            changes relative to their present values.

    Example:
        >>> Improve({"age": 0.7, "marital": 0.3}, hold=["education"])
        Improve(weights={'age': 0.7, 'marital': 0.3}, hold=('education',), units='absolute')
    """

    weights: Mapping[str, float]
    hold: Sequence[str] = field(default=())
    units: Units = "absolute"

    def __post_init__(self) -> None:
        hold = (self.hold,) if isinstance(self.hold, str) else tuple(self.hold)
        object.__setattr__(self, "hold", hold)
        object.__setattr__(self, "weights", _numbers(self.weights, "weights"))

    def wish(self, names: Sequence[str], losses: Array) -> Wish:
        _require_known(names, (*self.weights, *self.hold))
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
        changes = {name: -weight for name, weight in self.weights.items() if weight}
        return _wish(names, losses, {**changes, **dict.fromkeys(self.hold, 0.0)}, self.units)


@dataclass(frozen=True)
class Direction:
    """Move some objectives in a signed direction; the rest pay.

    Args:
        changes: name -> signed change in the same sense as every reported change: negative is an improvement,
            positive a price one is ready to pay, zero holds. A step's ``amount`` is the relative change of
            the objective with the largest entry.
        units: as in Improve.

    Example:
        >>> Direction({"age": -1.0, "marital": 0.5}).changes["marital"]
        0.5
    """

    changes: Mapping[str, float]
    units: Units = "absolute"

    def __post_init__(self) -> None:
        object.__setattr__(self, "changes", _numbers(self.changes, "changes"))

    def wish(self, names: Sequence[str], losses: Array) -> Wish:
        _require_known(names, self.changes)
        for name, change in self.changes.items():
            if not math.isfinite(change):
                raise PreferenceError(f"the change of {name!r} is {change}; give a finite number")
        if not any(change < 0 for change in self.changes.values()):
            raise PreferenceError(
                "the direction improves nothing: no entry is negative (changes are signed as reported, "
                "negative is better)"
            )
        return _wish(names, losses, self.changes, self.units)


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


def _wish(names: Sequence[str], losses: Array, changes: Mapping[str, float], units: Units) -> Wish:
    if units not in ("absolute", "relative"):
        raise PreferenceError(f"units={units!r} is unknown; choose 'absolute' or 'relative'")
    # The anchor is the objective with the largest weight as it was given, in its own units.
    anchor = max(changes, key=lambda name: abs(changes[name]))
    direction, sizes = np.full(len(names), np.nan), np.abs(losses)
    for i, name in enumerate(names):
        if name not in changes:
            continue
        if sizes[i] == 0 and (name == anchor or (units == "relative" and changes[name] != 0)):
            raise PreferenceError(
                f"the loss {name!r} is zero, so a relative change of it means nothing; "
                + ("use units='absolute'" if name != anchor else "give another objective the largest weight")
            )
        direction[i] = changes[name] * (sizes[i] if units == "relative" else 1.0)
    i = list(names).index(anchor)
    return Wish(tuple(names), direction / abs(direction[i]), float(sizes[i]))


def check_amount(amount: float) -> float:
    """Return ``amount`` as a float if it is a positive number."""
    if isinstance(amount, bool) or not (isinstance(amount, Real) and math.isfinite(amount) and amount > 0):
        raise PreferenceError(
            f"amount={amount!r} is not possible; give a positive fraction, such as 0.05 for a change of 5 %"
        )
    return float(amount)
