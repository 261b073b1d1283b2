"""The visited points in the space of their losses, with the front around the current one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from paretonav.objectives.problem import Split
from paretonav.plotting.chart import Chart
from paretonav.plotting.charts import front_matplotlib, front_plotly
from paretonav.plotting.charts.local_front import Patch, local_front
from paretonav.plotting.charts.parallel import Parallel
from paretonav.plotting.data import Visited
from paretonav.session import Session

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from matplotlib.figure import Figure

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Front:
    """Two or three objectives in the plane or in space.

    Attributes:
        visited: the points, with their losses on one split.
        patch: of the front around the current point; None if it has no extent.
    """

    visited: Visited
    patch: Patch | None

    @classmethod
    def of(cls, session: Session, point_ids: Sequence[int] | None = None, split: str | None = None) -> Chart:
        """The chart of all points; ``point_ids`` may name the one that stands out. Parallel axes for more objectives.

        Losses and front are those of ``split``; None is validation data where there is any.
        """
        current = None if not point_ids else point_ids[0]
        visited = Visited.of(session, split=split, current=current)
        if len(visited.names) > 3:
            return Parallel.of(session, None, split, current)
        on: Split = "train" if visited.split == "training" else "validation"
        return cls(visited, local_front(session.point(visited.current).front.on(on)))

    @property
    def title(self) -> str:
        return f"Pareto navigation: {', '.join(self.visited.names)}"

    @property
    def subtitle(self) -> str:
        count = len(self.visited.records)
        where = "" if any(r.pull is not None for r in self.visited.records) else " on the Pareto front"
        return f"{count} point{'s' if count > 1 else ''}{where}; lower is better on every axis"

    @property
    def extent(self) -> tuple[Array, Array]:
        """The least and the largest loss drawn on each axis, both [m]."""
        losses = self.visited.losses
        drawn = losses if self.patch is None else np.concatenate([losses, self.patch.outcomes])
        return drawn.min(axis=0), drawn.max(axis=0)

    def plotly(self) -> go.Figure:
        return front_plotly.figure(self.visited, self.patch, self.extent)

    def draw(self, figure: Figure) -> None:
        front_matplotlib.draw(figure, self.visited, self.patch, self.extent)
