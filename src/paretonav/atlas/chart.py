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

        Args:
            scale: [m], what a change of each loss is counted in.
            far: in these units, beyond which nothing is predicted.
        """
        coordinates = [
            share * length * way for way, length in self._ways(scale, far) for share in _SHARES if length > 0
        ]
        if not coordinates:
            return np.zeros((0, len(self.front.values)))
        return self.front.outcomes(np.stack(coordinates))

    def _ways(self, scale: Array, far: float) -> list[tuple[Array, float]]:
        """Directions of coordinates along which the losses change by one unit, and how far each is believed.

        They are mixtures of objectives, seen along the front: so their order does not matter, nor their units.
        """
        slopes = self.slopes / scale[:, None]
        if not slopes.size:
            return []
        left, sizes, right = np.linalg.svd(slopes, full_matrices=False)
        steep = sizes > _FLAT * sizes.max(initial=0.0)
        left, sizes, right = left[:, steep], sizes[steep], right[steep]
        mixtures = _mixtures(len(scale))
        seen = mixtures @ left
        lengths = np.linalg.norm(seen, axis=1)
        along = lengths > _ALONG * np.linalg.norm(mixtures, axis=1)
        seen = seen[along] / lengths[along, None]
        trades = self.front.trades
        ways = [trades @ (right.T @ (way / sizes)) for way in seen]
        return [(way, self._believed(way, scale, far)) for way in ways]

    def _believed(self, way: Array, scale: Array, far: float) -> float:
        """As far as a direction is followed: to the edge, to where the model bends as much as it slopes, or ``far``."""
        front = self.front
        bend = float((np.abs(front.asked_bend @ way @ way) / scale).max(initial=0.0))
        return min(far, front.edge(way), 1 / bend if bend > 0 else np.inf)


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
