"""What one visited point knows of the front around it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from itertools import combinations, product
from math import gcd

import numpy as np
from numpy.typing import NDArray

from paretonav.geometry import FrontModel
from paretonav.steering.stepping.trust import Trust

Array = NDArray[np.float64]

# Where the model around a point is sampled: at these parts of the way to where it ends, along so many directions that
# none on the front is far from all. Chosen, not measured: a sample between these would lie within a step's precision.
_SHARES = (0.15, 0.3, 0.5, 0.75, 1.0)
_MIXED = 3  # objectives that a direction moves at most; all mixtures of more would be too many to look at
_FINE, _FEW = 2, 3  # steps of the mixtures of so few objectives as can have more of them
_ALONG = 0.1  # of a mixture: one of which less is along the front leads nowhere in particular
_FLAT = 1e-6  # of the steepest: a way on which the losses change by less is none


@dataclass(frozen=True, eq=False)
class Chart:
    """One piece of the map of a front: a visited point, with the model of what is around it.

    Attributes:
        point: its id.
        front: the model, with the losses asked for on the data that the map is of.
        trust: how far that is believed.
        whole: whether one can go there; the parameters of a point that was pruned are gone.
    """

    point: int
    front: FrontModel
    trust: Trust
    whole: bool = True

    @property
    def outcome(self) -> Array:
        """[m], the losses at the point."""
        return self.front.asked_losses

    @cached_property
    def slopes(self) -> Array:
        """[m, k], how the losses change along the ways that the front is made of (``FrontModel.trades``)."""
        return np.asarray(-self.front.asked_response @ self.front.trades)

    def tangent(self, scale: Array) -> Array | None:
        """[2], of two objectives the way along the front in parts of ``scale`` [2], of length 1, the first rising.

        None where the two do not stand against each other here, as may be on validation data.
        """
        way = self.slopes[:, 0] / scale
        length = float(np.linalg.norm(way))
        if not length > 0 or way[0] * way[1] > 0:
            return None
        return np.asarray(way * (1 if way[0] > 0 or (way[0] == 0 and way[1] < 0) else -1) / length)

    def samples(self, scale: Array, far: float) -> Array:
        """[n, q], predicted values of losses and metrics on the front around the point.

        They lie along mixtures of objectives, as these are seen along the front, where its curvature leads from there.
        So they depend neither on the order of the objectives nor on their units, nor on the coordinates of the model.

        Args:
            scale: [m], what a change of each loss is counted in.
            far: in these units, beyond which nothing is predicted.
        """
        front, nothing = self.front, np.zeros((0, len(self.front.values)))
        slopes = self.slopes / scale[:, None]
        if not slopes.size:
            return nothing
        left, sizes, right = np.linalg.svd(slopes, full_matrices=False)
        steep = sizes > _FLAT * sizes.max(initial=0.0)
        if not steep.any():
            return nothing
        left = left[:, steep]
        back = (front.trades @ right[steep].T) / sizes[
            steep
        ]  # [k, steep], from a way along the front to coordinates
        ways = _seen(len(scale), left)
        first = ways @ back.T
        bent = front.squares(first)[:, : front.m] / scale
        across = bent - bent @ left @ left.T
        second = (
            -0.5 * bent @ left @ back.T
        )  # goes back by what the coordinates, and not the front, bend along it
        lengths = np.array(
            [
                self._believed(c, float(np.abs(bend).max()), scale, far)
                for c, bend in zip(first, across, strict=True)
            ]
        )
        steps = (lengths[:, None] * _SHARES)[:, :, None]
        curves = (steps * first[:, None], steps**2 * second[:, None])
        return front.outcomes(*(curve[lengths > 0].reshape(-1, first.shape[1]) for curve in curves))

    def _believed(self, way: Array, bend: float, scale: Array, far: float) -> float:
        """How far a way is followed on which the losses change by one unit: to where it ends, or bends as it slopes."""
        limits = [far, 1 / bend if bend > 0 else np.inf]
        rows, room, _ = self.front.box
        rates = rows @ way
        limits.extend(np.maximum(room[rates > 0], 0) / rates[rates > 0])
        if self.front.anchor is None:
            weights, changes = self.front.weights * scale, self.front.weight_basis @ way * scale
            falls = changes / weights.sum() - weights * changes.sum() / weights.sum() ** 2
            share = weights / weights.sum()
            limits.extend(np.maximum(share[falls < 0], 0) / -falls[falls < 0])
        return float(min(limits))


def _seen(m: int, left: Array) -> Array:
    """[n, d], mixtures of objectives as they are seen along the front, whose directions are ``left`` [m, d]."""
    mixtures = _mixtures(m)
    seen = mixtures @ left
    lengths = np.linalg.norm(seen, axis=1)
    along = lengths > _ALONG * np.linalg.norm(mixtures, axis=1)
    return np.asarray(seen[along] / lengths[along, None])


@cache
def _mixtures(m: int) -> Array:
    """[n, m], objectives taken together and against each other in many proportions, each proportion once."""
    if m <= _FEW:
        steps = range(-_FINE, _FINE + 1)
        return np.array([mix for mix in product(steps, repeat=m) if gcd(*mix) == 1], dtype=float)
    rows = []
    for count in range(1, _MIXED + 1):
        for which in combinations(range(m), count):
            for signs in product((-1.0, 1.0), repeat=count):
                row = np.zeros(m)
                row[list(which)] = signs
                rows.append(row)
    return np.array(rows)
