"""Absolute values near zero: they have a corner there, while the signed quantities behind them go on smoothly.

See docs/method.md#probes-instead-of-derivatives.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Corner:
    """Which of several quantities are absolute values.

    Let a be the absolute value of a signed quantity, and d the smooth change of that quantity, counted away from zero.
    Then the absolute value changes by ``|a + d| - a``: by d until it is zero, and up again beyond.

    Attributes:
        at_zero: [q] bool.

    Example:
        >>> Corner(np.array([True, False])).changes(np.array([0.2, 0.2]), np.array([-0.5, -0.5])).round(3).tolist()
        [0.1, -0.5]
    """

    at_zero: NDArray[np.bool_]

    def __getitem__(self, which: slice) -> Corner:
        return Corner(self.at_zero[which])

    def changes(self, values: Array, smooth: Array) -> Array:
        """[q], the changes of quantities with ``values`` [q], from those of the signed quantities, ``smooth`` [q]."""
        return np.where(self.at_zero, np.abs(values + smooth) - values, smooth)

    def slopes(self, values: Array, smooth: Array, slopes: Array) -> Array:
        """[q, k], the derivatives of ``changes`` from those of ``smooth``; at zero, those on the side of the value."""
        beyond = self.at_zero & (values + smooth < 0)
        return np.where(beyond[:, None], -slopes, slopes)
