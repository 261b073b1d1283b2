"""What both renderers agree on: colours that the colour-blind can tell apart (Okabe & Ito), and words."""

from __future__ import annotations

from dataclasses import dataclass

from paretonav.plotting.data import Picture

INK = "#3b3b3b"
PATH = "#8a8a8a"
FRONT = "#56b4e9"
FRONT_LABEL = "front around the current point, as predicted"
SCALED_AXES_TITLE = "training loss, each axis scaled to what was visited"
AXIS_TITLE = "{} – training loss"


@dataclass(frozen=True)
class Mark:
    """How one kind of point is drawn."""

    label: str
    colour: str
    symbol: str
    marker: str


MARKS = {
    "visited": Mark("visited", "#0072b2", "circle", "o"),
    "start": Mark("start", "#e69f00", "square", "s"),
    "current": Mark("current point", "#d55e00", "diamond", "D"),
}


def title(picture: Picture) -> str:
    """The headline of a picture."""
    count = len(picture.spots)
    return f"{count} point{'s' if count > 1 else ''} on the Pareto front; lower is better on every axis"
