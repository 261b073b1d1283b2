"""Names, numbers, preferences and points as a person reads them."""

from __future__ import annotations

from paretonav.session.record import Record
from paretonav.steering import Point
from paretonav.steering.wording import describe, listed, number, printable

__all__ = ["describe", "listed", "number", "origin", "printable"]


def origin(point: Point | Record) -> str:
    """How a point was reached, in words."""
    if point.parent is None:
        return "start"
    if point.preference is None or point.amount is None:
        return f"from point {point.parent}"
    return f"from point {point.parent}: {describe(point.preference, point.amount)}"
