"""The losses on the way from the first point to one of the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from paretonav.plotting.chart import USUAL_SIZE, Chart
from paretonav.plotting.data import Array, Visited
from paretonav.plotting.style import INK, PATH, axis_label, colour, folded, marker, plain, spread
from paretonav.session import Session

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_TICKS = 12
_NAME = 0.19  # inches from name to name
_ROOM = 1.8  # inches of the height that are no axes


class Line(NamedTuple):
    """One loss along the way: its values, and what is drawn of it."""

    name: str
    split: str
    colour: str
    values: Array
    heights: Array


@dataclass(frozen=True, eq=False)
class Trajectory:
    """Training losses as full lines, validation losses dashed, relative to the first point.

    Attributes:
        parts: the points of the way, with their losses on each split that is shown.
    """

    parts: tuple[Visited, ...]

    @classmethod
    def of(cls, session: Session, point_ids: Sequence[int] | None = None, split: str | None = None) -> Chart:
        """The chart of the way to a point (None: the current one), on one split (None: all there are)."""
        visited = Visited.of(session, point_ids)
        last = visited.current if not point_ids else point_ids[-1]
        way = [record.id for record in session.path_to(last)]
        all_there_are = ("train", "validation") if visited.split == "validation" else ("train",)
        splits = [split] if split else all_there_are
        return cls(tuple(Visited.of(session, way, one) for one in splits))

    @property
    def title(self) -> str:
        records = self.parts[0].records
        return "The first point" if len(records) == 1 else f"The way from point 0 to point {records[-1].id}"

    @property
    def subtitle(self) -> str:
        if len(self.parts) > 1:
            return "Losses since the start: on training data as full lines, on validation data dashed"
        return f"{self.parts[0].split.capitalize()} losses since the start"

    @property
    def size(self) -> tuple[float, float]:
        return USUAL_SIZE[0], max(USUAL_SIZE[1], _ROOM + _NAME * len(self.parts[0].names))

    @property
    def relative(self) -> bool:
        """Whether the first losses are something to divide by."""
        return all(bool((part.losses[0] != 0).all()) for part in self.parts)

    @property
    def lines(self) -> Iterator[Line]:
        """All losses on all splits."""
        for i, name in enumerate(self.parts[0].names):
            for part in self.parts:
                values = part.losses[:, i]
                change = values - values[0]
                heights = 100 * change / abs(values[0]) if self.relative else change
                yield Line(name, part.split, colour(i), values, heights)

    @property
    def unit(self) -> str:
        """Of the vertical axis."""
        return "change since the start, %" if self.relative else "change since the start"

    def draw(self, figure: Figure) -> None:
        axes: Any = figure.add_subplot()
        plain(axes)
        axes.axhline(0, color=PATH, linewidth=0.8)
        lines = list(self.lines)
        for i, line in enumerate(lines):
            dashed = len(self.parts) > 1 and line.split == "validation"
            axes.plot(
                np.arange(len(line.values)),
                line.heights,
                color=line.colour,
                linestyle="--" if dashed else "-",
                marker=marker(i // len(self.parts)) if self.parts[0].few else "",
                markersize=5,
                linewidth=1.8 if len(line.values) < 1000 else 0.8,
            )
        axes.set_xticks(*self._ticks())
        axes.set_xlabel("point", fontsize=9.5, color=INK)
        axes.set_ylabel(axis_label(self.unit), fontsize=9.5, color=INK)
        self._name(axes, lines)

    def _name(self, axes: Any, lines: Sequence[Line]) -> None:
        """Each loss where its line ends; of two lines, where that of validation data does."""
        low, high = axes.get_ylim()
        height = self.size[1] - _ROOM
        ends = [line for line in lines if line.split == self.parts[-1].split]
        last = np.array([line.heights[-1] for line in ends])
        at = spread(last, _NAME / height * (high - low))
        at += max(0.0, low - at.min()) - max(0.0, at.max() - high)
        for line, end, place in zip(ends, last, at, strict=True):
            axes.annotate(
                folded(line.name, 24, 1),
                (len(line.values) - 1, end),
                xytext=(1.03, place),
                textcoords=axes.get_yaxis_transform(),
                va="center",
                fontsize=9,
                color=INK,
                parse_math=False,
                arrowprops={"arrowstyle": "-", "color": line.colour, "linewidth": 0.8},
            )

    def _ticks(self) -> tuple[list[int], list[str]]:
        """Where to write the numbers of which points."""
        records = self.parts[0].records
        every = max(1, -(-(len(records) - 1) // _MOST_TICKS))
        places = list(range(0, len(records), every))
        return places, [str(records[place].id) for place in places]
