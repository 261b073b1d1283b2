"""Time and memory, as this process has them."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable

import numpy as np


def peak_mib() -> float:
    """The process's largest resident size so far (Linux counts it in KiB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def seconds(does: Callable[[], object], repeats: int = 3) -> float:
    """The median of a few runs."""
    taken = []
    for _ in range(repeats):
        began = time.perf_counter()
        does()
        taken.append(time.perf_counter() - began)
    return float(np.median(taken))
