"""The visited points in the space of their losses, with the front around the current one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from paretonav.geometry.local_front import Patch, local_front
from paretonav.objectives.problem import Split
from paretonav.plotting.chart import USUAL_SIZE, Chart
from paretonav.plotting.charts.parallel import Parallel
from paretonav.plotting.data import Visited, broken, called
from paretonav.plotting.style import FRONT, INK, MARKS, PATH, axis_label, folded, numbers, outlined, plain
from paretonav.session import Session
from paretonav.text import listed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

_AROUND = 1.2  # times as far as the points lie, so that a short way is seen and not only the front
_TINY = 0.02  # of what is drawn: a front that is smaller cannot be seen
_MARGIN = 0.07  # of what is drawn, around it


@dataclass(frozen=True, eq=False)
class Front:
    """Two or three objectives in the plane or in space.

    Attributes:
        visited: the points, with their losses on one split.
        patch: of the front around the current point; None if it has no extent.
        held: whether the current point is a model that is held where it is, off the front.
    """

    visited: Visited
    patch: Patch | None
    held: bool = False

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
        point = session.point(visited.current)
        front = point.front.on(on)
        far = _AROUND * float(np.abs(visited.losses - front.asked_losses).max())
        size = float(np.abs(front.asked_losses).mean())
        patch = local_front(front, *([far / size] if far and size else []))
        if (
            patch is not None
            and (np.ptp(patch.outcomes, axis=0) < _TINY * np.ptp(visited.losses, axis=0)).all()
        ):
            patch = None
        return cls(visited, patch, point.anchor is not None)

    @property
    def title(self) -> str:
        return listed(self.visited.names)

    @property
    def subtitle(self) -> str:
        count = len(self.visited.records)
        where = "" if any(r.pull is not None for r in self.visited.records) else " on the Pareto front"
        return f"{count} point{'s' if count > 1 else ''}{where}, {self.visited.split} losses"

    @property
    def size(self) -> tuple[float, float]:
        return USUAL_SIZE

    @property
    def extent(self) -> tuple[Array, Array]:
        """The least and the largest loss drawn on each axis, both [m]."""
        losses = self.visited.losses
        drawn = losses if self.patch is None else np.concatenate([losses, self.patch.outcomes])
        return drawn.min(axis=0), drawn.max(axis=0)

    def draw(self, figure: Figure) -> None:
        low, high = self.extent
        room = _MARGIN * np.where(high > low, high - low, np.maximum(np.abs(high), 1e-300))
        space = len(self.visited.names) == 3
        axes = _space(figure) if space else figure.add_subplot()
        if not space:
            plain(axes)
        for i, (axis, name) in enumerate(zip("xyz", self.visited.names, strict=False)):
            getattr(axes, f"set_{axis}lim")(low[i] - room[i], high[i] + room[i])
            # From where space is seen, the first axis runs from the right to the left.
            label = axis_label(folded(name, 36, 1), leftwards=not (space and i == 0))
            getattr(axes, f"set_{axis}label")(label, fontsize=9.5, color=INK, parse_math=False)
        self._draw_front(axes)
        self._draw_points(axes)
        self._number(axes, figure)

    def _draw_front(self, axes: Any) -> None:
        if self.patch is None:
            return
        label = "predicted outcomes nearby" if self.held else "predicted front nearby"
        surface = len(self.visited.names) == 3
        if surface:
            from mpl_toolkits.mplot3d.art3d import Poly3DCollection

            # The front falls along every axis, so from this side its rim encloses all of it: one polygon has none
            # of the seams that translucent triangles show.
            rim = self.patch.outcomes[self.patch.lines[0]]
            style = {"facecolor": FRONT, "alpha": 0.35, "linewidth": 0}
            axes.add_collection3d(Poly3DCollection([rim], zorder=1, label=label, **style))
        for position, line in enumerate(self.patch.lines):
            axes.plot(
                *self.patch.outcomes[line].T,
                color=FRONT,
                linewidth=0.7 if surface else 3,
                alpha=0.7,
                zorder=2,
                label=None if surface or position else label,
            )

    def _draw_points(self, axes: Any) -> None:
        visited = self.visited
        losses, edges = visited.losses, visited.edges
        if edges:
            way = broken([losses[list(edge)] for edge in edges])
            axes.plot(*way.T, color=PATH, linewidth=1.6 if visited.few else 0.4, zorder=3)
        for role, rows in visited.roles.items():
            mark = MARKS[role]
            if rows:
                size = (13 if role == "starred" else 8) if visited.few or role != "visited" else 3
                edge = {"markeredgecolor": "white", "markeredgewidth": 1 if size > 3 else 0}
                axes.plot(
                    *losses[rows].T,
                    linestyle="",
                    color=mark.colour,
                    label=mark.label,
                    marker=mark.marker,
                    markersize=size,
                    zorder=4,
                    **edge,
                )

    def _number(self, axes: Any, figure: Figure) -> None:
        """To the upper right of each point its number and name: beside a falling front nothing else is there."""
        rows = self.visited.numbered
        losses = self.visited.losses[rows]
        flat = losses
        if len(self.visited.names) == 3:
            from mpl_toolkits.mplot3d.proj3d import proj_transform

            flat = np.stack(proj_transform(*losses.T, axes.get_proj())[:2], axis=1)
        inches = axes.transData.transform(flat) / figure.dpi
        for i, text in numbers(inches, [called(self.visited.records[row]) for row in rows]):
            axes.annotate(
                text,
                flat[i],
                xytext=(5, 4),
                textcoords="offset points",
                fontsize=9,
                color=INK,
                zorder=5,
                parse_math=False,
                **outlined(),
            )


def _space(figure: Figure) -> Any:
    """Axes for three losses, seen from where all are large: a front falls away from there."""
    axes: Any = figure.add_subplot(projection="3d", computed_zorder=False)
    axes.view_init(elev=24, azim=32)
    axes.tick_params(labelsize=8)
    axes.set_box_aspect(None, zoom=1.05)
    axes.locator_params(nbins=5)
    axes.zaxis.set_rotate_label(False)
    axes.zaxis.label.set_rotation(90)
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        axis.labelpad = 9
        axis.set_pane_color("#fafafa")
    return axes
