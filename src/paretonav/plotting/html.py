"""Interactive pages by Plotly."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go

from paretonav.plotting.data import Array, Patch, Picture, Spot, labels
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

_FAMILY = 'system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
html, body {{ height: 100%; margin: 0; }}
body {{ display: flex; flex-direction: column; color: {ink}; background: #fff;
  font-family: {family}; }}
header {{ padding: 1.1rem 1.6rem 0; }}
h1 {{ font-size: 1.25rem; font-weight: 600; margin: 0 0 .3rem; }}
p {{ margin: 0; font-size: .9rem; color: #666; }}
main {{ flex: 1; min-height: 24rem; position: relative; }}
main > div {{ position: absolute; inset: 0; }}
</style>
</head>
<body>
<header>
<h1>{heading}</h1>
<p>{subtitle}</p>
</header>
<main>
{figure}
</main>
</body>
</html>
"""
_FONT = {"family": _FAMILY, "color": INK, "size": 13}


def render(picture: Picture) -> bytes:
    """A self-contained page that works offline."""
    figure = _FIGURES.get(len(picture.names), _parallel)(picture)
    figure.update_layout(
        template="plotly_white",
        font=_FONT,
        margin={"l": 20, "r": 20, "t": 20, "b": 20},
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "font": {"size": 12}},
        hoverlabel={"align": "left", "bgcolor": "white", "font": _FONT},
    )
    div = figure.to_html(
        full_html=False,
        include_plotlyjs=True,
        default_height="100%",
        config={"displaylogo": False, "responsive": True},
    )
    names = escape(", ".join(picture.names))
    page = _PAGE.format(
        title=f"Pareto navigation: {names}",
        heading=f"Pareto navigation: {names}",
        subtitle=escape(title(picture)),
        ink=INK,
        family=_FAMILY,
        figure=div,
    )
    return page.encode("utf-8", errors="replace")


def _plane(picture: Picture) -> Any:
    figure = go.Figure(_scene(picture, go.Scatter))
    x, y = (AXIS_TITLE.format(escape(name)) for name in picture.names)
    lines = {
        "showline": True,
        "linecolor": "#bbb",
        "ticks": "outside",
        "tickcolor": "#bbb",
        "zeroline": False,
    }
    low, high = picture.extent
    room = 0.07 * np.where(high > low, high - low, 1)
    ranges = np.stack([low - room, high + room], axis=1).tolist()
    figure.update_layout(
        xaxis={"title": {"text": x}, "range": ranges[0], **lines},
        yaxis={"title": {"text": y}, "range": ranges[1], **lines},
    )
    return figure


def _space(picture: Picture) -> Any:
    figure = go.Figure(_scene(picture, go.Scatter3d))
    axes = (f"{axis}axis" for axis in "xyz")
    titles = ({"text": AXIS_TITLE.format(escape(name)), "font": {"size": 13}} for name in picture.names)
    look = {"backgroundcolor": "#fafafa", "gridcolor": "#ddd", "showbackground": True, "zeroline": False}
    figure.update_layout(
        scene={
            "aspectmode": "cube",
            "camera": {"eye": {"x": 1.8, "y": 1.15, "z": 0.85}, "center": {"x": 0, "y": 0, "z": -0.12}},
            **{axis: {"title": text, **look} for axis, text in zip(axes, titles, strict=True)},
        }
    )
    return figure


def _scene(picture: Picture, trace: Any) -> list[Any]:
    """The front, the way and the points, as traces in the plane or in space."""
    patch = picture.patch
    traces = [] if patch is None else _front(patch, trace)
    losses = picture.losses
    size = 12 if trace is go.Scatter else 7
    if picture.edges:
        way = _broken([losses[list(edge)] for edge in picture.edges])
        line = {"color": PATH, "width": 2 if trace is go.Scatter else 4}
        traces.append(trace(**_xyz(way), mode="lines", line=line, hoverinfo="skip", showlegend=False))
    for role, ids in picture.roles.items():
        mark = MARKS[role]
        marker = {
            "color": mark.colour,
            "symbol": mark.symbol,
            "size": size,
            "line": {"color": "white", "width": 1},
        }
        if ids:
            traces.append(
                trace(
                    **_xyz(losses[ids]),
                    mode="markers",
                    marker=marker,
                    hovertext=[_hover(picture, picture.spots[i]) for i in ids],
                    hoverinfo="text",
                    name=mark.label,
                )
            )
    low, high = picture.extent
    numbers = labels(losses, high - low)
    traces.append(
        trace(
            **_xyz(losses[[i for i, _ in numbers]]),
            mode="markers+text",
            marker={"size": size, "opacity": 0},
            text=[text for _, text in numbers],
            textposition="top center",
            hoverinfo="skip",
            showlegend=False,
        )
    )
    return traces


def _front(patch: Patch, trace: Any) -> list[Any]:
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
    web = _broken([patch.outcomes[line] for line in patch.lines])
    line = {"color": FRONT, "width": 1.5 if surface else 4}
    legend = {"name": FRONT_LABEL, "legendgroup": "front", "showlegend": not surface}
    traces.append(trace(**_xyz(web), mode="lines", line=line, hoverinfo="skip", **legend))
    return traces


def _parallel(picture: Picture) -> Any:
    heights, low, high = picture.scaled()
    figure = go.Figure()
    for role, ids in picture.roles.items():
        mark = MARKS[role]
        for position, i in enumerate(ids):
            figure.add_scatter(
                x=list(range(len(picture.names))),
                y=heights[i],
                mode="lines+markers",
                line={"color": mark.colour, "width": 1.5 if role == "visited" else 3},
                marker={"size": 9, "symbol": mark.symbol},
                hovertext=_hover(picture, picture.spots[i]),
                hoverinfo="text",
                name=mark.label,
                legendgroup=role,
                showlegend=position == 0,
            )
    numbers = labels(heights[:, -1:], np.ones(1))
    figure.add_scatter(
        x=[len(picture.names) - 1] * len(numbers),
        y=[heights[i, -1] for i, _ in numbers],
        mode="text",
        text=[f"   {text}" for _, text in numbers],
        textposition="middle right",
        hoverinfo="skip",
        showlegend=False,
    )
    axes = {"showgrid": True, "gridcolor": "#bbb", "zeroline": False}
    ticks = [
        f"{escape(name)}<br>{bottom:.4g}" + (f" to {top:.4g}" if top > bottom else "")
        for name, bottom, top in zip(picture.names, low, high, strict=True)
    ]
    figure.update_layout(
        xaxis={"tickvals": list(range(len(ticks))), "ticktext": ticks, **axes},
        yaxis={
            "title": {"text": SCALED_AXES_TITLE},
            "tickvals": [0, 1],
            "ticktext": ["smallest", "largest"],
            "range": [-0.06, 1.06],
        },
    )
    return figure


def _hover(picture: Picture, spot: Spot) -> str:
    start = picture.spots[0].losses
    rows = [
        f"<b>point {spot.id}</b>{' (current)' if spot.id == picture.current else ''}",
        escape(spot.origin),
    ]
    for name, loss, first in zip(picture.names, spot.losses, start, strict=True):
        since = f" ({100 * (loss - first) / abs(first):+.1f}% since the start)" if spot.id and first else ""
        rows.append(f"{escape(name)}: {loss:.4g}{since}")
    return "<br>".join(rows)


def _xyz(points: Array) -> dict[str, Array]:
    return dict(zip("xyz", points.T, strict=False))


def _broken(lines: list[Array]) -> Array:
    """Several lines as one, with gaps of NaN between them."""
    gap = np.full((1, lines[0].shape[1]), np.nan)
    return np.concatenate([part for line in lines for part in (line, gap)][:-1])


_FIGURES = {2: _plane, 3: _space}
