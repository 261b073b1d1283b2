"""The sizes by which changes of different losses are compared."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Of the largest loss: one below it is compared by that, so that nothing is divided by zero.
_ZERO = 1e-9
# Of the largest loss: what may come to zero (a gap, a function's value), and is smaller, counts as that large. Chosen,
# not measured: with less, a gap that is all but closed would have to be met to next to nothing.
_CLOSED = 0.05


def relative_sizes(losses: Array, may_close: NDArray[np.bool_] | None = None) -> Array:
    """[m], the magnitudes of losses; never zero.

    Losses may be of any size, so the change of each is counted in parts of its own. What may come to zero has no size
    of its own there: no step could keep a gap that is all but closed to a part of what is left of it.

    Args:
        losses: [m].
        may_close: [m], which losses may come to zero, such as gaps between groups.
    """
    sizes = np.abs(losses)
    largest = max(float(sizes.max(initial=0.0)), 1e-290)
    floors = np.where(False if may_close is None else may_close, _CLOSED, _ZERO)
    return np.asarray(np.maximum(sizes, floors * largest))
