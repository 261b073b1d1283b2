"""What several benchmarks share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from paretonav import Problem

Array = NDArray[np.float64]


def values(d: dict[str, float]) -> Array:
    """Of a report, in the order of its names."""
    assert d
    return np.array(list(d.values()))


def decay(problem: Problem, theta: Tensor) -> float:
    """The weight decay's part of every objective at theta [n]."""
    return 0.5 * problem.weight_decay * float(theta.double().square().sum())
