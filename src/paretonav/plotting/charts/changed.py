"""What is different at one point from another, as bars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from paretonav.plotting.chart import USUAL_SIZE
from paretonav.plotting.style import BAD, GOOD, INK, PATH, axis_label, folded, plain
from paretonav.session.compare import Comparison, Difference
from paretonav.statistics import quantile
from paretonav.steering.outcome import Part
from paretonav.text import printable, relative

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_KINDS: dict[Part, str] = {
    "validation": "validation losses",
    "metrics": "metrics",
    "train": "training losses",
}
_BAR = 0.27  # inches from bar to bar
_APART = 0.5  # bars between one name and the next
_WORDS = 0.3  # of the bars' length: room for what is written at their ends
_FILL = {"better": GOOD, "worse": BAD, "noise": "white", "": PATH}


@dataclass(frozen=True)
class Bar:
    """One change.

    Attributes:
        name: of the loss or metric, printable.
        kind: "validation", "metrics" or "train".
        length: in per cent of the first value.
        half: of its 95 % interval; NaN where that is not known.
        verdict: "better", "worse", "noise", or "" where nobody said which way is better.
        words: what is written at its end.
        upwards: whether larger is better.
    """

    name: str
    kind: str
    length: float
    half: float
    verdict: str
    words: str
    upwards: bool


@dataclass(frozen=True, eq=False)
class Changed:
    """Changes from one point to another, with intervals and in words whether they are for the better.

    Attributes:
        points: the numbers of both.
        bars: from top to bottom, those of one name together.
    """

    points: tuple[int, int]
    bars: tuple[Bar, ...]

    @classmethod
    def of(cls, comparison: Comparison, split: str | None = None) -> Changed:
        """The chart of a comparison of two points, of the losses on one split (None: all, and the metrics)."""
        first, second = comparison.records
        values = {kind: first.values.part(kind) for kind in _KINDS}
        kinds = [kind for kind in _KINDS if split in (None, kind)]
        found = {(d.name, d.split): d for d in comparison if d.split in kinds and values[d.split][d.name]}
        names = dict.fromkeys(name for name, _ in found)
        chosen = [found[name, kind] for name in names for kind in kinds if (name, kind) in found]
        up = comparison.higher_is_better
        return cls(
            (first.id, second.id),
            tuple(
                _bar(d, values[d.split][d.name], quantile(values[d.split].batches), up.get(d.name, False))
                for d in chosen
            ),
        )

    @property
    def title(self) -> str:
        first, second = self.points
        return f"What changed from {'the start' if first == 0 else f'point {first}'} to point {second}"

    @property
    def subtitle(self) -> str:
        kinds = [words for kind, words in _KINDS.items() if any(bar.kind == kind for bar in self.bars)]
        about = " and ".join(kinds).capitalize() if len(kinds) < 3 else "Losses and metrics"
        if not any(np.isfinite(bar.half) for bar in self.bars):
            return about
        return f"{about} with 95 % intervals; a hollow bar, whose interval holds zero, is noise"

    @property
    def size(self) -> tuple[float, float]:
        return USUAL_SIZE[0], 1.7 + _BAR * (float(self.places[-1]) + 2 if self.bars else 4)

    @property
    def places(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """[bars], where they lie, downwards: one after the other, with a gap before another name."""
        new = [bar.name != before.name for bar, before in zip(self.bars[1:], self.bars, strict=False)]
        return np.concatenate([np.zeros(min(len(self.bars), 1)), np.cumsum(1 + _APART * np.array(new))])

    def draw(self, figure: Figure) -> None:
        axes: Any = figure.add_subplot()
        plain(axes)
        axes.grid(visible=False, axis="y")
        axes.spines["left"].set_visible(False)
        axes.axvline(0, color=PATH, linewidth=0.8, zorder=3)
        for i, (bar, place) in enumerate(zip(self.bars, self.places, strict=True)):
            fill = _FILL[bar.verdict]
            edge = PATH if bar.verdict == "noise" else fill
            height = 0.8 if self._leads(i) else 0.5
            axes.barh(place, bar.length, height, color=fill, edgecolor=edge, linewidth=1, zorder=2)
            half = bar.half if np.isfinite(bar.half) else 0.0
            if half:
                line = {"ecolor": INK, "elinewidth": 1, "capsize": 2.5, "zorder": 4}
                axes.errorbar(bar.length, place, xerr=half, fmt="none", **line)
            left = bar.length < 0
            axes.annotate(
                bar.words,
                (bar.length - half if left else bar.length + half, place),
                xytext=(-5 if left else 5, 0),
                textcoords="offset points",
                ha="right" if left else "left",
                va="center",
                fontsize=8.5,
                color=INK,
            )
        axes.set_xlim(*self._ends())
        axes.set_ylim(float(self.places[-1]) + 0.7 if self.bars else 1, -0.7)
        axes.set_yticks(self.places, [_label(bar, self._leads(i)) for i, bar in enumerate(self.bars)])
        axes.tick_params(axis="y", length=0)
        for i, text in enumerate(axes.get_yticklabels()):
            text.set_parse_math(False)
            text.set_color(INK if self._leads(i) else PATH)
        axes.set_xlabel(
            axis_label(f"change, % of the value at point {self.points[0]}"), fontsize=9.5, color=INK
        )

    def _leads(self, i: int) -> bool:
        """Whether a bar is the first of its name."""
        return i == 0 or self.bars[i].name != self.bars[i - 1].name

    def _ends(self) -> tuple[float, float]:
        """Of the axis, with room for words."""
        reach = [
            bar.length + sign * (bar.half if np.isfinite(bar.half) else 0.0)
            for bar in self.bars
            for sign in (-1, 1)
        ]
        low, high = min([0.0, *reach]), max([0.0, *reach])
        room = _WORDS * (high - low) or 1.0
        return (
            low - room * any(bar.length < 0 for bar in self.bars),
            high + room * any(bar.length >= 0 for bar in self.bars),
        )


def _bar(d: Difference, before: float, quantile_: float, up: bool) -> Bar:
    verdict = "noise" if d.noise else "" if d.better is None else "better" if d.better else "worse"
    error = d.standard_error
    return Bar(
        name=printable(d.name),
        kind=d.split,
        length=100 * d.change / abs(before),
        half=np.nan if error is None else 100 * error / abs(before) * quantile_,
        verdict=verdict,
        words=f"{_percent(d.change, before)} {verdict}".strip(),
        upwards=d.split == "metrics" and up,
    )


def _percent(change: float, before: float) -> str:
    """A change in per cent; one that is next to nothing keeps a digit, to have a sign."""
    words = relative(change, before)
    return f"{100 * change / abs(before):+.1g}%" if change and words == relative(0.0, before) else words


def _label(bar: Bar, leads: bool) -> str:
    """What stands beside a bar: its name, or what else it is of that name."""
    data = "on training data"
    if not leads:
        return data
    name = folded(bar.name, 26, 1)
    return f"{name} (higher is better)" if bar.upwards else name
