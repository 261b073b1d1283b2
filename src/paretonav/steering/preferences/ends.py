"""How far the front goes, as the model at one point has it: the way that improves each objective, and where that ends.

From these ends ranges of quantities are guessed where few points have been visited.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paretonav.geometry import FrontModel

Array = NDArray[np.float64]


def rays(front: FrontModel) -> Array:
    """[m, k], the coordinates along which each objective improves at the least curvature cost."""
    return np.asarray(np.linalg.solve(front.curvature, front.asked_response.T).T)


def ends(front: FrontModel) -> Array:
    """[at most m, q], the predicted outcomes where these ways end: at the edge of the front, or where it turns."""
    outcomes = []
    for i, ray in enumerate(rays(front)):
        slope, bend = float(front.asked_response[i] @ ray), float(ray @ front.bends[i] @ ray)
        with np.errstate(divide="ignore", invalid="ignore"):
            turn = np.divide(slope, bend)
        length = min(front.edge(ray), turn if turn > 0 else np.inf)
        if np.isfinite(length):
            outcomes.append(front.values + front.changes(length * ray))
    return np.array(outcomes).reshape(-1, len(front.values))
