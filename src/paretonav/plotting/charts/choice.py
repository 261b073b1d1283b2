"""Which chart shows what somebody wants to see."""

from __future__ import annotations

from collections.abc import Sequence

from paretonav.errors import SessionError
from paretonav.plotting.chart import Chart
from paretonav.plotting.charts.changed import Changed
from paretonav.plotting.charts.front import Front
from paretonav.plotting.charts.prices import Prices
from paretonav.session import Session


def first(session: Session, point_ids: Sequence[int] | None = None, split: str | None = None) -> Chart:
    """What a person sees at once: the front of two objectives; of more, what a point has that the start had not.

    Space and parallel axes are there when they are asked for: they take a minute to read.
    """
    if len(session.names) == 2:
        return Front.of(session, point_ids, split)
    ids = list(point_ids or _current(session))
    return bars(session, ids if len(ids) > 1 or ids == [0] else [0, *ids], split)


def bars(session: Session, point_ids: Sequence[int] | None = None, split: str | None = None) -> Chart:
    """What things cost at one point (None: the current one), or what changed from one point to another.

    Args:
        session: what is drawn.
        point_ids: one or two.
        split: "train" or "validation": the losses of which the changes are shown; None is all, and the metrics.

    Raises:
        SessionError: more than two points are named.
    """
    ids = list(_current(session) if point_ids is None else point_ids)
    if len(ids) == 1:
        return Prices.of(session.point(ids[0]))
    if len(ids) != 2:
        raise SessionError(f"bars are of one point or of two, not {len(ids)}; name one or two")
    return Changed.of(session.compare(*ids), split)


def _current(session: Session) -> list[int]:
    if session.current is None:
        raise SessionError("the session has no point to draw yet; start the navigation first")
    return [session.current.id]
