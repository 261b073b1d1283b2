"""The wish, which is a preference in numbers, and the situation at a point, by which a preference becomes one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from paretonav.errors import PreferenceError
from paretonav.text import in_quotes, listed, printable

Array = NDArray[np.float64]
Units = Literal["absolute", "relative", "range"]
On = Literal["validation", "train"]


@dataclass(frozen=True, eq=False)
class Situation:
    """What a preference knows of the point where it is expressed.

    Attributes:
        names: of the q quantities that can be named: objectives, then metrics.
        values: [q], of the losses on the data on which they are asked for, and of the metrics as they are shown.
        orientation: [q], 1 where lower is better, -1 where higher is, 0 where nobody has said.
        measure: gives the ranges; called where a preference is in units of them.
    """

    names: tuple[str, ...]
    values: Array
    orientation: Array
    measure: Callable[[], Array] | None = field(default=None, repr=False)

    @classmethod
    def of(cls, values: dict[str, float], **orientation: float) -> Situation:
        """From names and values; every quantity is better lower, but for what ``orientation`` says."""
        return cls(
            tuple(values),
            np.array(list(values.values()), dtype=float),
            np.array([orientation.get(name, 1.0) for name in values]),
        )

    @cached_property
    def ranges(self) -> Array:
        """[q], the span of each quantity on the front as far as it is known."""
        if self.measure is None:
            raise PreferenceError("the ranges are not known here; use units='relative' or 'absolute'")
        return self.measure()

    @property
    def sizes(self) -> Array:
        """[q], the magnitudes."""
        return np.abs(self.values)

    def index(self, name: str) -> int:
        """The place of a quantity."""
        return self.names.index(name)

    def require_known(self, given: Sequence[str]) -> None:
        """Raise ``PreferenceError`` for a name that is none of the quantities'."""
        for name in given:
            if name not in self.names:
                raise PreferenceError(
                    f"there is no objective or metric {in_quotes(name)}; "
                    f"there are {listed(map(printable, self.names))}"
                )

    def sense(self, name: str) -> float:
        """1 if lower is better, -1 if higher is."""
        sense = float(self.orientation[self.index(name)])
        if sense == 0:
            raise PreferenceError(
                f"nobody has said which way {in_quotes(name)} is better; wrap the metric as Metric(function, "
                "higher_is_better=True or False), or use Direction with a signed change"
            )
        return sense

    def scale(self, units: Units) -> Array:
        """[q], what one unit of a change is worth in the quantity's own units."""
        if units == "absolute":
            return np.ones(len(self.names))
        if units == "relative":
            return self.sizes
        return self.ranges


class Fit(StrEnum):
    """What becomes of the changes that a wish names."""

    EXACT = "exact"  # they come true, or the wish is refused
    ALONG = "along"  # their part along the front comes true
    NEAREST = "nearest"  # they come true, or the front's nearest outcome is taken


@dataclass(frozen=True, eq=False)
class Wish:
    """A preference in numbers: an amount a asks for ``change_i = a * unit * direction_i``; the rest pays freely.

    Its q quantities are the objectives, then the metrics.

    Attributes:
        names: of all quantities.
        direction: [q]; zero holds, NaN leaves free. As a rule it is -1 or 1 for the lead, the quantity whose weight is
            the largest as it was given.
        unit: the lead's size, so that the amount is the lead's relative change.
        orientation: [q], 1 where lower is better, -1 where higher is, 0 where that is not known.
        room: [q], by how much each may get worse; infinite where nothing was said.
        cap: [q], the largest magnitude of the change that is asked for; infinite where nothing was said.
        scale: [q], sizes by which changes of different quantities are compared.
        fit: what becomes of changes that the front does not allow.
    """

    names: tuple[str, ...]
    direction: Array
    unit: float
    orientation: Array
    room: Array
    cap: Array
    scale: Array
    fit: Fit = Fit.EXACT

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

    @property
    def full(self) -> float:
        """The amount from which on nothing more is asked for; infinite where there is always more."""
        moved = np.flatnonzero(np.nan_to_num(self.direction))
        return float((self.cap[moved] / (self.unit * np.abs(self.direction[moved]))).max(initial=0.0))

    def towards(self, goal: Array, values: Array) -> Wish:
        """The wish for goal [named] from values [named], all of it at the amount 1; what is held stays held."""
        direction, named = self.direction.copy(), self.named
        # Zero would hold it.
        way = np.where(goal == values, 1e-14 * self.scale[named], goal - values)
        direction[named] = np.where(direction[named] == 0, 0.0, way)
        return replace(self, direction=direction, unit=1.0, cap=np.abs(direction))

    def changes(self, amount: float) -> Array:
        """The prescribed changes of the ``named`` quantities for an amount."""
        cap = self.cap[self.named]
        return np.clip(amount * self.unit * self.direction[self.named], -cap, cap)

    def straight(self, amount: float) -> Wish:
        """The wish without caps that asks for the same at this amount, and for less in proportion."""
        if not np.isfinite(self.cap).any():
            return self
        direction = self.direction.copy()
        direction[self.named] = self.changes(amount) / (self.unit * amount)
        return replace(self, direction=direction, cap=np.full(len(self.cap), np.inf))


@runtime_checkable
class Preference(Protocol):
    """Anything that can be turned into a wish.

    The built-in ones are frozen, and made of numbers, strings, tuples and mappings only.

    A ``default_amount`` is what a step takes of it unless it is told; without that attribute, 0.05.
    """

    def wish(self, at: Situation) -> Wish:
        """The wish at a point.

        Raises:
            PreferenceError: it makes no sense there.
        """
