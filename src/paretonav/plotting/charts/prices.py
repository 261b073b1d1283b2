"""What one per cent of each objective costs the others, as a table of bars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from paretonav.plotting.chart import USUAL_SIZE
from paretonav.plotting.style import BAD, FAINT, GOOD, INK, PATH, axis_label, folded
from paretonav.session.wording import RUINOUS, cost_words, prices
from paretonav.statistics import quantile
from paretonav.steering import Point
from paretonav.text import printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

_ALONE = "What 1 % better on one training loss costs another that pays for it alone"
_TOGETHER = "What 1 % better on one loss, along the cheapest way, costs the others together"
_LETTERS = 14  # of a name in one line of a column's head
_BARS = (0.06, 0.56)  # the part of a cell that its bar has; the rest is for the number
_CELL = (1.15, 0.5)  # inches


@dataclass(frozen=True, eq=False)
class Prices:
    """Who pays how much, [m, m]: rows get better, columns pay.

    Attributes:
        point: its number.
        names: of the objectives, printable.
        together: whether all others pay at once, along the cheapest way, or each alone.
        prices: [m, m], in per cent of the loss that pays; negative where it gains, too, NaN where nothing is to be paid
            and infinite where it cannot pay.
        doubtful: [m, m], where the price is within the noise of the data.
    """

    point: int
    names: tuple[str, ...]
    together: bool
    prices: Array
    doubtful: NDArray[np.bool_]

    @classmethod
    def of(cls, point: Point) -> Prices:
        """The chart of a point, after ``wording.prices``."""
        names, held = point.front.names, point.anchor is not None
        found = {name: prices(point, name) for name in names}
        paid = np.array([[found[name].get(payer, np.nan) for payer in names] for name in names])
        return cls(
            point.id,
            tuple(map(printable, names)),
            held,
            paid,
            _doubtful(point) if held else np.zeros_like(paid, dtype=bool),
        )

    @property
    def title(self) -> str:
        return f"Trade-offs at point {self.point}"

    @property
    def subtitle(self) -> str:
        notes = [_TOGETHER if self.together else _ALONE, "in % of the loss that pays"]
        if (self.prices < 0).any():
            notes.append("a bar to the left: it gains, too")
        if self.doubtful.any():
            notes.append("hollow: within the noise of the data")
        return "; ".join(notes)

    @property
    def size(self) -> tuple[float, float]:
        m, (width, height) = len(self.names), _CELL
        return max(USUAL_SIZE[0], 2.2 + width * m), 2.3 + height * max(m, 3)

    def draw(self, figure: Figure) -> None:
        axes: Any = figure.add_subplot()
        m = len(self.names)
        zero, scale = self._scale()
        for i, j in np.ndindex(m, m):
            if i == j:
                axes.fill_between([j, j + 1], i - 0.5, i + 0.5, color=FAINT, alpha=0.5, linewidth=0)
                continue
            price, doubt = float(self.prices[i, j]), bool(self.doubtful[i, j])
            if np.isfinite(price):
                length, fill = scale * float(np.clip(price, -RUINOUS, RUINOUS)), BAD if price > 0 else GOOD
                style = {"color": "white" if doubt else fill, "edgecolor": PATH if doubt else fill}
                axes.barh(i, length, 0.42, left=j + zero, linewidth=0.8, zorder=2, **style)
            axes.plot([j + zero] * 2, [i - 0.3, i + 0.3], color=PATH, linewidth=0.8, zorder=3)
            axes.text(j + 0.97, i, _words(price), ha="right", va="center", fontsize=8.5, color=INK)
        axes.hlines(np.arange(m + 1) - 0.5, 0, m, color=FAINT, linewidth=0.8, zorder=1)
        axes.vlines(np.arange(m + 1), -0.5, m - 0.5, color=FAINT, linewidth=0.8, zorder=1)
        axes.set_xlim(0, m)
        axes.set_ylim(m - 0.5, -0.5)
        axes.xaxis.set_ticks_position("top")
        axes.xaxis.set_label_position("top")
        heads = [folded(name, _LETTERS) for name in self.names]
        axes.set_xticks(np.arange(m) + 0.5, heads, fontsize=9, color=INK, parse_math=False)
        rows = [folded(name, 22, 2) for name in self.names]
        axes.set_yticks(np.arange(m), rows, fontsize=9, color=INK, parse_math=False)
        axes.set_xlabel(axis_label("costs so much on"), fontsize=9.5, color=INK, labelpad=8)
        axes.set_ylabel("1 % better on", fontsize=9.5, color=INK)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)

    def _scale(self) -> tuple[float, float]:
        """Where in a cell nothing lies, and how long one per cent is: the same in all cells."""
        known = np.clip(self.prices[np.isfinite(self.prices)], -RUINOUS, RUINOUS)
        most, least = max(0.0, known.max(initial=0.0)), min(0.0, known.min(initial=0.0))
        left, right = _BARS
        scale = (right - left) / (most - least) if most > least else 0.0
        return left - least * scale, scale


def _doubtful(point: Point) -> NDArray[np.bool_]:
    """[m, m], whether zero is in the 95 % interval of what a price was made of: of the gain, or of what was paid."""
    names, data = point.front.names, point.measured.shown
    doubtful = np.zeros((len(names), len(names)), dtype=bool)
    for i, name in enumerate(names):
        conflict, width = point.conflict[name], quantile(len(data.fractions))
        for j, payer in enumerate(names):
            if i != j:
                paid, error = conflict.others[payer]
                doubtful[i, j] = abs(paid) <= width * (error or 0) or abs(conflict.gain) <= width * (
                    conflict.gain_error or 0
                )
    return doubtful


def _words(price: float) -> str:
    """A price as it stands in a cell."""
    words = cost_words(abs(price))
    return f"-{words}" if price < 0 and words != cost_words(0.0) else words
