"""What a preference is told of the point where it is expressed, taken from the model of the front there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from paretonav.dominance import non_dominated
from paretonav.geometry import FrontModel
from paretonav.steering.preferences import Situation
from paretonav.steering.preferences.ends import ends

Array = NDArray[np.float64]
Visited = Callable[[], Sequence[Mapping[str, float]]]


def situation(front: FrontModel, visited: Visited | None = None) -> Situation:
    """The situation at the point of ``front``.

    Args:
        front: there.
        visited: gives the values by name of the points visited so far, from which ranges are taken as well.
    """
    return Situation(
        front.steerable,
        front.values,
        front.orientation,
        lambda: ranges(front, [] if visited is None else visited()),
    )


def ranges(front: FrontModel, visited: Sequence[Mapping[str, float]] = ()) -> Array:
    """[q], the span of every quantity over the front as far as it is known.

    Over this point, the visited ones of which no other is better in every objective, and the outcomes that the
    front model predicts where the cheapest way to improve each objective ends.
    """
    outcomes = [front.values, *ends(front)]
    others = np.array([[values.get(name, np.nan) for name in front.steerable] for values in visited])
    if len(others):
        outcomes.extend(others[non_dominated(others[:, : front.m])])
    span = np.array(outcomes)
    return np.asarray(np.nanmax(span, axis=0) - np.nanmin(span, axis=0))
