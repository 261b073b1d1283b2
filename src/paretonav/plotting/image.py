"""A chart as an image, on a figure of its own: no window, no global state."""

from __future__ import annotations

import io
import warnings
from math import ceil
from textwrap import wrap

from paretonav.plotting.chart import Chart
from paretonav.plotting.style import INK

_DPI = 150
_SIZE = (8, 6.4)
_LINE = 95  # characters of a headline
_MOST_COLUMNS = 4


def image(chart: Chart) -> bytes:
    """A PNG image."""
    from matplotlib.collections import LineCollection
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine
    from matplotlib.lines import Line2D

    layout = ConstrainedLayoutEngine(w_pad=0.15, h_pad=0.12)
    figure = Figure(figsize=_SIZE, dpi=_DPI, facecolor="white", layout=layout)
    chart.draw(figure)
    axes = figure.axes[0]
    lines = [line for text in (chart.title, chart.subtitle) for line in wrap(text, _LINE)]
    figure.suptitle("\n".join(lines), fontsize=10.5, color=INK, parse_math=False)
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        legend = figure.legend(
            handles,
            labels,
            loc="outside lower center",
            ncols=ceil(len(labels) / ceil(len(labels) / _MOST_COLUMNS)),
            handlelength=3,
            frameon=False,
            fontsize=9,
        )
        for text, handle in zip(legend.get_texts(), legend.legend_handles, strict=True):
            text.set_parse_math(False)
            if isinstance(handle, Line2D | LineCollection):
                handle.set_alpha(1)  # thousands of thin lines are pale each
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # a name in a script that the font lacks
        figure.savefig(buffer, format="png")
    return buffer.getvalue()
