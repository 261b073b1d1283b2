"""Wishes for a step, as values. ``str`` gives back what parses to the same value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from paretonav import steering
from paretonav.errors import NavigationError
from paretonav.session.record import Record
from paretonav.steering.preferences import On
from paretonav.text import number

DEFAULT_PERCENT = 5.0
WHOLE = 100.0
_BARE = re.compile(r"[^\W\d]\w*")
KEYWORDS = frozenset({"by", "all", "allow", "improve", "to", "hold", "free", "over", "on"})
"""Words that are no names unless they are quoted."""


def quoted(word: str) -> str:
    """``word`` as it must be typed: bare if that is clear, else in double quotes (its own are doubled)."""
    if _BARE.fullmatch(word) and word.lower() not in KEYWORDS:
        return word
    return '"' + word.replace('"', '""') + '"'


@dataclass(frozen=True)
class Improve:
    """Improve some objectives or metrics in proportion to their weights.

    Attributes:
        entries: (name, weight).
        percent: how much of it.
        allow: (name, value) of those that may not get worse than that.
        on: the data whose losses are meant; None for the validation data where there are any.
    """

    entries: tuple[tuple[str, float], ...]
    percent: float = DEFAULT_PERCENT
    allow: tuple[tuple[str, float], ...] = ()
    on: On | None = None

    @property
    def moved(self) -> tuple[str, ...]:
        return tuple(name for name, weight in self.entries if weight)

    def preference(self, held: Iterable[str], points: Sequence[Record] = ()) -> steering.Preference:  # noqa: ARG002
        return steering.Improve(dict(self.entries), hold=tuple(held), allow=dict(self.allow), on=self.on)

    def __str__(self) -> str:
        alone = len(self.entries) == 1
        words = (quoted(n) if alone and w == 1 else f"{quoted(n)} {number(w)}" for n, w in self.entries)
        return f"improve {' '.join(words)} by {number(self.percent)}%{_allowing(self.allow)}{_on(self.on)}"


@dataclass(frozen=True)
class Direction:
    """Change some objectives in signed proportions; negative is an improvement."""

    entries: tuple[tuple[str, float], ...]
    percent: float = DEFAULT_PERCENT
    on: On | None = None

    @property
    def moved(self) -> tuple[str, ...]:
        return tuple(name for name, change in self.entries if change)

    def preference(self, held: Iterable[str], points: Sequence[Record] = ()) -> steering.Preference:  # noqa: ARG002
        return steering.Direction({**dict(self.entries), **dict.fromkeys(held, 0.0)}, on=self.on)

    def __str__(self) -> str:
        words = (f"{quoted(n)} {number(change, '+')}" for n, change in self.entries)
        return f"direction {' '.join(words)} by {number(self.percent)}%{_on(self.on)}"


@dataclass(frozen=True)
class Aim:
    """Go to some values, or as near as the front comes.

    Attributes:
        entries: (name, value to arrive at).
        percent: how much of the way.
        allow: as of Improve.
        on: as of Improve.
    """

    entries: tuple[tuple[str, float], ...]
    percent: float = WHOLE
    allow: tuple[tuple[str, float], ...] = ()
    on: On | None = None

    @property
    def moved(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.entries)

    def preference(self, held: Iterable[str], points: Sequence[Record] = ()) -> steering.Preference:  # noqa: ARG002
        return steering.Aim(dict(self.entries), hold=tuple(held), allow=dict(self.allow), on=self.on)

    def __str__(self) -> str:
        by = "" if self.percent == WHOLE else f" by {number(self.percent)}%"
        return f"aim {_numbers(self.entries)}{by}{_allowing(self.allow)}{_on(self.on)}"


@dataclass(frozen=True)
class Classify:
    """Sort objectives and metrics into classes."""

    improve: tuple[str, ...] = ()
    to: tuple[tuple[str, float], ...] = ()
    hold: tuple[str, ...] = ()
    allow: tuple[tuple[str, float], ...] = ()
    free: tuple[str, ...] = ()
    percent: float = DEFAULT_PERCENT
    on: On | None = None

    @property
    def moved(self) -> tuple[str, ...]:
        return (*self.improve, *(name for name, _ in (*self.to, *self.allow)), *self.free)

    def preference(self, held: Iterable[str], points: Sequence[Record] = ()) -> steering.Preference:  # noqa: ARG002
        hold = tuple(dict.fromkeys((*self.hold, *held)))
        return steering.Classify(self.improve, dict(self.to), hold, dict(self.allow), self.free, on=self.on)

    def __str__(self) -> str:
        parts = [
            f"{word} {' '.join(map(quoted, names))}"
            for word, names in (("improve", self.improve), ("hold", self.hold), ("free", self.free))
            if names
        ]
        parts += [
            f"{word} {_numbers(entries)}"
            for word, entries in (("to", self.to), ("allow", self.allow))
            if entries
        ]
        return f"classify {' '.join(parts)} by {number(self.percent)}%{_on(self.on)}"


@dataclass(frozen=True)
class Prefer:
    """Go on in the direction from one point to another that is liked better."""

    better: int
    worse: int
    percent: float = DEFAULT_PERCENT
    on: On | None = None

    @property
    def moved(self) -> tuple[str, ...]:
        return ()

    def preference(self, held: Iterable[str], points: Sequence[Record] = ()) -> steering.Preference:
        for number_ in (self.better, self.worse):
            if number_ >= len(points):
                raise NavigationError(f"there is no point {number_}; points lists them")
        return steering.Compare(points[self.better], points[self.worse], hold=tuple(held), on=self.on)

    def __str__(self) -> str:
        return f"prefer {self.better} over {self.worse} by {number(self.percent)}%{_on(self.on)}"


Trade = Improve | Direction | Aim | Classify | Prefer
"""All of them. Each says what it moves, which contradicts a hold, and makes the library's preference: its weights are
proportions of the losses' changes, as in Python."""


def _numbers(entries: Iterable[tuple[str, float]]) -> str:
    return " ".join(f"{quoted(name)} {number(value)}" for name, value in entries)


def _allowing(allow: Sequence[tuple[str, float]]) -> str:
    return f" allow {_numbers(allow)}" if allow else ""


def _on(on: On | None) -> str:
    return {None: "", "train": " on training data", "validation": " on validation data"}[on]
