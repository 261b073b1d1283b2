"""What several benchmarks share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def values(d: dict[str, float] | None) -> Array:
    """Of a report, in the order of its names."""
    assert d is not None
    return np.array(list(d.values()))
