"""The points and the front around the current one, by Plotly."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from paretonav.plotting.charts.local_front import Patch
from paretonav.plotting.data import Array, Visited, broken, labels
from paretonav.plotting.style import FRONT, MARKS, PATH

if TYPE_CHECKING:
    import plotly.graph_objects as go

FRONT_LABEL = "front around the current point, as predicted"
_MANY = 1000  # points, from where the plane is drawn by WebGL


def figure(visited: Visited, patch: Patch | None, extent: tuple[Array, Array]) -> go.Figure:
    """In the plane for two objectives, in space for three.

    Args:
        visited: the points.
        patch: of the front, or None.
        extent: the ends of what is drawn, both [m].
    """
    import plotly.graph_objects as go

    titles = [f"{escape(name)} – {visited.split} loss" for name in visited.names]
    if len(titles) == 3:
        figure = go.Figure(_scene(visited, patch, extent, go.Scatter3d))
        look = {"backgroundcolor": "#fafafa", "gridcolor": "#ddd", "showbackground": True, "zeroline": False}
        axes = {
            f"{axis}axis": {"title": {"text": text, "font": {"size": 13}}, **look}
            for axis, text in zip("xyz", titles, strict=True)
        }
        camera = {"eye": {"x": 1.8, "y": 1.15, "z": 0.85}, "center": {"x": 0, "y": 0, "z": -0.12}}
        figure.update_layout(scene={"aspectmode": "cube", "camera": camera, **axes})
        return figure
    figure = go.Figure(
        _scene(visited, patch, extent, go.Scatter if len(visited.records) < _MANY else go.Scattergl)
    )
    low, high = extent
    room = 0.07 * np.where(high > low, high - low, 1)
    lines = {
        "showline": True,
        "linecolor": "#bbb",
        "ticks": "outside",
        "tickcolor": "#bbb",
        "zeroline": False,
    }
    for axis, text, end, start in zip(
        "xy", titles, (high + room).tolist(), (low - room).tolist(), strict=True
    ):
        figure.update_layout({f"{axis}axis": {"title": {"text": text}, "range": [start, end], **lines}})
    return figure


def _scene(visited: Visited, patch: Patch | None, extent: tuple[Array, Array], trace: Any) -> list[Any]:
    """The front, the way and the points, as traces in the plane or in space."""
    flat = len(visited.names) == 2
    traces = [] if patch is None else _front(patch, trace)
    losses, edges = visited.losses, visited.edges
    size = 7 if not flat else 12 if visited.few else 5
    if edges:
        way = broken([losses[list(edge)] for edge in edges])
        line = {"color": PATH, "width": (2 if flat else 4) if visited.few else 1}
        traces.append(trace(**_xyz(way), mode="lines", line=line, hoverinfo="skip", showlegend=False))
    for role, rows in visited.roles.items():
        if not rows:
            continue
        mark = MARKS[role]
        # Only some symbols exist in space; the star is not one of them.
        symbol = "cross" if mark.symbol == "star" and not flat else mark.symbol
        bigger = size if visited.few or role == "visited" else size + 5
        marker = {
            "color": mark.colour,
            "symbol": symbol,
            "size": bigger,
            "line": {"color": "white", "width": 1 if visited.few else 0},
        }
        traces.append(
            trace(
                **_xyz(losses[rows]),
                mode="markers",
                marker=marker,
                hovertext=[visited.hover(row) for row in rows],
                hoverinfo="text",
                name=mark.label,
            )
        )
    low, high = extent
    numbered = visited.numbered
    texts = labels(losses[numbered], high - low, [str(visited.records[row].id) for row in numbered])
    traces.append(
        trace(
            **_xyz(losses[[numbered[i] for i, _ in texts]]),
            mode="markers+text",
            marker={"size": size, "opacity": 0},
            text=[text for _, text in texts],
            textposition="top center",
            hoverinfo="skip",
            showlegend=False,
        )
    )
    return traces


def _front(patch: Patch, trace: Any) -> list[Any]:
    import plotly.graph_objects as go

    traces = []
    surface = len(patch.triangles) > 0
    if surface:
        i, j, k = patch.triangles.T
        traces.append(
            go.Mesh3d(
                **_xyz(patch.outcomes),
                i=i,
                j=j,
                k=k,
                color=FRONT,
                opacity=0.35,
                hoverinfo="skip",
                name=FRONT_LABEL,
                legendgroup="front",
                showlegend=True,
                lighting={"ambient": 0.75, "diffuse": 0.5, "specular": 0.05},
            )
        )
    web = broken([patch.outcomes[line] for line in patch.lines])
    line = {"color": FRONT, "width": 1.5 if surface else 4}
    legend = {"name": FRONT_LABEL, "legendgroup": "front", "showlegend": not surface}
    traces.append(trace(**_xyz(web), mode="lines", line=line, hoverinfo="skip", **legend))
    return traces


def _xyz(points: Array) -> dict[str, Array]:
    return dict(zip("xyz", points.T, strict=False))
