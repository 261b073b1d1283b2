"""The charts as figures, to show in a notebook or to change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from paretonav.plotting import charts
from paretonav.plotting.chart import Chart
from paretonav.plotting.charts import Front, Parallel, Radar, Steps, Trajectory
from paretonav.session import Session

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def front(session: Session, point_id: int | None = None, *, split: str | None = None) -> Figure:
    """All points by their losses, with the front around one of them (None: the current one).

    Two objectives are drawn in the plane, three in space, more on parallel axes.

    Args:
        session: what is drawn.
        point_id: around which the front is drawn.
        split: "train" or "validation" losses; None is validation where there is such data.
    """
    return _alone(Front.of(session, _list(point_id), split))


def trajectory(session: Session, point_id: int | None = None, *, split: str | None = None) -> Figure:
    """The losses on the way from the first point to one (None: the current one).

    Args:
        session: what is drawn.
        point_id: where the way ends.
        split: "train" or "validation"; None shows both.
    """
    return _alone(Trajectory.of(session, _list(point_id), split))


def steps(session: Session, point_id: int | None = None, *, split: str | None = None) -> Figure:
    """Every loss and metric over the steps to a point (None: the current one): what was predicted, and what came.

    Args:
        session: what is drawn.
        point_id: where the way ends.
        split: "train" or "validation" losses; None is validation where there is such data.

    Raises:
        SessionError: no step leads there.
    """
    return _alone(Steps.of(session, _list(point_id), split))


def parallel(session: Session, point_ids: Sequence[int] | None = None, *, split: str | None = None) -> Figure:
    """Losses and metrics on parallel axes, one line per point, best at the bottom.

    Args:
        session: what is drawn.
        point_ids: of the points that are shown; None is all.
        split: "train" or "validation" losses; None is validation where there is such data.
    """
    return _alone(Parallel.of(session, point_ids, split))


def radar(session: Session, point_ids: Sequence[int] | None = None, *, split: str | None = None) -> Figure:
    """Losses and metrics of a few points on a wheel of axes: the smaller the shape, the better.

    Args:
        session: what is drawn.
        point_ids: of the points, at most eight; None is the first, the current, and those with a star.
        split: as in ``parallel``.

    Raises:
        SessionError: there are too many points, or fewer than three axes.
    """
    return _alone(Radar.of(session, point_ids, split))


def bars(session: Session, *point_ids: int, split: str | None = None) -> Figure:
    """Trade-offs as bars.

    With one point or none (the current one), what 1 % better on one objective costs another that pays for it alone;
    with two, what changed from the first to the second, with 95 % intervals.

    Args:
        session: what is drawn.
        point_ids: none, one or two.
        split: "train" or "validation": of which losses to show the changes; None shows all, and the metrics.
    """
    return _alone(charts.bars(session, point_ids or None, split))


def _alone(chart: Chart) -> Figure:
    from paretonav.plotting.picture import picture

    return picture(chart)


def _list(point_id: int | None) -> list[int] | None:
    return None if point_id is None else [point_id]
