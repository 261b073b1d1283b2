"""Parallel coordinates: one axis per loss and metric, one line per point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from paretonav.plotting.chart import Chart
from paretonav.plotting.charts.scales import Scale, heights, scales_of
from paretonav.plotting.data import Array, Visited, broken, labels
from paretonav.plotting.style import INK, MARKS, outlined
from paretonav.session import Session

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from matplotlib.figure import Figure

_WORSE = "#c9c9c9"  # of points that others dominate
_MANY = 100  # lines, from where they are thin


@dataclass(frozen=True, eq=False)
class Parallel:
    """All points on the axes of all losses and metrics; those that others dominate are grey.

    Attributes:
        visited: the points.
        scales: the axes.
    """

    visited: Visited
    scales: tuple[Scale, ...]

    @classmethod
    def of(
        cls,
        session: Session,
        point_ids: Sequence[int] | None = None,
        split: str | None = None,
        current: int | None = None,
    ) -> Chart:
        """The chart of some points (None: all of them)."""
        visited = Visited.of(session, point_ids, split, current)
        return cls(visited, scales_of(session, visited))

    @property
    def title(self) -> str:
        return f"Pareto navigation: {', '.join(self.visited.names)}"

    @property
    def subtitle(self) -> str:
        count = len(self.visited.records)
        points = f"{count} point{'s' if count > 1 else ''}"
        return f"{points}; each axis is one {self.unit}, scaled to these, best at the bottom"

    @property
    def unit(self) -> str:
        """What an axis shows."""
        return f"{self.visited.split} loss" + (
            " or metric" if len(self.scales) > len(self.visited.names) else ""
        )

    @property
    def groups(self) -> list[tuple[str, str, str, list[int]]]:
        """(role, label, colour, rows) of the lines that look alike, in the order in which they are drawn."""
        visited, found = self.visited, []
        efficient = visited.efficient
        for role, rows in visited.roles.items():
            mark = MARKS[role]
            label = mark.label
            if role == "visited":
                worse = [row for row in rows if not efficient[row]]
                found.append((role, "dominated by another point", _WORSE, worse))
                rows = [row for row in rows if efficient[row]]
                label = "not dominated" if worse else mark.label
            found.append((role, label, mark.colour, rows))
        return [group for group in found if group[-1]]

    def plotly(self) -> go.Figure:
        import plotly.graph_objects as go

        places, at = np.arange(len(self.scales)), heights(self.scales)
        figure = go.Figure()
        trace = go.Scatter if len(at) < _MANY else go.Scattergl
        for role, label, colour, rows in self.groups:
            # One trace for all lines of a kind: thousands of traces would stall the page.
            lines = broken([np.stack([places, at[row]], axis=1) for row in rows])
            hover = [text for row in rows for text in (*[self._hover(row)] * len(places), "")][:-1]
            figure.add_trace(
                trace(
                    x=lines[:, 0],
                    y=lines[:, 1],
                    mode="lines+markers" if self.visited.few else "lines",
                    line={"color": colour, "width": self._width(role)},
                    marker={"size": 9, "symbol": MARKS[role].symbol},
                    opacity=self._opacity(role, len(rows)),
                    hovertext=hover,
                    hoverinfo="text",
                    name=label,
                )
            )
        figure.add_scatter(
            x=[places[-1]] * len(self._numbers(at)),
            y=[at[row, -1] for row, _ in self._numbers(at)],
            mode="text",
            text=[f"   {text}" for _, text in self._numbers(at)],
            textposition="middle right",
            hoverinfo="skip",
            showlegend=False,
        )
        ticks = [f"{escape(scale.name)}<br>{scale.range}" for scale in self.scales]
        figure.update_layout(
            xaxis={
                "tickvals": places.tolist(),
                "ticktext": ticks,
                "gridcolor": "#bbb",
                "zeroline": False,
                "range": [-0.3, len(places) - 0.6],
            },
            yaxis={
                "title": {"text": self.unit},
                "tickvals": [0, 1],
                "ticktext": ["best", "worst"],
                "range": [-0.06, 1.06],
                "zeroline": False,
            },
        )
        return figure

    def draw(self, figure: Figure) -> None:
        from matplotlib.collections import LineCollection

        axes: Any = figure.add_subplot()
        places, at = np.arange(len(self.scales)), heights(self.scales)
        for role, label, colour, rows in self.groups:
            opacity = self._opacity(role, len(rows))
            if not self.visited.few:
                lines = [np.stack([places, at[row]], axis=1) for row in rows]
                width = self._width(role)
                axes.add_collection(
                    LineCollection(lines, colors=colour, linewidths=width, alpha=opacity, label=label)
                )
                continue
            for position, row in enumerate(rows):
                axes.plot(
                    places,
                    at[row],
                    color=colour,
                    marker=MARKS[role].marker,
                    linewidth=self._width(role),
                    label=None if position else label,
                )
        for row, text in self._numbers(at):
            beside = {"xytext": (10, 0), "textcoords": "offset points", "va": "center", **outlined()}
            axes.annotate(text, (places[-1], at[row, -1]), fontsize=9, color=INK, **beside)
        axes.set_xticks(places)
        crowded = sum(len(scale.name) for scale in self.scales) > 65
        axes.set_xticklabels(
            [scale.name for scale in self.scales],
            parse_math=False,
            rotation=30 if crowded else 0,
            ha="right" if crowded else "center",
            fontsize=9,
        )
        for place, scale in zip(places, self.scales, strict=True):
            axes.axvline(place, color="#cccccc", linewidth=0.8, zorder=0)
            best, worst = scale.ends
            ends = [(best, -0.07)] if best == worst else [(best, -0.07), (worst, 1.07)]
            for value, height in ends:
                axes.text(place, height, f"{value:.4g}", ha="center", va="center", fontsize=8, color=INK)
        axes.set_xlim(-0.4, len(places) - 0.6)
        axes.set_ylim(-0.12, 1.12)
        axes.set_yticks([0, 1], ["best", "worst"], fontsize=9)
        axes.tick_params(length=0, colors=INK)
        axes.spines[:].set_visible(False)

    def _numbers(self, at: Array) -> list[tuple[int, str]]:
        """(row, the numbers to write at the end of its line)."""
        rows = [row for row in self.visited.numbered if np.isfinite(at[row, -1])]
        texts = [str(self.visited.records[row].id) for row in rows]
        return (
            [(rows[i], text) for i, text in labels(at[rows, -1:], np.ones(1), texts, near=0.03)]
            if rows
            else []
        )

    def _hover(self, row: int) -> str:
        """Brief where there are many: it is in the page once for each axis."""
        return self.visited.hover(row) if self.visited.few else f"point {self.visited.records[row].id}"

    def _width(self, role: str) -> float:
        if role != "visited":
            return 3
        return 1.5 if len(self.visited.records) < _MANY else 0.6

    def _opacity(self, role: str, count: int) -> float:
        return 1.0 if role != "visited" or count < _MANY else max(0.05, (_MANY / count) ** 0.5)
