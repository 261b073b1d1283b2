"""Parallel coordinates: one axis per loss and metric, one line per point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from paretonav.plotting.chart import USUAL_SIZE, Chart
from paretonav.plotting.charts.scales import Scale, heights, scales_of
from paretonav.plotting.data import Array, Visited
from paretonav.plotting.style import INK, MARKS, axis_label, folded, numbers, outlined
from paretonav.session import Session

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_WORSE = "#c9c9c9"  # of points that others dominate
_MANY = 100  # lines, from where they are thin
_AXIS = 1.15  # inches from axis to axis, so that names have room
_LETTERS = 15  # of a name in one line


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
        count = len(self.visited.records)
        return f"{count} point{'s' if count > 1 else ''}, {len(self.scales)} {self.unit}"

    @property
    def subtitle(self) -> str:
        return "Each axis goes from the best of these points (below) to the worst"

    @property
    def size(self) -> tuple[float, float]:
        return max(USUAL_SIZE[0], 1 + _AXIS * len(self.scales)), USUAL_SIZE[1]

    @property
    def unit(self) -> str:
        """What the axes show."""
        return f"{self.visited.split} losses" + (
            " and metrics" if len(self.scales) > len(self.visited.names) else ""
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

    def draw(self, figure: Figure) -> None:
        from matplotlib.collections import LineCollection

        axes: Any = figure.add_subplot()
        places, at = np.arange(len(self.scales)), heights(self.scales)
        for role, label, colour, rows in self.groups:
            width, opacity = self._width(role), self._opacity(role, len(rows))
            if not self.visited.few:
                lines = [np.stack([places, at[row]], axis=1) for row in rows]
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
                    markersize=10 if role == "starred" else 6,
                    linewidth=width,
                    label=None if position else label,
                )
        for place, scale in zip(places, self.scales, strict=True):
            axes.plot([place] * 2, [-0.03, 1.03], color="#cccccc", linewidth=0.8, zorder=0)
            best, worst = scale.words
            ends = [(best, -0.05, "top")] + ([(worst, 1.05, "bottom")] if worst else [])
            for text, height, side in ends:
                axes.text(place, height, text, ha="center", va=side, fontsize=8, color=INK)
        names = [folded(scale.told, _LETTERS) for scale in self.scales]
        axes.set_xticks(places, names, fontsize=9, parse_math=False)
        axes.set_xlim(-0.4, len(places) - 0.6)
        axes.set_ylim(-0.12, 1.17)
        axes.set_yticks([])
        axes.set_ylabel(axis_label(self.unit), fontsize=9.5, color=INK)
        axes.tick_params(length=0, colors=INK)
        axes.spines[:].set_visible(False)
        self._number(axes, figure, at)

    def _number(self, axes: Any, figure: Figure, at: Array) -> None:
        """At the end of each line its number."""
        rows = [row for row in self.visited.numbered if np.isfinite(at[row, -1])]
        ends = np.array([(len(self.scales) - 1, at[row, -1]) for row in rows]).reshape(-1, 2)
        inches = axes.transData.transform(ends) / figure.dpi
        for i, text in numbers(inches, [str(self.visited.records[row].id) for row in rows]):
            beside = {"xytext": (10, 0), "textcoords": "offset points", "va": "center", **outlined()}
            axes.annotate(text, ends[i], fontsize=9, color=INK, **beside)

    def _width(self, role: str) -> float:
        if role != "visited":
            return 2.5
        return 1.5 if len(self.visited.records) < _MANY else 0.6

    def _opacity(self, role: str, count: int) -> float:
        return 1.0 if role != "visited" or count < _MANY else max(0.05, (_MANY / count) ** 0.5)
