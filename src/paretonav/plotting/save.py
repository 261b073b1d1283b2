"""Writing a chart to a file, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import Literal, Protocol

from paretonav.errors import NavigationError, reason_of
from paretonav.plotting.chart import Chart
from paretonav.plotting.charts import Front, Parallel, Radar, Steps, Trajectory, bars, first
from paretonav.session import Session
from paretonav.session.files import write_whole
from paretonav.steering import Point
from paretonav.text import in_quotes, listed

Kind = Literal["front", "trajectory", "steps", "parallel", "radar", "bars"]

CHARTS: dict[str, Callable[[Session, Sequence[int] | None, str | None], Chart]] = {
    "front": Front.of,
    "trajectory": Trajectory.of,
    "steps": Steps.of,
    "parallel": Parallel.of,
    "radar": Radar.of,
    "bars": bars,
}
FORMATS = (".png", ".svg", ".pdf")
"""How the name of a picture's file may end."""


class Navigation(Protocol):
    """Whatever walks through a session, and is somewhere in it, as a navigator is."""

    @property
    def session(self) -> Session: ...

    @property
    def here(self) -> Point: ...


def save_plot(
    source: Session | Navigation,
    path: str | PathLike[str],
    kind: Kind | None = None,
    point_ids: Sequence[int] | None = None,
    *,
    split: str | None = None,
) -> None:
    """Draw a session to a file.

    ========== =========================================================== ==================================
    kind       what is drawn                                               point_ids
    ========== =========================================================== ==================================
    None       what is seen at once: the front of two objectives; of       the one (the current one)
               more, how far the point has come from the start as bars
    front      all points by their losses, and the front around one, in    the one (the current one)
               the plane or in space; parallel axes for more than three
               objectives
    trajectory the losses on the way from the first point to one           the one (the current one)
    steps      every loss and metric over the steps to a point: what each  the one (the current one)
               was predicted to come to, what it came to, and two standard
               errors of its change
    parallel   losses and metrics on parallel axes                         those shown (all)
    radar      the same of a few points on a wheel of axes                 those shown (the first, the
                                                                           current, those with a star)
    bars       what 1 % better on one objective costs the others at one    one (the current one) or two
               point; or what changed from one point to another
    ========== =========================================================== ==================================

    Args:
        source: a session, or the navigator that has it.
        path: ends in .png, .svg or .pdf.
        kind: see above.
        point_ids: see above.
        split: "train" or "validation" losses; None is both on trajectories and bars, and otherwise validation losses
            where there are any.

    Raises:
        NavigationError: the suffix or kind is another one, the file cannot be written, or there is no such point, or
            none yet.
    """
    target = Path(path)
    suffix = target.suffix.lower()
    if suffix not in FORMATS:
        page = "; the page to look around in is saved by the cockpit" if suffix in (".html", ".htm") else ""
        raise NavigationError(
            f"cannot plot to {in_quotes(str(path))}: give a file name that ends in {listed(FORMATS, 'or')}{page}"
        )
    if kind is not None and kind not in CHARTS:
        raise NavigationError(f"there is no plot of kind {kind!r}; choose one of {', '.join(CHARTS)}")
    if isinstance(source, Session):
        session = source
    else:
        session = source.session
        here = [source.here.id]  # where this navigator is; a session's current point is that of its writer
        point_ids = here if point_ids is None and kind not in ("parallel", "radar") else point_ids
    from paretonav.plotting.picture import picture, written

    chart = (first if kind is None else CHARTS[kind])(session, point_ids, split)
    content = written(picture(chart), suffix[1:])
    try:
        write_whole(target, content)
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        raise NavigationError(
            f"cannot write {str(target)!r}: {reason_of(error)}; choose a file in a folder that exists and is writable"
        ) from error
