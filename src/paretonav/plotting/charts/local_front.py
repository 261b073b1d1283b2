"""The front around a point as its model predicts it, sampled for drawing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paretonav.geometry import FrontModel

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

_EXTENT = 0.15
_RINGS, _SPOKES, _SAMPLES = 8, 72, 81


@dataclass(frozen=True, eq=False)
class Patch:
    """The front around the current point as its model predicts it: a curve or a surface.

    Attributes:
        outcomes: [k, m], losses on the front.
        lines: index sequences into ``outcomes``, each to be drawn as one line; a surface's rim comes first.
        triangles: [t, 3], indices into ``outcomes``; none for a curve.
    """

    outcomes: Array
    lines: tuple[Indices, ...]
    triangles: Indices


def local_front(front: FrontModel) -> Patch | None:
    """Sample the front model around its point, over about 15 % of the losses, on the data that it is asked on."""
    if front.m == 2:
        ends = [radius(front, np.array([sign])) for sign in (-1.0, 1.0)]
        coordinates = np.linspace(-ends[0], ends[1], _SAMPLES)[:, None]
        lines: tuple[Indices, ...] = (np.arange(_SAMPLES),)
        triangles = np.zeros((0, 3), dtype=np.intp)
    elif front.m == 3:
        coordinates = _disc(front)
        lines, triangles = _web()
    else:
        return None
    if not np.abs(coordinates).max() > 0:
        return None
    outcomes = [front.asked_losses + front.changes(front.trades @ c)[: front.m] for c in coordinates]
    return Patch(np.stack(outcomes), lines, triangles)


def radius(front: FrontModel, direction: Array) -> float:
    """How far the front is shown along a direction of coordinates along it (``FrontModel.trades``).

    Until the losses have changed by 15 % of their mean size, an objective's weight is zero, or the model
    bends as much as it slopes and is no more to be believed.
    """
    direction = front.trades @ direction
    speed = float(np.abs(front.asked_response @ direction).max())
    bend = float(np.abs(front.asked_bend @ direction @ direction).max())
    if not speed > 0:
        return 0.0
    return min(
        _EXTENT * float(np.abs(front.asked_losses).mean()) / speed,
        speed / bend if bend > 0 else np.inf,
        front.edge(direction),
    )


def _disc(front: FrontModel) -> Array:
    """Tangent coordinates [1 + rings * spokes, 2]: the centre, then ring by ring."""
    angles = np.linspace(0, 2 * np.pi, _SPOKES, endpoint=False)
    rim = np.stack([radius(front, u) * u for u in np.stack([np.cos(angles), np.sin(angles)], axis=1)])
    rings = np.arange(1, _RINGS + 1)[:, None, None] / _RINGS * rim
    return np.concatenate([np.zeros((1, 2)), rings.reshape(-1, 2)])


def _web() -> tuple[tuple[Indices, ...], Indices]:
    """The disc's rim, lines along some of its rings and spokes, and its triangles."""
    grid = 1 + np.arange(_RINGS * _SPOKES).reshape(_RINGS, _SPOKES)
    closed = np.concatenate([grid, grid[:, :1]], axis=1)
    spokes = grid[:, :: _SPOKES // 12].T
    inner, outer = closed[:-1], closed[1:]
    corners = [
        (np.zeros_like(closed[0, 1:]), closed[0, :-1], closed[0, 1:]),
        (inner[:, :-1], outer[:, :-1], outer[:, 1:]),
        (inner[:, :-1], outer[:, 1:], inner[:, 1:]),
    ]
    triangles = np.concatenate([np.stack([c.ravel() for c in corner], axis=1) for corner in corners])
    return (*closed[::-2], *spokes), triangles
