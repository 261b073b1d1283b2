"""Writing a chart to a file, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from paretonav.errors import NavigationError, reason_of
from paretonav.plotting.chart import Chart
from paretonav.plotting.charts import Bars, Front, Parallel, Radar, Trajectory
from paretonav.plotting.image import image
from paretonav.plotting.page import page
from paretonav.session import Session
from paretonav.session.files import write_whole

if TYPE_CHECKING:
    from paretonav.navigation import Navigator

Kind = Literal["front", "trajectory", "parallel", "radar", "bars"]

CHARTS: dict[str, Callable[[Session, Sequence[int] | None, str | None], Chart]] = {
    "front": Front.of,
    "trajectory": Trajectory.of,
    "parallel": Parallel.of,
    "radar": Radar.of,
    "bars": Bars.of,
}
FORMATS: dict[str, Callable[[Chart], bytes]] = {".html": page, ".png": image}
"""The renderer for each suffix."""


def save_plot(
    source: Session | Navigator,
    path: str | PathLike[str],
    kind: Kind = "front",
    point_ids: Sequence[int] | None = None,
    split: str | None = None,
) -> None:
    """Draw a session. The HTML page is self-contained: it needs no network.

    ========== =========================================================== ==================================
    kind       what is drawn                                               point_ids
    ========== =========================================================== ==================================
    front      all points by their training losses, and the front around   the one (the current one)
               one; parallel axes for more than three objectives
    trajectory the losses on the way from the first point to one           the one (the current one)
    parallel   losses and metrics on parallel axes                         those shown (all)
    radar      the same of a few points on a wheel of axes                 those shown (the first, the
                                                                           current, those with a star)
    bars       what 1 % better on one objective costs the others at one    one (the current one) or two
               point; or what changed from one point to another
    ========== =========================================================== ==================================

    Args:
        source: a session, or the navigator that has it.
        path: ends in .html for an interactive page, in .png for an image.
        kind: see above.
        point_ids: see above.
        split: "train" or "validation" losses; None is both on trajectories and bars, and otherwise validation losses
            where there are any.

    Raises:
        NavigationError: the suffix or kind is another one, the file cannot be written, or there is no such point, or
            none yet.
    """
    target = Path(path)
    render = FORMATS.get(target.suffix.lower())
    if render is None:
        raise NavigationError(
            f"cannot plot to {str(path)!r}: give a file name that ends in {' or '.join(FORMATS)}"
        )
    if kind not in CHARTS:
        raise NavigationError(f"there is no plot of kind {kind!r}; choose one of {', '.join(CHARTS)}")
    if isinstance(source, Session):
        session = source
    else:
        session = source.session
        here = [source.here.id]  # where this navigator is; a session's current point is that of its writer
        point_ids = here if point_ids is None and kind in ("front", "trajectory", "bars") else point_ids
    content = render(CHARTS[kind](session, point_ids, split))
    try:
        write_whole(target, content)
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        raise NavigationError(
            f"cannot write {str(target)!r}: {reason_of(error)}; choose a file in a folder that exists and is writable"
        ) from error
