"""The terms that all preferences have in common: what is held or bounded, on which data, in which units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import ClassVar, get_args

from paretonav.errors import PreferenceError
from paretonav.steering.preferences.checks import DEFAULT_AMOUNT, names, numbers
from paretonav.steering.preferences.wish import On, Units


@dataclass(frozen=True, repr=False)
class Terms:
    """The terms on which a preference is said, the same for all kinds of them, by keyword.

    Args:
        hold: names of those that shall not move.
        allow: name -> the worst value that is still acceptable, of those that may pay.
        on: the data whose losses are meant: "validation", "train", or None for the validation data where there are any.
        units: in which changes of different losses and metrics are weighed against each other: "relative", in parts of
            the present values; "range", in parts of the ranges on the front as far as it is known; "absolute", in their
            own units.
    """

    hold: Sequence[str] = field(default=(), kw_only=True)
    allow: Mapping[str, float] = field(default_factory=dict, kw_only=True)
    on: On | None = field(default=None, kw_only=True)
    units: Units = field(default="relative", kw_only=True)
    default_amount: ClassVar[float] = DEFAULT_AMOUNT

    def __post_init__(self) -> None:
        object.__setattr__(self, "hold", names(self.hold, "hold"))
        object.__setattr__(self, "allow", numbers(self.allow, "allow"))
        if self.on not in (None, *get_args(On)):
            raise PreferenceError(
                f"on={self.on!r} names no data to ask for; give 'validation', 'train', or nothing"
            )
        if self.units not in get_args(Units):
            raise PreferenceError(
                f"units={self.units!r} is unknown; choose 'relative', 'range' or 'absolute'"
            )

    def __repr__(self) -> str:
        """As it can be typed, without what is as by default."""
        usual: dict[str, object] = {"allow": {}, "on": None, "units": "relative"}
        said = []
        for item in sorted(fields(self), key=lambda item: bool(item.kw_only)):
            value = getattr(self, item.name)
            if not item.kw_only:
                said.append(repr(value))
            elif value != usual.get(item.name, ()):
                said.append(f"{item.name}={value!r}")
        return f"{type(self).__name__}({', '.join(said)})"
