"""Trade-offs as bars: what improving one objective costs the others, or what changed between two points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from paretonav.errors import SessionError
from paretonav.plotting.chart import Chart
from paretonav.plotting.style import INK, PATH, colour, entry, plain
from paretonav.session import Session
from paretonav.session.compare import Comparison, measured
from paretonav.session.wording import prices
from paretonav.statistics import quantile
from paretonav.steering import Point
from paretonav.text import printable

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

_ALONE = "What 1 % better on one training loss costs another that pays for it alone; no bar: it cannot pay"
_TOGETHER = "What 1 % better on one loss, along the cheapest way, costs the others together; below zero: they gain, too"
_KINDS = {"train": "training losses", "validation": "validation losses", "metric": "metrics"}


@dataclass(frozen=True, eq=False)
class Bars:
    """Groups of bars.

    Attributes:
        title: what they show.
        subtitle: how to read them.
        unit: of the lengths.
        groups: what stands below each group, printable.
        series: label -> lengths [groups] and half the 95 % intervals [groups]; NaN where there is nothing.
        explained: for each of the lengths what is to be told of it, in the same order.
    """

    title: str
    subtitle: str
    unit: str
    groups: tuple[str, ...]
    series: dict[str, tuple[Array, Array]]
    explained: dict[str, list[str]]

    @classmethod
    def of(cls, session: Session, point_ids: Sequence[int] | None = None, split: str | None = None) -> Chart:
        """The exchange rates at one point (None: the current one), or the changes from one point to another.

        Args:
            session: what is drawn.
            point_ids: one or two.
            split: "train" or "validation": the losses of which the changes are shown; None is all, and the metrics.

        Raises:
            SessionError: more than two points are named.
        """
        if point_ids is None:
            if session.current is None:
                raise SessionError("the session has no point to draw yet; start the navigation first")
            point_ids = [session.current.id]
        if len(point_ids) == 1:
            return rates(session.point(point_ids[0]))
        if len(point_ids) != 2:
            raise SessionError(f"bars are of one point or of two, not {len(point_ids)}; name one or two")
        return changes(session.compare(*point_ids), split)

    @property
    def width(self) -> float:
        """Of a bar; a group is one wide."""
        return 0.8 / max(len(self.series), 1)

    @property
    def places(self) -> Array:
        """[series, groups], where the bars stand: beside each other, without gaps for those that are not there."""
        there = np.isfinite([lengths for lengths, _ in self.series.values()])
        order = np.cumsum(there, axis=0) - 1
        places: Array = np.arange(len(self.groups)) + (order - (there.sum(axis=0) - 1) / 2) * self.width
        return places

    def plotly(self) -> go.Figure:
        import plotly.graph_objects as go

        figure = go.Figure()
        for i, (label, (lengths, errors)) in enumerate(self.series.items()):
            figure.add_trace(
                go.Bar(
                    x=self.places[i],
                    y=lengths,
                    width=self.width,
                    error_y={"type": "data", "array": errors, "color": INK, "thickness": 1.2, "width": 4},
                    marker={"color": colour(i)},
                    hovertext=[escape(text) for text in self.explained[label]],
                    hoverinfo="text",
                    name=escape(label),
                )
            )
        figure.update_layout(
            barmode="overlay",
            xaxis={
                "tickvals": list(range(len(self.groups))),
                "ticktext": [escape(name) for name in self.groups],
            },
            yaxis={"title": {"text": self.unit}, "zerolinecolor": PATH},
        )
        return figure

    def draw(self, figure: Figure) -> None:
        axes: Any = figure.add_subplot()
        plain(axes)
        axes.grid(visible=False, axis="x")
        axes.axhline(0, color=PATH, linewidth=0.8)
        places = np.arange(len(self.groups))
        for i, (label, (lengths, errors)) in enumerate(self.series.items()):
            shown = np.isfinite(lengths)
            axes.bar(
                self.places[i][shown],
                lengths[shown],
                self.width,
                yerr=errors[shown] if np.isfinite(errors[shown]).any() else None,
                error_kw={"ecolor": INK, "elinewidth": 1, "capsize": 3},
                color=colour(i),
                label=entry(label),
            )
        crowded = sum(map(len, self.groups)) > 60
        axes.set_xticks(
            places,
            self.groups,
            parse_math=False,
            rotation=30 if crowded else 0,
            ha="right" if crowded else "center",
        )
        axes.set_ylabel(self.unit)


def rates(point: Point) -> Bars:
    """What 1 % better on each objective costs each of the others (``wording.prices``)."""
    held = point.anchor is not None
    names, losses = point.front.names, (point.validation if held else None) or point.losses
    found = {name: prices(point, name) for name in names}
    series: dict[str, tuple[Array, Array]] = {}
    explained: dict[str, list[str]] = {}
    for payer in names:
        costs = np.array([found[name].get(payer, np.nan) for name in names])
        costs[~np.isfinite(costs)] = np.nan
        label = f"on {printable(payer)}"
        series[label] = costs, np.full(len(names), np.nan)
        explained[label] = [
            f"1% better on {printable(name)} ({losses[name]:.4g}) costs {cost:.3g}% {label} ({losses[payer]:.4g})"
            for name, cost in zip(names, costs, strict=True)
        ]
    return Bars(
        title=f"Trade-offs at point {point.id}",
        subtitle=_TOGETHER if held else _ALONE,
        unit="cost, % of the loss that pays",
        groups=tuple(f"1% better on\n{printable(name)}" for name in names),
        series=series,
        explained=explained,
    )


def changes(comparison: Comparison, split: str | None = None) -> Bars:
    """What is different at the second point of a comparison, in per cent of what it is at the first."""
    first, second = comparison.records
    values = measured(first)
    names = tuple(dict.fromkeys(name for part in values.values() for name in part))
    series: dict[str, tuple[Array, Array]] = {}
    explained: dict[str, list[str]] = {}
    for kind, label in _KINDS.items():
        if split not in (None, kind):
            continue
        lengths, errors = np.full(len(names), np.nan), np.full(len(names), np.nan)
        texts = ["" for _ in names]
        for d in comparison:
            size = abs(values[d.split][d.name])
            if d.split != kind or not size:
                continue
            i = names.index(d.name)
            lengths[i] = 100 * d.change / size
            if d.standard_error is not None:
                errors[i] = 100 * d.standard_error / size * quantile(values[kind].batches)
            noise = ", which is noise" if d.noise else ""
            texts[i] = (
                f"{printable(d.name)}: {d.value - d.change:.4g} to {d.value:.4g} ({lengths[i]:+.2g}%{noise})"
            )
        if np.isfinite(lengths).any():
            series[label], explained[label] = (lengths, errors), texts
    shown = [i for i in range(len(names)) if any(np.isfinite(lengths[i]) for lengths, _ in series.values())]
    return Bars(
        title=f"From point {first.id} to point {second.id}",
        subtitle="Changes with 95 % intervals; a loss is better lower, and what reaches across zero is noise",
        unit=f"change, % of the value at point {first.id}",
        groups=tuple(printable(names[i]) for i in shown),
        series={label: (lengths[shown], errors[shown]) for label, (lengths, errors) in series.items()},
        explained={label: [texts[i] for i in shown] for label, texts in explained.items()},
    )
