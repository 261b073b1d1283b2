"""Numbers as plain JSON values."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

_DIGITS = 7
"""Significant digits of what is drawn: a third of the bytes, and more than any screen shows."""


def plain(x: float | None) -> float | None:
    """A finite number, or None, which is what JSON has in place of infinity and NaN."""
    return float(x) if x is not None and math.isfinite(x) else None


def plain_list(values: Iterable[float | None]) -> list[float | None]:
    """The same of each."""
    return [plain(x) for x in values]


def rounded(values: Iterable[float | None]) -> list[float | None]:
    """The same with as many digits as are drawn."""
    return [None if x is None else float(f"{x:.{_DIGITS}g}") for x in plain_list(values)]


def array(values: NDArray[np.float64]) -> list[object]:
    """An array as nested lists, rounded to what is drawn."""
    if values.ndim == 1:
        return list(rounded(values.tolist()))
    return [array(row) for row in values]


def in_order(names: Sequence[str], values: Mapping[str, float] | None) -> list[float | None]:
    """The values of these names; None for what is not there."""
    return [plain(None if values is None else values.get(name)) for name in names]
