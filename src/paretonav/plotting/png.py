"""Images by Matplotlib, on figures of their own: no window, no global state."""

from __future__ import annotations

import io
import warnings
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from mpl_toolkits.mplot3d.art3d import Poly3DCollection

from paretonav.plotting.data import Patch, Picture, labels
from paretonav.plotting.style import (
    AXIS_TITLE,
    FRONT,
    FRONT_LABEL,
    INK,
    MARKS,
    PATH,
    SCALED_AXES_TITLE,
    title,
)

_DPI = 150


def render(picture: Picture) -> bytes:
    """A PNG image."""
    layout = ConstrainedLayoutEngine(w_pad=0.15, h_pad=0.12)
    figure = Figure(figsize=(8, 6.4), dpi=_DPI, facecolor="white", layout=layout)
    axes = _DRAWINGS.get(len(picture.names), _parallel)(figure, picture)
    axes.set_title(title(picture), fontsize=11, color=INK, parse_math=False)
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False, fontsize=9)
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # a name in a script that the font lacks
        figure.savefig(buffer, format="png")
    return buffer.getvalue()


def _plane(figure: Figure, picture: Picture) -> Any:
    axes: Any = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.margins(0.08)
    _scene(axes, picture)
    axes.set_xlabel(AXIS_TITLE.format(picture.names[0]), parse_math=False)
    axes.set_ylabel(AXIS_TITLE.format(picture.names[1]), parse_math=False)
    return axes


def _space(figure: Figure, picture: Picture) -> Any:
    axes: Any = figure.add_subplot(projection="3d", computed_zorder=False)
    axes.view_init(elev=24, azim=32)
    _scene(axes, picture)
    for axis, name in zip((axes.xaxis, axes.yaxis, axes.zaxis), picture.names, strict=True):
        axis.set_label_text(AXIS_TITLE.format(name), parse_math=False)
        axis.labelpad = 9
        axis.set_pane_color("#fafafa")
    axes.tick_params(labelsize=8)
    axes.set_box_aspect(None, zoom=1.08)
    return axes


def _scene(axes: Any, picture: Picture) -> None:
    """The front, the way and the points, in the plane or in space."""
    losses = picture.losses
    if picture.patch is not None:
        _front(axes, picture.patch)
    for edge in picture.edges:
        axes.plot(*losses[list(edge)].T, color=PATH, linewidth=1.6, zorder=3)
    for role, ids in picture.roles.items():
        mark = MARKS[role]
        if ids:
            style = {"marker": mark.marker, "markersize": 8, "markeredgecolor": "white", "zorder": 4}
            axes.plot(*losses[ids].T, linestyle="", color=mark.colour, label=mark.label, **style)
    low, high = picture.extent
    for i, text in labels(losses, high - low):
        # Space has no annotations with an offset; an empty second line lifts the number off its point.
        place = {"ha": "center", "va": "bottom", "linespacing": 0.8}
        axes.text(*losses[i], f"{text}\n", fontsize=9, color=INK, zorder=5, **place)


def _front(axes: Any, patch: Patch) -> None:
    surface = len(patch.triangles) > 0
    if surface:
        # The front falls along every axis, so from this side its rim encloses all of it: one polygon has none
        # of the seams that translucent triangles show.
        rim = patch.outcomes[patch.lines[0]]
        style = {"facecolor": FRONT, "alpha": 0.35, "linewidth": 0}
        axes.add_collection3d(Poly3DCollection([rim], zorder=1, label=FRONT_LABEL, **style))
    for position, line in enumerate(patch.lines):
        axes.plot(
            *patch.outcomes[line].T,
            color=FRONT,
            linewidth=0.7 if surface else 3,
            alpha=0.7,
            zorder=2,
            label=None if surface or position else FRONT_LABEL,
        )


def _parallel(figure: Figure, picture: Picture) -> Any:
    axes: Any = figure.add_subplot()
    heights, low, high = picture.scaled()
    places = range(len(picture.names))
    for role, ids in picture.roles.items():
        mark = MARKS[role]
        for position, i in enumerate(ids):
            axes.plot(
                places,
                heights[i],
                color=mark.colour,
                marker=mark.marker,
                linewidth=1.4 if role == "visited" else 2.6,
                label=None if position else mark.label,
            )
    for i, text in labels(heights[:, -1:], np.ones(1)):
        beside = {"xytext": (10, 0), "textcoords": "offset points", "va": "center"}
        axes.annotate(text, (places[-1], heights[i, -1]), fontsize=9, color=INK, **beside)
    axes.set_xticks(places)
    axes.set_xticklabels(picture.names, parse_math=False)
    for place in places:
        axes.axvline(place, color="#cccccc", linewidth=0.8, zorder=0)
        ends = {low[place]: -0.07} if low[place] == high[place] else {low[place]: -0.07, high[place]: 1.07}
        for loss, height in ends.items():
            axes.text(place, height, f"{loss:.4g}", ha="center", va="center", fontsize=8, color=INK)
    axes.set_ylim(-0.12, 1.12)
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    axes.set_ylabel(SCALED_AXES_TITLE, fontsize=9)
    return axes


_DRAWINGS = {2: _plane, 3: _space}
