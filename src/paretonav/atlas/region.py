"""The part of the front that is looked at: within which bounds, and in which units distances are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paretonav.atlas.chart import Chart
from paretonav.dominance import non_dominated
from paretonav.geometry.sizes import relative_sizes
from paretonav.steering.preferences import Units

Array = NDArray[np.float64]

_ROUNDING = 1e-12  # of a bound, by which what has been led up to it may be beyond
_SPAN = 1e-6  # of its size: an objective whose values differ by less has no range yet


@dataclass(frozen=True, eq=False)
class Region:
    """What counts of the front, and what a distance on it is.

    Attributes:
        names: of the q quantities, losses first.
        orientation: [q], 1 where lower is better, -1 where higher is.
        allow: name -> the worst value that counts.
        units: what distances between outcomes are counted in, see ``scale``.
        first: [m], the losses at the first point of all.
    """

    names: tuple[str, ...]
    orientation: Array
    allow: Mapping[str, float]
    units: Units
    first: Array

    def inside(self, values: Array) -> NDArray[np.bool_]:
        """[n], which of the values [n, q] are within the bounds."""
        return np.asarray((self.beyond(values) <= 0).all(axis=1))

    def beyond(self, values: Array) -> Array:
        """[n, bounds], by how much values [n, q] are beyond each bound, in parts of it; not positive inside."""
        excess = np.zeros((len(values), len(self.allow)))
        for place, (name, worst) in enumerate(self.allow.items()):
            i = self.names.index(name)
            size = abs(worst) or 1.0
            excess[:, place] = self.orientation[i] * (values[:, i] - worst) / size - _ROUNDING
        return excess

    def counted(self, charts: Sequence[Chart]) -> list[Chart]:
        """The points within the bounds of which no other is better in every loss; of equal ones the first."""
        if not charts:
            return []
        values = np.stack([chart.front.values for chart in charts])
        within = [chart for chart, inside in zip(charts, self.inside(values), strict=True) if inside]
        if not within:
            return []
        outcomes = np.stack([chart.outcome for chart in within])
        first = sorted(np.unique(outcomes, axis=0, return_index=True)[1])
        within, outcomes = [within[i] for i in first], outcomes[first]
        return [chart for chart, best in zip(within, non_dominated(outcomes), strict=True) if best]

    def scale(self, charts: Sequence[Chart]) -> Array:
        """[m], one unit of each loss.

        Its range over these points, where units are ranges and there is one yet; its size at the first point, where
        they are relative or there is none; or 1.

        Args:
            charts: of the points that count.
        """
        m = len(self.first)
        if self.units == "absolute":
            return np.ones(m)
        sizes = relative_sizes(self.first)
        if self.units == "relative" or not charts:
            return sizes
        outcomes = np.stack([chart.outcome for chart in charts])
        spans = np.ptp(outcomes, axis=0)
        return np.asarray(np.where(spans > _SPAN * sizes, spans, sizes))
