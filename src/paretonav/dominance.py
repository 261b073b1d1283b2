"""Which outcomes no other one is better than."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_BLOCK = 256  # rows that are compared at once


def non_dominated(losses: Array) -> NDArray[np.bool_]:
    """Which rows [points] of ``losses`` [points, m] no other row is better than.

    A row is better than another if it is nowhere larger and somewhere smaller. Of equal rows all are kept; a row with
    a value that is not finite never is.
    """
    finite = np.flatnonzero(np.isfinite(losses).all(axis=1))
    # In this order no row is better than one before it, so comparing with the best before it is enough.
    order = finite[np.lexsort(losses[finite].T[::-1])]
    best, found = losses[:0], [order[:0]]
    for start in range(0, len(order), _BLOCK):
        block = order[start : start + _BLOCK]
        block = block[~_beaten(losses[block], best)]
        block = block[~_beaten(losses[block], losses[block])]
        found.append(block)
        best = np.concatenate([best, losses[block]])
    kept = np.zeros(len(losses), dtype=np.bool_)
    kept[np.concatenate(found)] = True
    return kept


def _beaten(rows: Array, others: Array) -> NDArray[np.bool_]:
    """Which rows [a, m] are worse than one of the others [b, m]."""
    no_better = np.all(others <= rows[:, None], axis=2)
    beaten: NDArray[np.bool_] = np.any(no_better & np.any(others < rows[:, None], axis=2), axis=1)
    return beaten
