"""A chart as a figure of its own: no window, no global state; it shows itself in a notebook and goes into files."""

from __future__ import annotations

import io
import warnings
from textwrap import wrap

from paretonav.errors import needing
from paretonav.plotting.chart import Chart
from paretonav.plotting.style import INK, PATH

with needing("plots", "a picture"):
    from matplotlib import rc_context
    from matplotlib.collections import LineCollection
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine
    from matplotlib.lines import Line2D

_DPI = 150
_EDGE = 0.12  # inches around everything
_HEADLINES = {"title": (11.5, 0.22, 11.0), "subtitle": (9.5, 0.18, 13.5)}
"""Size in points, inches per line, letters per inch."""
_HANDLE, _LETTER = 0.75, 0.075  # inches of a legend's entry: what is before its text, and of each letter


class Picture(Figure):
    """A figure that shows itself as the last line of a notebook's cell, with or without ``%matplotlib inline``."""

    def _repr_png_(self) -> bytes:
        return written(self, "png")


def picture(chart: Chart) -> Picture:
    """A chart with its headline and legend."""
    width, height = chart.size
    figure = Picture(figsize=chart.size, dpi=_DPI, facecolor="white")
    below = _headline(figure, chart)
    layout = ConstrainedLayoutEngine(w_pad=_EDGE, h_pad=_EDGE, rect=(0, 0, 1, 1 - below / height))
    figure.set_layout_engine(layout)
    chart.draw(figure)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    if handles:
        entry = _HANDLE + _LETTER * max(map(len, labels))
        columns = min(max(int((width - 2 * _EDGE) / entry), 1), len(labels))
        legend = figure.legend(
            handles, labels, loc="outside lower center", ncols=columns, frameon=False, fontsize=9
        )
        for text in legend.get_texts():
            text.set_parse_math(False)  # names are no formulas
        for handle in legend.legend_handles:
            if isinstance(handle, Line2D | LineCollection):
                handle.set_alpha(1)  # thousands of thin lines are pale each
    return figure


def written(figure: Figure, form: str) -> bytes:
    """A figure as "png", "svg" or "pdf"; the same one gives the same file, whenever it is written."""
    buffer = io.BytesIO()
    dated = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
    with warnings.catch_warnings(), rc_context({"svg.hashsalt": "paretonav"}):  # else its ids are random
        warnings.filterwarnings("ignore", message="Glyph")  # a name in a script that the font lacks
        figure.savefig(buffer, format=form, metadata=dated[form])
    return buffer.getvalue()


def _headline(figure: Figure, chart: Chart) -> float:
    """Write title and subtitle; how far down they come, in inches."""
    width, height = chart.size
    down = _EDGE
    for part, (size, line, letters) in _HEADLINES.items():
        weight, colour = ("bold", INK) if part == "title" else ("normal", PATH)
        for text in wrap(getattr(chart, part), int((width - 2 * _EDGE) * letters)):
            figure.text(
                _EDGE / width,
                1 - down / height,
                text,
                va="top",
                fontsize=size,
                weight=weight,
                color=colour,
                parse_math=False,
            )
            down += line
    return down
