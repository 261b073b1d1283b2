"""How far one of the quantities that a wish names can improve while the others stay as they are asked for.

It is where a slider ends.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from paretonav.geometry import FrontModel
from paretonav.steering.planning.programme import Programme
from paretonav.steering.planning.reasons import why_limited
from paretonav.steering.preferences import Fit, Wish

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Reach:
    """The end of what can be asked for of one quantity.

    Attributes:
        change: the largest signed change for the better, infinite where there is no limit.
        reason: what ends it, in words; empty where there is no limit.
    """

    change: float
    reason: str


def reach_of(front: FrontModel, wish: Wish, amount: float, index: int, most: float = np.inf) -> Reach:
    """How far one of the quantities that a wish names can improve, the others as an amount of it has them.

    Args:
        front: at the point.
        wish: what is asked for; that it takes the nearest outcome (an ``Aim``) does not count here.
        amount: how much of it the others are asked for.
        index: of the quantity; it is one that the wish moves, and it is known which way is better.
        most: the largest improvement that is looked for, in parts of the quantity's size; where so much is possible,
            it is the answer, without a reason.
    """
    wish = replace(wish, fit=Fit.EXACT)
    place = int(np.flatnonzero(wish.named == index)[0])
    others = wish.changes(amount)
    others[place] = 0.0
    size = float(wish.scale[index])
    way = np.zeros(len(others))
    way[place] = -wish.orientation[index] * size
    programme, c = Programme(front, wish), np.zeros(front.dimensions)
    if others.any():
        possible, c = programme.trace(lambda share: share * others, 1.0, c)
        if possible < 1:
            return Reach(0.0, _why(front, wish, possible * others, c, possible))
    limit, c = programme.trace(lambda parts: others + parts * way, most, c)
    if np.isinf(limit):
        return Reach(float(np.sign(way[place])) * np.inf, "")
    if limit == most:
        return Reach(float(limit * way[place]), "")
    return Reach(float(limit * way[place]), _why(front, wish, others + limit * way, c, limit))


def _why(front: FrontModel, wish: Wish, changes: Array, c: Array, amount: float) -> str:
    """What ends a wish at changes [named] and coordinates c, which are called an amount."""
    amount = max(amount, 1e-9)
    direction = np.full(len(wish.names), np.nan)
    direction[wish.named] = np.where(np.isin(wish.named, wish.held), 0.0, changes / amount)
    straight = replace(wish, direction=direction, unit=1.0, cap=np.full(len(wish.names), np.inf))
    return why_limited(front, straight, amount, c)
