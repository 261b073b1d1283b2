"""What can be said at the prompt, as values. ``str`` gives back a command that parses to the same value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from paretonav.steering.preferences import On
from paretonav.terminal.spoken import DEFAULT_PERCENT, Said, allowing, numbers, on_data, spoken
from paretonav.terminal.words import quoted
from paretonav.text import number


@dataclass(frozen=True)
class Step:
    """Take a step.

    Attributes:
        preference: what is wanted, beside what is held.
        percent: how much of it.
    """

    preference: Said
    percent: float

    def __str__(self) -> str:
        return spoken(self.preference, self.percent)


Which = int | str
"""Which point: its number, or its name."""


@dataclass(frozen=True)
class Prefer:
    """Take a step in the direction from one point to another that is liked better."""

    better: Which
    over: Which
    percent: float = DEFAULT_PERCENT
    on: On | None = None

    def __str__(self) -> str:
        return (
            f"prefer {which(self.better)} to {which(self.over)} by {number(self.percent)}%{on_data(self.on)}"
        )


@dataclass(frozen=True)
class Preview:
    """Show what a step would do."""

    of: Step | Prefer

    def __str__(self) -> str:
        return f"preview {self.of}"


@dataclass(frozen=True)
class Options:
    """Show a few options for a step."""

    percent: float = DEFAULT_PERCENT

    def __str__(self) -> str:
        return f"options by {number(self.percent)}%"


@dataclass(frozen=True)
class Take:
    """Take one of the options that were shown."""

    option: int

    def __str__(self) -> str:
        return f"take {self.option}"


@dataclass(frozen=True)
class Cover:
    """Spread so many points along the front.

    Attributes:
        count: how many.
        allow: name -> the worst value that counts.
        on: the data whose losses are meant.
    """

    count: int
    allow: Mapping[str, float] = field(default_factory=dict)
    on: On | None = None

    def __str__(self) -> str:
        return f"cover {self.count}{allowing(self.allow)}{on_data(self.on)}"


@dataclass(frozen=True)
class Map:
    """Show what is known of the front, or from which visited point to go to some values, and go there.

    Attributes:
        target: name -> value; none for the map alone.
        on: the data whose losses are meant.
    """

    target: Mapping[str, float] = field(default_factory=dict)
    on: On | None = None

    def __str__(self) -> str:
        return f"map {numbers(self.target)}".rstrip() + on_data(self.on)


@dataclass(frozen=True)
class Training:
    """Measure what further training would bring."""

    def __str__(self) -> str:
        return "training"


@dataclass(frozen=True)
class Explain:
    """Say in words what the last step did."""

    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join(["explain", *map(quoted, self.names)])


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

    point: Which

    def __str__(self) -> str:
        return f"go {which(self.point)}"


@dataclass(frozen=True)
class Points:
    """List the visited points."""

    def __str__(self) -> str:
        return "points"


@dataclass(frozen=True)
class Compare:
    """Compare visited points with the first that is named."""

    points: tuple[Which, ...]

    def __str__(self) -> str:
        return f"compare {' '.join(map(which, self.points))}"


@dataclass(frozen=True)
class Name:
    """Call the current point something; nothing takes its name away."""

    text: str

    def __str__(self) -> str:
        return f"name {quoted(self.text)}" if self.text else "name"


@dataclass(frozen=True)
class Title:
    """Give the whole navigation a title; nothing takes it away."""

    text: str

    def __str__(self) -> str:
        return f"title {quoted(self.text)}" if self.text else "title"


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
    """List the commands, or say what one of them does."""

    verb: str = ""

    def __str__(self) -> str:
        return f"help {self.verb}".rstrip()


@dataclass(frozen=True)
class Quit:
    """Leave."""

    def __str__(self) -> str:
        return "quit"


def which(point: Which) -> str:
    """A point as it must be typed."""
    return str(point) if isinstance(point, int) else quoted(point)


Command = (
    Step
    | Prefer
    | Preview
    | Options
    | Take
    | Cover
    | Map
    | Training
    | Explain
    | Hold
    | Release
    | Undo
    | Go
    | Points
    | Compare
    | Name
    | Title
    | Note
    | Star
    | Show
    | Plot
    | Export
    | Help
    | Quit
)
