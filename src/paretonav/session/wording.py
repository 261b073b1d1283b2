"""Names, numbers, preferences and points as a person reads them."""

from __future__ import annotations

import math

from paretonav.session.formats import percent
from paretonav.session.record import Record
from paretonav.steering import Point
from paretonav.steering.wording import describe, listed, number, printable

_NOTHING = 1e-6  # of the losses

__all__ = ["describe", "for_free", "listed", "number", "origin", "price", "printable"]


def origin(point: Point | Record) -> str:
    """How a point was reached, in words."""
    if point.parent is None:
        return "start"
    if point.preference is None or point.amount is None:
        return f"from point {point.parent}"
    return f"from point {point.parent}: {describe(point.preference, point.amount)}"


def price(point: Point, name: str, most: int | None = None) -> str:
    """What one per cent of an objective costs on each of the others that pays for it alone, in words.

    Args:
        point: where.
        name: of the objective.
        most: how many of the others to name, the cheapest first; None for all, in their order.
    """
    loss = abs(point.losses[name])
    costs = {}
    for other, rate in point.trade_offs[name].items():
        base = abs(point.losses[other])
        costs[other] = rate * loss / base if math.isfinite(rate) and base else math.inf
    chosen = list(costs)
    if most is not None and most < len(costs):
        chosen = sorted(costs, key=costs.__getitem__)[:most]
    offers = [
        f"{costs[other]:.2g}% on {printable(other)}"
        if math.isfinite(costs[other])
        else f"no price on {printable(other)}"
        for other in chosen
    ]
    return listed(offers, "or") + (f" (the cheapest of {len(costs)})" if len(chosen) < len(costs) else "")


def for_free(point: Point) -> str:
    """What all losses could still gain together, in a sentence."""
    share = point.joint_gain * len(point.losses) / max(sum(map(abs, point.losses.values())), 1e-300)
    if share < _NOTHING:
        return (
            "Nothing is for free: together, the losses could not fall by more than a millionth of their size."
        )
    return (
        f"For free, all losses could still fall together by about {point.joint_gain:.2g} "
        f"({percent(share)} of their size)."
    )
