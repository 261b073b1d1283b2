"""A few points as shapes on a wheel of axes: the smaller the shape, the better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from paretonav.errors import SessionError
from paretonav.plotting.chart import USUAL_SIZE, Chart
from paretonav.plotting.charts.scales import Scale, heights, scales_of
from paretonav.plotting.data import Array, Visited, called
from paretonav.plotting.style import (
    FAINT,
    INK,
    PALETTE,
    TOWARDS_BETTER,
    colour,
    folded,
    marker,
    outlined,
)
from paretonav.session import Session

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_INNER = 0.2  # the radius of the best, so that a point that is best in everything is still a shape
_MOST = len(PALETTE)
_WIDTH = 9.0  # inches: names stand on both sides


@dataclass(frozen=True, eq=False)
class Radar:
    """The losses and metrics of a few points, each axis from the best (inside) to the worst (outside) of them.

    Attributes:
        visited: the points.
        scales: the axes.
    """

    visited: Visited
    scales: tuple[Scale, ...]

    @classmethod
    def of(cls, session: Session, point_ids: Sequence[int] | None = None, split: str | None = None) -> Chart:
        """The chart of some points; None is the first, the current and those with a star.

        Raises:
            SessionError: there are more points than can be told apart, or fewer than three axes.
        """
        ids = tuple(point_ids) if point_ids is not None else marked(session)[:_MOST]
        if len(ids) > _MOST:
            raise SessionError(f"{len(ids)} points on a radar cannot be told apart; name {_MOST} or fewer")
        visited = Visited.of(session, ids, split)
        scales = scales_of(session, visited)
        if len(scales) < 3:
            raise SessionError(
                f"a radar needs three axes and there are {len(scales)}; use parallel or bars instead"
            )
        return cls(visited, scales)

    @property
    def title(self) -> str:
        ids = [str(record.id) for record in self.visited.records]
        return f"Point {ids[0]}" if len(ids) == 1 else f"Points {', '.join(ids)}"

    @property
    def subtitle(self) -> str:
        what = f"{self.visited.split} losses" + (
            " and metrics" if len(self.scales) > len(self.visited.names) else ""
        )
        return f"{what.capitalize()}; each axis goes from the best of these points (inside) to the worst"

    @property
    def size(self) -> tuple[float, float]:
        return _WIDTH, USUAL_SIZE[1]

    @property
    def radii(self) -> Array:
        """[points, axes]."""
        radii: Array = _INNER + (1 - _INNER) * heights(self.scales)
        return radii

    def draw(self, figure: Figure) -> None:
        axes: Any = figure.add_subplot(projection="polar")
        axes.set_theta_offset(np.pi / 2)
        axes.set_theta_direction(-1)
        angles = np.linspace(0, 2 * np.pi, len(self.scales), endpoint=False)
        for i, (record, radii) in enumerate(zip(self.visited.records, self.radii, strict=True)):
            around, closed = [*angles, angles[0]], [*radii, radii[0]]
            look = {"color": colour(i), "marker": marker(i), "markersize": 6, "linewidth": 2}
            axes.plot(around, closed, clip_on=False, zorder=3, label=f"point {called(record)}", **look)
            axes.fill(around, closed, color=colour(i), alpha=0.06)
        axes.set_ylim(0, 1)
        axes.set_yticks([_INNER, 1], ["", ""])
        axes.set_xticks(angles, ["" for _ in angles])
        axes.grid(color=FAINT)
        axes.spines["polar"].set_color(FAINT)
        between = np.pi / len(angles)
        turned = {"rotation": 90 - np.degrees(between), "ha": "center", "va": "center", **outlined()}
        axes.text(between, 0.72, TOWARDS_BETTER, fontsize=9.5, color=INK, zorder=4, **turned)
        for angle, scale in zip(angles, self.scales, strict=True):
            sine, cosine = np.sin(angle), np.cos(angle)
            best, worst = scale.words
            axes.text(
                angle,
                1.07,
                f"{folded(scale.told, 20, 2)}\n{best}{' to ' if worst else ''}{worst}",
                ha="center" if abs(sine) < 0.3 else "left" if sine > 0 else "right",
                va="center" if abs(cosine) < 0.3 else "bottom" if cosine > 0 else "top",
                fontsize=9,
                color=INK,
                parse_math=False,
            )


def marked(session: Session) -> tuple[int, ...]:
    """The first point, the current one, and those with a star."""
    current = [] if session.current is None else [session.current.id]
    return tuple(dict.fromkeys([0, *current, *(record.id for record in session.records if record.star)]))
