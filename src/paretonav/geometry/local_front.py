"""The front around a point as its model predicts it: sampled, so that whoever shows it needs no model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paretonav.geometry.front import FrontModel

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

# Of the losses' mean size: as far as the front is drawn. Chosen, not measured: beyond, a second-order model is a guess.
_EXTENT = 0.15
_RINGS, _SPOKES, _SAMPLES = 8, 72, 81  # so that neither a curve nor a rim shows corners


@dataclass(frozen=True, eq=False)
class Patch:
    """A piece of the front as its model predicts it: a curve for two objectives, a surface for three.

    Attributes:
        outcomes: [k, m], losses on the front.
        lines: index sequences into ``outcomes``, each to be drawn as one line; a surface's rim comes first.
    """

    outcomes: Array
    lines: tuple[Indices, ...]


def local_front(front: FrontModel, extent: float = _EXTENT) -> Patch | None:
    """Sample the front model around its point, on the data that it is asked on.

    Args:
        front: the model.
        extent: how far, in parts of the losses' mean size; never more than 15 %.

    Returns:
        None for more than three objectives, which nobody can see, and where the front has no extent.
    """
    if front.m == 2:
        ends = [radius(front, np.array([sign]), extent) for sign in (-1.0, 1.0)]
        coordinates = np.linspace(-ends[0], ends[1], _SAMPLES)[:, None]
        lines: tuple[Indices, ...] = (np.arange(_SAMPLES),)
    elif front.m == 3:
        coordinates = _disc(front, extent)
        lines = _web()
    else:
        return None
    if not np.abs(coordinates).max() > 0:
        return None
    outcomes = [front.asked_losses + front.changes(front.trades @ c)[: front.m] for c in coordinates]
    return Patch(np.stack(outcomes), lines)


def radius(front: FrontModel, direction: Array, extent: float = _EXTENT) -> float:
    """How far the front is shown along a direction of coordinates along it (``FrontModel.trades``).

    Until the losses have changed by ``extent`` of their mean size, or by 15 %, an objective's weight is zero, or the
    model bends as much as it slopes and is no more to be believed.
    """
    direction = front.trades @ direction
    speed = float(np.abs(front.asked_response @ direction).max())
    bend = float(np.abs(front.asked_bend @ direction @ direction).max())
    if not speed > 0:
        return 0.0
    return min(
        min(extent, _EXTENT) * float(np.abs(front.asked_losses).mean()) / speed,
        speed / bend if bend > 0 else np.inf,
        front.edge(direction),
    )


def _disc(front: FrontModel, extent: float) -> Array:
    """Tangent coordinates [1 + rings * spokes, 2]: the centre, then ring by ring."""
    angles = np.linspace(0, 2 * np.pi, _SPOKES, endpoint=False)
    rim = np.stack([radius(front, u, extent) * u for u in np.stack([np.cos(angles), np.sin(angles)], axis=1)])
    rings = np.arange(1, _RINGS + 1)[:, None, None] / _RINGS * rim
    return np.concatenate([np.zeros((1, 2)), rings.reshape(-1, 2)])


def _web() -> tuple[Indices, ...]:
    """The disc's rim, and lines along some of its rings and spokes."""
    grid = 1 + np.arange(_RINGS * _SPOKES).reshape(_RINGS, _SPOKES)
    closed = np.concatenate([grid, grid[:, :1]], axis=1)
    return (*closed[::-2], *grid[:, :: _SPOKES // 12].T)
