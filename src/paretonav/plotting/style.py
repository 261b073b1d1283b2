"""What all charts agree on: colours that the colour-blind can tell apart (Okabe & Ito), words, and room for words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

INK = "#3b3b3b"
FAINT = "#e6e6e6"
PATH = "#767676"
FRONT = "#56b4e9"
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#3b3b3b", "#a6761d")
GOOD, BAD = PALETTE[0], PALETTE[1]
"""Better and worse: blue and orange, which nobody takes for each other, and which words always go with."""

TOWARDS_BETTER = "← better"
"""In every chart it says which way is better. Turned with an axis' label, its arrow points along that axis."""

_MARKERS = "os^Dv"  # as many as have no divisor with the colours: forty lines in a row look different
_LETTER, _LINE = 0.08, 0.17  # inches, of the numbers beside points
_MOST_NUMBERS = 4  # of points that lie on one another, beside a mark: more would cover what is near


@dataclass(frozen=True)
class Mark:
    """How one kind of point is drawn."""

    label: str
    colour: str
    marker: str


MARKS = {
    "visited": Mark("visited", "#0072b2", "o"),
    "start": Mark("start", "#e69f00", "s"),
    "starred": Mark("starred", "#009e73", "*"),
    "current": Mark("current point", "#d55e00", "D"),
}


def colour(position: int) -> str:
    """The colour of the line, bar or shape at a position; after eight they begin again."""
    return PALETTE[position % len(PALETTE)]


def marker(position: int) -> str:
    """The marker at a position; together with the colour it is another one for forty positions."""
    return _MARKERS[position % len(_MARKERS)]


def axis_label(text: str, *, leftwards: bool = True) -> str:
    """The label of an axis whose smaller values are the better ones, which lie to the left of it or the right."""
    return f"{TOWARDS_BETTER}    {text}" if leftwards else f"{text}    better →"


def plain(axes: Any) -> None:
    """Give Matplotlib axes a frame on two sides and a faint grid."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color=FAINT, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=9, colors=INK)


def outlined() -> dict[str, Any]:
    """For texts that must be read on whatever is behind them."""
    from matplotlib.patheffects import withStroke

    return {"path_effects": [withStroke(linewidth=2.5, foreground="white")]}


def folded(name: str, letters: int, lines: int = 3) -> str:
    """A name on a few lines of so many letters (two or more); one that is too long loses its middle.

    Not its end, in which long names differ.
    """
    rows = wrap(name, letters)
    kept = letters * lines - 1
    while len(rows) > lines:
        rows = wrap(f"{name[: kept - kept // 2]}…{name[len(name) - kept // 2 :]}", letters)
        kept -= 1
    return "\n".join(rows)


def numbers(places: Array, texts: Sequence[str]) -> list[tuple[int, str]]:
    """What to write beside points, so that no text covers another: (the point it is written at, "0, 2, 4").

    Args:
        places: [points, 2], where each text begins, in inches.
        texts: [points], what would be written at each if there were room.
    """
    groups = [[i] for i in range(len(places))]
    crowded = True
    while crowded:
        crowded = False
        kept: list[list[int]] = []
        for group in groups:
            width = _LETTER * len(_together(group, texts))
            for other in kept:
                right, up = places[group[0]] - places[other[0]]
                if -width < right < _LETTER * len(_together(other, texts)) and abs(up) < _LINE:
                    other.extend(group)
                    other.sort()
                    crowded = True
                    break
            else:
                kept.append(group)
        groups = kept
    return [(group[0], _together(group, texts)) for group in groups]


def spread(heights: Array, gap: float) -> Array:
    """Heights [k] moved as little as it takes for none to be closer to the next than ``gap``, in the same order.

    Neighbours that are too close are put evenly around their mean, and neighbours of these with them (the pooling of
    adjacent violators, which is the least squares solution).
    """
    order = np.argsort(heights, kind="stable")
    pools: list[list[float]] = []  # of heights less their rank's share, which have to rise
    for rank, i in enumerate(order):
        pools.append([float(heights[i]) - rank * gap])
        while len(pools) > 1 and np.mean(pools[-2]) > np.mean(pools[-1]):
            pools[-2:] = [pools[-2] + pools[-1]]
    level = np.concatenate([np.full(len(pool), np.mean(pool)) for pool in pools]) if pools else np.zeros(0)
    moved = np.empty_like(heights)
    moved[order] = level + gap * np.arange(len(heights))
    return moved


def _together(group: Sequence[int], texts: Sequence[str]) -> str:
    shown = [texts[i] for i in group[:_MOST_NUMBERS]]
    return ", ".join([*shown, "…"] if len(group) > _MOST_NUMBERS else shown)
