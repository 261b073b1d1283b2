"""Every loss and metric over the steps that lead to a point: what was predicted beside what came."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from paretonav.errors import SessionError
from paretonav.plotting.chart import USUAL_SIZE, Chart
from paretonav.plotting.data import Visited
from paretonav.plotting.style import FAINT, INK, PALETTE, PATH, axis_label, folded, plain
from paretonav.session import Session
from paretonav.session.way import Way, way_through
from paretonav.text import in_quotes, printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ERRORS = 2  # standard errors to each side
_ASIDE = 0.09  # of the way from point to point: to the left what was predicted, to the right what came
_PANEL = (3.1, 2.1)  # inches, at least, of each quantity
_LETTERS = 14  # of a name beside a panel, which is about as high
_MOST = 40  # points, up to which each has its marks
_TICKS = 8
_PREDICTED, _CAME = PALETTE[3], PALETTE[0]


@dataclass(frozen=True, eq=False)
class Steps:
    """Small pictures side by side, one for each loss and metric.

    Attributes:
        way: what is drawn.
        split: of the losses: "training" or "validation".
        higher_is_better: metric -> which way is better, where that is known.
    """

    way: Way
    split: str
    higher_is_better: Mapping[str, bool]

    @classmethod
    def of(cls, session: Session, point_ids: Sequence[int] | None = None, split: str | None = None) -> Chart:
        """The chart of the way to a point (None: the current one), with losses on one split (None: what is shown).

        Raises:
            SessionError: no step leads there, or there is no such split.
        """
        last = point_ids[-1] if point_ids else None
        visited = Visited.of(session, split=split, current=last)
        way = session.path_to(visited.current)
        if len(way) < 2:
            raise SessionError(f"no step has led to point {visited.current}; take one, or name another point")
        on = "train" if visited.split == "training" else "validation"
        return cls(way_through(way, on), visited.split, session.higher_is_better)  # type: ignore[arg-type]

    @property
    def title(self) -> str:
        record = self.way.records[-1]
        called = f" {in_quotes(record.name)}" if record.name else ""
        return f"The steps to point {record.id}{called}: what was predicted, and what came"

    @property
    def subtitle(self) -> str:
        what = f"{self.split.capitalize()} losses" + (
            " and metrics" if len(self.way.names) > self._losses else ""
        )
        if np.isnan(self.way.errors).all():
            return what
        return f"{what}, with {_ERRORS} standard errors of each step's change"

    @property
    def size(self) -> tuple[float, float]:
        columns, rows = self._grid
        return max(USUAL_SIZE[0], columns * _PANEL[0]), max(4.0, 1.1 + rows * _PANEL[1])

    @property
    def _losses(self) -> int:
        return len(self.way.records[0].losses)

    @property
    def _grid(self) -> tuple[int, int]:
        """Columns and rows."""
        count = len(self.way.names)
        columns = min(count, max(2, math.ceil(math.sqrt(count))))
        return columns, math.ceil(count / columns)

    def draw(self, figure: Figure) -> None:
        columns, rows = self._grid
        for i, name in enumerate(self.way.names):
            axes: Any = figure.add_subplot(rows, columns, i + 1)
            plain(axes)
            axes.grid(visible=False, axis="x")
            self._draw_way(axes, i)
            self._label(axes, name, i)

    def _draw_way(self, axes: Any, i: int) -> None:
        way = self.way
        places, values, predicted = np.arange(len(way.records)), way.values[i], way.predicted[i]
        few = len(places) <= _MOST
        came, expected = places + _ASIDE * (places > 0), places - _ASIDE
        axes.plot(came, values, color=_CAME, linewidth=1.2, alpha=0.5, zorder=2)
        for k in places[1:]:
            axes.plot(
                [came[k - 1], expected[k]],
                [values[k - 1], predicted[k]],
                color=_PREDICTED,
                linewidth=0.9,
                linestyle=":",
                zorder=2,
            )
        marks = (
            (expected, predicted, way.predicted_errors[i], _PREDICTED, "D", "predicted"),
            (came, values, way.errors[i], _CAME, "o", "came to"),
        )
        for at, heights, errors, colour, marker, label in marks:
            known = ~np.isnan(heights)
            axes.errorbar(
                at[known],
                heights[known],
                yerr=np.nan_to_num(_ERRORS * errors[known]),
                fmt=marker,
                markersize=(4.5 if marker == "D" else 5) if few else 2,
                color=colour,
                elinewidth=1,
                capsize=2 if few else 0,
                markeredgecolor="white",
                markeredgewidth=0.5,
                zorder=3,
                label=None if i else label,
            )
        axes.set_xlim(-0.5, len(places) - 0.5)

    def _label(self, axes: Any, name: str, i: int) -> None:
        text = folded(printable(name), _LETTERS, 1)
        lower = i < self._losses or self.higher_is_better.get(name) is False
        unknown = i >= self._losses and name not in self.higher_is_better
        label = text if unknown else axis_label(text, leftwards=lower)
        axes.set_ylabel(label, fontsize=9, color=INK, parse_math=False)
        records = self.way.records
        every = max(1, -(-(len(records) - 1) // _TICKS))
        axes.set_xticks(range(0, len(records), every), [str(record.id) for record in records[::every]])
        axes.tick_params(axis="x", color=FAINT)
        axes.set_xlabel("point", fontsize=8.5, color=PATH)
