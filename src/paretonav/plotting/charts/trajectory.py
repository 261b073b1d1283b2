"""The losses on the way from the first point to one of the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from paretonav.plotting.chart import Chart
from paretonav.plotting.data import Array, Visited
from paretonav.plotting.style import PATH, colour, entry, plain
from paretonav.session import Session
from paretonav.session.wording import origin
from paretonav.text import printable

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from matplotlib.figure import Figure

_MOST_TICKS = 12


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
        held_out = visited.split == "validation"
        splits = [split] if split else ["train", *(["validation"] if held_out else [])]
        return cls(tuple(Visited.of(session, way, one) for one in splits))

    @property
    def title(self) -> str:
        records = self.parts[0].records
        return "The first point" if len(records) == 1 else f"The way from point 0 to point {records[-1].id}"

    @property
    def subtitle(self) -> str:
        what = "Losses" if len(self.parts) > 1 else f"{self.parts[0].split.capitalize()} losses"
        dashes = "; validation losses are dashed" if len(self.parts) > 1 else ""
        return f"{what} {'relative to' if self.relative else 'since'} the start; lower is better{dashes}"

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

    def plotly(self) -> go.Figure:
        import plotly.graph_objects as go

        figure = go.Figure()
        trace = go.Scatter if len(self.parts[0].records) < 1000 else go.Scattergl
        heads = [self._head(row) for row in range(len(self.parts[0].records))]
        for line in self.lines:
            figure.add_trace(
                trace(
                    x=np.arange(len(line.values)),
                    y=line.heights,
                    mode="lines+markers" if self.parts[0].few else "lines",
                    line={"color": line.colour, "width": 2, "dash": self._dash(line)},
                    marker={"size": 8},
                    hovertext=[
                        f"{head}<br>{escape(line.name)}, {line.split} loss: {value:.4g}"
                        for head, value in zip(heads, line.values, strict=True)
                    ],
                    hoverinfo="text",
                    name=f"{escape(line.name)}, {line.split}",
                )
            )
        places, texts = self._ticks()
        figure.update_layout(
            xaxis={"title": {"text": "point"}, "tickvals": places, "ticktext": texts, "zeroline": False},
            yaxis={"title": {"text": self.unit}, "zerolinecolor": PATH},
        )
        return figure

    def draw(self, figure: Figure) -> None:
        axes: Any = figure.add_subplot()
        plain(axes)
        axes.axhline(0, color=PATH, linewidth=0.8)
        for line in self.lines:
            axes.plot(
                np.arange(len(line.values)),
                line.heights,
                color=line.colour,
                linestyle="-" if self._dash(line) == "solid" else "--",
                marker="o" if self.parts[0].few else "",
                markersize=5,
                linewidth=1.8 if len(line.values) < 1000 else 0.8,
                label=entry(f"{line.name}, {line.split}"),
            )
        axes.set_xticks(*self._ticks())
        axes.set_xlabel("point")
        axes.set_ylabel(self.unit)

    def _dash(self, line: Line) -> str:
        return "dash" if len(self.parts) > 1 and line.split == "validation" else "solid"

    def _ticks(self) -> tuple[list[int], list[str]]:
        """Where to write the numbers of which points."""
        records = self.parts[0].records
        every = max(1, -(-(len(records) - 1) // _MOST_TICKS))
        places = list(range(0, len(records), every))
        return places, [str(records[place].id) for place in places]

    def _head(self, row: int) -> str:
        record = self.parts[0].records[row]
        note = f"<br><i>{escape(printable(record.note))}</i>" if record.note else ""
        return f"<b>point {record.id}</b><br>{escape(origin(record))}{note}"
