"""What can be said at the prompt, as values. ``str`` gives back a command that parses to the same value."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from paretonav import steering
from paretonav.session.wording import number

DEFAULT_PERCENT = 5.0
_BARE = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True)
class Trade:
    """A wish for a step.

    Attributes:
        entries: (name, weight) of the objectives and metrics it names.
        percent: how much of it.
        allow: (name, value) of those that may not get worse than that.
    """

    entries: tuple[tuple[str, float], ...]
    percent: float = DEFAULT_PERCENT
    allow: tuple[tuple[str, float], ...] = ()

    @property
    def amount(self) -> float:
        """``percent`` as a fraction."""
        return self.percent / 100

    def preference(self, held: Iterable[str]) -> steering.Preference:
        """The library's preference: the weights are proportions of the losses' changes, as in Python."""
        raise NotImplementedError


@dataclass(frozen=True)
class Improve(Trade):
    """Improve some objectives or metrics in proportion to their weights."""

    def preference(self, held: Iterable[str]) -> steering.Preference:
        return steering.Improve(dict(self.entries), hold=tuple(held), allow=dict(self.allow))

    def __str__(self) -> str:
        alone = len(self.entries) == 1
        words = (quoted(n) if alone and w == 1 else f"{quoted(n)} {number(w)}" for n, w in self.entries)
        text = f"improve {' '.join(words)} by {number(self.percent)}%"
        if self.allow:
            text += " allow " + " ".join(f"{quoted(name)} {number(value)}" for name, value in self.allow)
        return text


@dataclass(frozen=True)
class Direction(Trade):
    """Change some objectives in signed proportions; negative is an improvement."""

    def preference(self, held: Iterable[str]) -> steering.Preference:
        return steering.Direction({**dict(self.entries), **dict.fromkeys(held, 0.0)})

    def __str__(self) -> str:
        words = (f"{quoted(n)} {number(change, '+')}" for n, change in self.entries)
        return f"direction {' '.join(words)} by {number(self.percent)}%"


@dataclass(frozen=True)
class Preview:
    """Show what a step would do."""

    trade: Trade

    def __str__(self) -> str:
        return f"preview {self.trade}"


@dataclass(frozen=True)
class Hold:
    """Hold objectives in all that follows."""

    names: tuple[str, ...]

    def __str__(self) -> str:
        return f"hold {' '.join(map(quoted, self.names))}"


@dataclass(frozen=True)
class Release:
    """Hold them no longer; without names, none is held any more."""

    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"release {' '.join(map(quoted, self.names)) or 'all'}"


@dataclass(frozen=True)
class Undo:
    """Go back to the point that the current one was reached from."""

    def __str__(self) -> str:
        return "undo"


@dataclass(frozen=True)
class Go:
    """Go to a visited point."""

    point: int

    def __str__(self) -> str:
        return f"go {self.point}"


@dataclass(frozen=True)
class Points:
    """List the visited points."""

    def __str__(self) -> str:
        return "points"


@dataclass(frozen=True)
class Compare:
    """Compare visited points with the first that is named."""

    points: tuple[int, ...]

    def __str__(self) -> str:
        return f"compare {' '.join(map(str, self.points))}"


@dataclass(frozen=True)
class Note:
    """Write something down about the current point; nothing takes it away."""

    text: str

    def __str__(self) -> str:
        return f"note {quoted(self.text)}" if self.text else "note"


@dataclass(frozen=True)
class Star:
    """Mark the current point, or take the mark away."""

    on: bool = True

    def __str__(self) -> str:
        return "star" if self.on else "star off"


@dataclass(frozen=True)
class Show:
    """Show the current point in full."""

    def __str__(self) -> str:
        return "show"


@dataclass(frozen=True)
class Plot:
    """Draw the navigation to a file."""

    path: str

    def __str__(self) -> str:
        return f"plot {quoted(self.path)}"


@dataclass(frozen=True)
class Export:
    """Write the current model to a file, and its card if that is asked for."""

    path: str
    card: bool = False

    def __str__(self) -> str:
        return f"export {quoted(self.path)}{' card' if self.card else ''}"


@dataclass(frozen=True)
class Help:
    """List the commands."""

    def __str__(self) -> str:
        return "help"


@dataclass(frozen=True)
class Quit:
    """Leave."""

    def __str__(self) -> str:
        return "quit"


Command = (
    Improve
    | Direction
    | Preview
    | Hold
    | Release
    | Undo
    | Go
    | Points
    | Compare
    | Note
    | Star
    | Show
    | Plot
    | Export
    | Help
    | Quit
)

KEYWORDS = frozenset({"by", "all", "allow"})
"""Words that are no names unless they are quoted."""


def quoted(word: str) -> str:
    """``word`` as it must be typed: bare if that is clear, else in double quotes (its own are doubled)."""
    if _BARE.fullmatch(word) and word.lower() not in KEYWORDS:
        return word
    return '"' + word.replace('"', '""') + '"'
