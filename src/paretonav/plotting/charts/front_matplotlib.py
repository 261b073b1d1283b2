"""The points and the front around the current one, by Matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from paretonav.plotting.charts.front_plotly import FRONT_LABEL
from paretonav.plotting.charts.local_front import Patch
from paretonav.plotting.data import Array, Visited, broken, labels
from paretonav.plotting.style import FRONT, INK, MARKS, PATH, outlined, plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw(figure: Figure, visited: Visited, patch: Patch | None, extent: tuple[Array, Array]) -> None:
    """In the plane for two objectives, in space for three; the arguments are those of ``front_plotly.figure``."""
    titles = [f"{name} – {visited.split} loss" for name in visited.names]
    if len(titles) == 3:
        axes: Any = figure.add_subplot(projection="3d", computed_zorder=False)
        axes.view_init(elev=24, azim=32)
        axes.tick_params(labelsize=8)
        axes.set_box_aspect(None, zoom=1.08)
        for axis, text in zip((axes.xaxis, axes.yaxis, axes.zaxis), titles, strict=True):
            axis.set_label_text(text, parse_math=False)
            axis.labelpad = 9
            axis.set_pane_color("#fafafa")
    else:
        axes = figure.add_subplot()
        plain(axes)
        axes.margins(0.08)
        axes.set_xlabel(titles[0], parse_math=False)
        axes.set_ylabel(titles[1], parse_math=False)
    _scene(axes, visited, patch, extent)


def _scene(axes: Any, visited: Visited, patch: Patch | None, extent: tuple[Array, Array]) -> None:
    """The front, the way and the points, in the plane or in space."""
    losses, edges = visited.losses, visited.edges
    if patch is not None:
        _front(axes, patch)
    if edges:
        way = broken([losses[list(edge)] for edge in edges])
        axes.plot(*way.T, color=PATH, linewidth=1.6 if visited.few else 0.4, zorder=3)
    for role, rows in visited.roles.items():
        mark = MARKS[role]
        if rows:
            size = (13 if role == "starred" else 8) if visited.few or role != "visited" else 3
            edge = {"markeredgecolor": "white", "markeredgewidth": 1 if size > 3 else 0}
            axes.plot(
                *losses[rows].T,
                linestyle="",
                color=mark.colour,
                label=mark.label,
                marker=mark.marker,
                markersize=size,
                zorder=4,
                **edge,
            )
    low, high = extent
    numbered = visited.numbered
    for i, text in labels(losses[numbered], high - low, [str(visited.records[row].id) for row in numbered]):
        # Space has no annotations with an offset; an empty second line lifts the number off its point.
        place = {"ha": "center", "va": "bottom", "linespacing": 0.8, **outlined()}
        axes.text(*losses[numbered[i]], f"{text}\n", fontsize=9, color=INK, zorder=5, **place)


def _front(axes: Any, patch: Patch) -> None:
    from mpl_toolkits.mplot3d.art3d import Poly3DCollection

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
