"""Losses and metrics on axes of their own, made comparable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paretonav.plotting.data import Visited
from paretonav.session import Session
from paretonav.text import printable, relative, value

Array = NDArray[np.float64]

_NOTHING = 1e-6  # of a value: what solvers leave over is no difference


@dataclass(frozen=True, eq=False)
class Scale:
    """One axis.

    Attributes:
        name: what it shows, printable.
        values: [points].
        reversed: whether its largest value is its best.
    """

    name: str
    values: Array
    reversed: bool = False

    @property
    def ends(self) -> tuple[float, float]:
        """The values at heights 0 and 1, the best and the worst."""
        finite = self.values[np.isfinite(self.values)]
        low, high = (float(finite.min()), float(finite.max())) if len(finite) else (np.nan, np.nan)
        return (high, low) if self.reversed else (low, high)

    @property
    def flat(self) -> bool:
        """Whether all have the same value."""
        best, worst = self.ends
        return not abs(worst - best) > _NOTHING * max(abs(best), abs(worst))

    @property
    def heights(self) -> Array:
        """[points], from 0 (the best) to 1 (the worst); one half where all are the same."""
        if self.flat:
            return np.where(np.isfinite(self.values), 0.5, np.nan)
        best, worst = self.ends
        heights: Array = (self.values - best) / (worst - best)
        return heights

    @property
    def words(self) -> tuple[str, str]:
        """The best value; and the worst with how much more or less that is, or "" where all are the same."""
        best, worst = self.ends
        if self.flat:
            return value(best, best), ""
        more = f" ({relative(worst - best, best)})" if best else ""
        return value(best, best), f"{value(worst, best)}{more}"

    @property
    def told(self) -> str:
        """Its name, and that larger is better where it is."""
        return f"{self.name} (higher is better)" if self.reversed else self.name


def scales_of(session: Session, visited: Visited) -> tuple[Scale, ...]:
    """The losses, then the metrics of which it is known which way is better."""
    better = session.higher_is_better
    losses = [Scale(name, column) for name, column in zip(visited.names, visited.losses.T, strict=True)]
    metrics = [
        Scale(printable(name), _metric(visited, name), better[name])
        for name in session.metric_names
        if name in better
    ]
    return (*losses, *metrics)


def _metric(visited: Visited, name: str) -> Array:
    return np.array([record.metrics.get(name, np.nan) for record in visited.records])


def heights(scales: Sequence[Scale]) -> Array:
    """[points, axes]."""
    return np.stack([scale.heights for scale in scales], axis=1)
