"""What a picture of a navigation shows, free of any drawing library."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paretonav.geometry import FrontModel
from paretonav.navigation import Navigator
from paretonav.session.wording import origin, printable

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

_EXTENT = 0.15
_RINGS, _SPOKES, _SAMPLES = 8, 72, 81


@dataclass(frozen=True, eq=False)
class Spot:
    """One visited point.

    Attributes:
        id: its number.
        parent: the number of the point that it was reached from, or None.
        losses: [m].
        origin: how it was reached, in words.
    """

    id: int
    parent: int | None
    losses: Array
    origin: str


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


@dataclass(frozen=True, eq=False)
class Picture:
    """Everything that is drawn.

    Attributes:
        names: of the objectives, printable.
        spots: the visited points, in the order of their ids.
        current: the id of the current point.
        patch: of the front around it; None with more than three objectives, or if it has no extent.
    """

    names: tuple[str, ...]
    spots: tuple[Spot, ...]
    current: int
    patch: Patch | None

    @classmethod
    def of(cls, navigator: Navigator) -> Picture:
        """The picture of a navigation that has started."""
        here = navigator.here
        spots = [Spot(p.id, p.parent, np.array(list(p.losses.values())), origin(p)) for p in navigator.points]
        return cls(tuple(map(printable, here.front.names)), tuple(spots), here.id, local_front(here.front))

    @property
    def losses(self) -> Array:
        """[points, m]."""
        return np.stack([spot.losses for spot in self.spots])

    @property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """(parent, child) of every point that was reached from another."""
        return tuple((spot.parent, spot.id) for spot in self.spots if spot.parent is not None)

    @property
    def roles(self) -> dict[str, list[int]]:
        """The ids of the points by how they are marked; a point that is both is the current one."""
        others = [spot.id for spot in self.spots if spot.id not in (0, self.current)]
        return {"visited": others, "start": [0] if self.current else [], "current": [self.current]}

    @property
    def extent(self) -> tuple[Array, Array]:
        """The least and the largest loss drawn on each axis, both [m]."""
        drawn = self.losses if self.patch is None else np.concatenate([self.losses, self.patch.outcomes])
        return drawn.min(axis=0), drawn.max(axis=0)

    def scaled(self) -> tuple[Array, Array, Array]:
        """The losses on axes from the smallest to the largest visited [points, m], and both ends [m]."""
        losses = self.losses
        low, high = losses.min(axis=0), losses.max(axis=0)
        span = np.where(high > low, high - low, 1.0)
        return np.where(high > low, (losses - low) / span, 0.5), low, high


def labels(places: Array, span: Array, near: float = 0.02) -> list[tuple[int, str]]:
    """The numbers to write: (the first point of a group that lies too close to tell apart, "0, 2, 4").

    Args:
        places: of the points, [points, d].
        span: what is drawn of each axis, [d].
        near: the distance below which two numbers would cover each other, as a fraction of ``span``.
    """
    groups: dict[int, list[int]] = {}
    for i, place in enumerate(places):
        close = (g for g in groups if (np.abs(place - places[g]) <= near * span).all())
        groups.setdefault(next(close, i), []).append(i)
    return [(first, ", ".join(map(str, ids))) for first, ids in groups.items()]


def local_front(front: FrontModel) -> Patch | None:
    """Sample the front model around its point, over about 15 % of the losses."""
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
    return Patch(np.stack([front.losses + front.change(c) for c in coordinates]), lines, triangles)


def radius(front: FrontModel, direction: Array) -> float:
    """How far the front is shown along a direction of tangent coordinates.

    Until the losses have changed by 15 % of their mean size, an objective's weight is zero, or the model
    bends as much as it slopes and is no more to be believed.
    """
    speed = float(np.abs(front.response @ direction).max())
    bend = 2 * float(np.abs(front.displacement(direction)).max())
    if not speed > 0:
        return 0.0
    return min(
        _EXTENT * float(np.abs(front.losses).mean()) / speed,
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
