"""Names, numbers, preferences and points as a person reads them."""

from __future__ import annotations

import math

from paretonav.session.formats import percent
from paretonav.session.record import Record
from paretonav.steering import Point
from paretonav.steering.wording import describe, listed, number, printable

__all__ = ["describe", "for_free", "listed", "number", "origin", "price", "printable"]


def origin(point: Point | Record) -> str:
    """How a point was reached, in words."""
    if point.parent is None:
        return "start"
    if point.preference is None or point.amount is None:
        return f"from point {point.parent}"
    return f"from point {point.parent}: {describe(point.preference, point.amount)}"


def price(point: Point, name: str) -> str:
    """What one per cent of an objective costs on each of the others that pays for it alone, in words."""
    loss = abs(point.losses[name])
    offers = []
    for other, rate in point.trade_offs[name].items():
        base = abs(point.losses[other])
        if not math.isfinite(rate) or not base:
            offers.append(f"no price on {printable(other)}")
        else:
            offers.append(f"{rate * loss / base:.2g}% on {printable(other)}")
    return listed(offers, "or")


def for_free(point: Point) -> str:
    """What all losses could still gain together, in a sentence."""
    share = point.joint_gain * len(point.losses) / max(sum(map(abs, point.losses.values())), 1e-300)
    return (
        f"For free, all losses could still fall together by about {point.joint_gain:.2g} "
        f"({percent(share)} of their size)."
    )
