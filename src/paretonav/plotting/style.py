"""What all charts agree on: colours that the colour-blind can tell apart (Okabe & Ito), fonts, and words."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

INK = "#3b3b3b"
FAINT = "#e6e6e6"
PATH = "#8a8a8a"
FRONT = "#56b4e9"
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#3b3b3b", "#a6761d")
FAMILY = 'system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'
FONT = {"family": FAMILY, "color": INK, "size": 13}


@dataclass(frozen=True)
class Mark:
    """How one kind of point is drawn, in Plotly's symbols and in Matplotlib's markers."""

    label: str
    colour: str
    symbol: str
    marker: str


MARKS = {
    "visited": Mark("visited", "#0072b2", "circle", "o"),
    "start": Mark("start", "#e69f00", "square", "s"),
    "starred": Mark("starred", "#009e73", "star", "*"),
    "current": Mark("current point", "#d55e00", "diamond", "D"),
}


def colour(position: int) -> str:
    """The colour of the line, bar or shape at a position; after eight they begin again."""
    return PALETTE[position % len(PALETTE)]


def dress(figure: Any) -> None:
    """Give a Plotly figure the fonts and margins of all."""
    figure.update_layout(
        template="plotly_white",
        font=FONT,
        margin={"l": 20, "r": 20, "t": 20, "b": 20},
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "font": {"size": 12}},
        hoverlabel={"align": "left", "bgcolor": "white", "font": FONT},
    )


def entitle(figure: Any, title: str, subtitle: str) -> None:
    """Give a Plotly figure that stands alone a headline."""
    text = f"{escape(title)}<br><sup>{escape(subtitle)}</sup>"
    figure.update_layout(title={"text": text, "x": 0, "xref": "paper"}, margin={"t": 110})


def plain(axes: Any) -> None:
    """Give Matplotlib axes a frame on two sides and a faint grid."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color=FAINT, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=9, colors=INK)


def entry(label: str) -> str:
    """A label for Matplotlib's legend, which leaves out those that begin with an underscore."""
    return f" {label}" if label.startswith("_") else label


def outlined() -> dict[str, Any]:
    """For Matplotlib texts that must be read on whatever is behind them."""
    from matplotlib.patheffects import withStroke

    return {"path_effects": [withStroke(linewidth=2.5, foreground="white")]}
