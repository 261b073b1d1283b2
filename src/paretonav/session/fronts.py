"""Which of the visited points are worth keeping, and how much of the objectives' space they cover."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from paretonav.errors import SessionError, needing
from paretonav.objectives.problem import Split
from paretonav.session.record import Record

Array = NDArray[np.float64]

_MARGIN = 0.1  # of the range beyond the worst values, as is usual, so that the ends count for something
_EXACT = 1e12
"""Up to how many elementary steps a hypervolume is computed exactly: under a second."""


def losses_of(records: Sequence[Record], split: str | None = None) -> Array:
    """The losses [points, m] on a split.

    Args:
        records: of the points.
        split: "train" or "validation"; None is validation data where there is any.

    Raises:
        SessionError: there is no such split.
    """
    if split is not None and split not in ("train", "validation"):
        raise SessionError(f"split={split!r} is unknown; choose 'train' or 'validation'")
    if split == "validation" and not all(record.validation for record in records):
        raise SessionError("the session has no validation losses; choose split='train'")
    values = [list(record.values.on(cast("Split | None", split)).values()) for record in records]
    return np.array(values, dtype=np.float64)


def hypervolume(losses: Array, reference: Array) -> float:
    """The volume that the rows of ``losses`` [points, m] dominate, up to ``reference`` [m].

    Rows that are not below the reference everywhere add nothing. It is exact where that takes under a second, which
    is always so for up to four objectives, and up to 300 non-dominated points for six, 100 for eight, 30 for ten.
    Beyond, it is moocore's deterministic approximation ("Rphi-FWE+", 262,144 directions), whose error was below
    0.1 % on spheres in five to twelve dimensions.

    Raises:
        MissingExtraError: moocore is not installed.
    """
    with needing("tables", "a hypervolume"):
        import moocore

    inside = losses[np.isfinite(losses).all(axis=1) & (losses < reference).all(axis=1)]
    if not len(inside):
        return 0.0
    inside = moocore.filter_dominated(inside)
    count, m = inside.shape
    exact = m <= 4 or float(count) ** (m - 2) <= _EXACT
    measure = moocore.hypervolume if exact else moocore.hv_approx
    return float(measure(inside, ref=reference))


def default_reference(losses: Array) -> Array:
    """The worst of the losses [points, m], and a tenth of their range beyond it, [m].

    Where all are the same, a tenth of their size; where that is zero, a tenth.
    """
    losses = losses[np.isfinite(losses).all(axis=1)]
    worst, best = losses.max(axis=0), losses.min(axis=0)
    size = np.where(worst > best, worst - best, np.where(worst != 0, np.abs(worst), 1.0))
    reference: Array = worst + _MARGIN * size
    return reference


def checked_reference(reference: Mapping[str, float] | Sequence[float], names: Sequence[str]) -> Array:
    """A reference point as it was given, in the order of ``names``, [m].

    Raises:
        SessionError: it does not have a finite number for each objective.
    """
    if isinstance(reference, Mapping):
        if set(reference) != set(names):
            raise SessionError(
                f"the reference point names {sorted(reference)}; give a number for each of {list(names)}"
            )
        values = [reference[name] for name in names]
    else:
        values = list(reference)
    try:
        point = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        point = np.zeros(0)
    if point.shape != (len(names),) or not np.isfinite(point).all():
        raise SessionError(f"the reference point is {values}; give a finite number for each of {list(names)}")
    return point
