"""The part of a wished direction that lies along the front.

A comparison of two outcomes (``Prefer``) says which way to go, but hardly ever one that the front allows: what is a
gain or a loss for all is left away.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from paretonav.errors import InfeasiblePreferenceError
from paretonav.geometry import FrontModel, solve_qp
from paretonav.steering.preferences import Fit, Wish

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

# Of the way: so short that only what has been reached already, an edge or a bound, is in the way.
_STEP = 1e-4
# Of the direction: a part along the front that is shorter is rounding and the solver's tolerance.
_LEAST = 1e-3
# Of the least squares: how much the curvature cost counts beside them. It decides between ways that fit alike, and is
# too little to change how they fit.
_COST = 1e-9
# Of the largest: a change that is less independent of the others is determined by them, but for rounding.
_INDEPENDENT = 1e-6


def along_the_front(front: FrontModel, wish: Wish) -> Wish:
    """The wish for those changes along the front that are nearest to the wished ones (``Fit.ALONG``).

    They are found by least squares, to first order, with every change in parts of ``wish.scale``. What is held stays
    held, and neither an edge of the front nor a bound that has been reached is crossed. Only so many of the changes are
    prescribed as determine the others. Wishes of another kind are returned as they are.

    Raises:
        InfeasiblePreferenceError: nothing of the direction lies along the front.
    """
    if wish.fit is not Fit.ALONG:
        return wish
    slopes, named, held = front.slopes(np.zeros(front.dimensions)), wish.named, wish.held
    wanted = wish.changes(_STEP)
    A, b = slopes[named] / wish.scale[named, None], wanted / wish.scale[named]
    G, h, _ = front.box
    edges, spare = front.edges
    # All with the step taken as 1, so that the solver's tolerances mean something.
    size = float(np.abs(b).max())
    metric = front.curvature / np.abs(front.curvature).max()
    gram = A.T @ A
    limited = wish.limited
    sense = wish.orientation[limited]
    c = solve_qp(
        gram + _COST * np.abs(gram).max() * metric,
        -A.T @ (b / size),
        np.concatenate([slopes[held], edges, G, sense[:, None] * slopes[limited]]),
        np.concatenate([0 * held, np.full(len(edges) + len(h) + len(limited), -np.inf)]),
        np.concatenate([0 * held, spare / size, h / size, wish.room[limited] / size]),
    )
    if c is None or np.linalg.norm(A @ c) < _LEAST * np.linalg.norm(b / size):
        reason = "nothing of this difference lies along the front here: it is a gain or a loss for all"
        raise InfeasiblePreferenceError(
            f"{reason}; compare outcomes of which each is better in something", reason=reason, reach=0.0
        )
    kept = _determining(slopes / wish.scale[:, None], held, np.setdiff1d(named, held))
    direction = np.full(len(wish.names), np.nan)
    direction[kept] = (slopes @ c)[kept] * size / (_STEP * wish.unit)
    direction[held] = 0.0
    return replace(wish, direction=direction, fit=Fit.EXACT)


def _determining(slopes: Array, held: Indices, named: Indices) -> Indices:
    """Of the named rows, as many as are independent of each other and of those held, best conditioned first."""
    rows = slopes[named]
    if len(held):
        basis = np.linalg.svd(slopes[held], full_matrices=False)[2]
        rows = rows - rows @ basis.T @ basis
    from scipy.linalg import qr  # a tenth of a second to load

    _, triangle, order = qr(rows.T, mode="economic", pivoting=True)
    sizes = np.abs(np.diag(triangle))
    rank = int((sizes > _INDEPENDENT * sizes.max(initial=1e-300)).sum())
    return np.asarray(named[order[: max(0, min(rank, slopes.shape[1] - len(held)))]])
