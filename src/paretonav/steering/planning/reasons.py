"""Why no more of a wish is possible, in words: what stands against it, so that a person knows what to let go of."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from paretonav.geometry import FrontModel
from paretonav.steering.planning.nearest import nearest_outcome
from paretonav.steering.planning.programme import Programme, walls
from paretonav.steering.preferences import Wish
from paretonav.text import listed

Array = NDArray[np.float64]

# All chosen for what is worth saying, not measured.
_FREED = 1.2  # times as far: what is possible without a hold, for the hold to be the reason
_TIGHT = (
    1e-3  # of the room that there was: with less of it left, a bound, a wall or a weight has been reached
)
_NEARER = 0.1  # of the way to the target: less is not worth a step

NOTHING_TO_TRADE = "; beside what was asked for there is nothing to trade here"


def why_limited(front: FrontModel, wish: Wish, limit: float, c: Array) -> str:
    """What ends a wish at the amount ``limit``, where it has led to coordinates ``c``."""
    named, held = [wish.names[i] for i in wish.named], [wish.names[i] for i in wish.held]
    where = on_data(front)
    if len(named) > front.dimensions:
        return _nobody_pays(front, wish, held)
    if held:
        freed = replace(wish, direction=np.where(wish.direction == 0, np.nan, wish.direction))
        without = Programme(front, freed).follow(np.inf)[0]
        if without > _FREED * limit + 1e-6:
            possible = f"{100 * without:.3g}%" if without < 1 else "much more"
            return f"{where}holding {listed(held)} stands against it (without that, {possible} is possible)"
    bounds = bounds_reached(front, wish, c)
    if bounds:
        return bounds
    R, target = -front.slopes(np.zeros(front.dimensions))[wish.named], wish.changes(1.0)
    if np.abs(R @ (np.linalg.pinv(R, rcond=1e-9) @ target) - target).max() > 1e-6 * np.abs(target).max():
        way = "direction along the front" if front.anchor is None else "way from here"
        return f"{where}no {way} changes {listed(named)} in this way"
    if front.anchor is not None:
        moved = [name for name in named if name not in held]
        return f"{where}no way from here is known to take {listed(moved)} further"
    return end_of_the_front(front, c) or (
        "the front bends too much for one step; after a smaller step there may be more"
    )


def on_data(front: FrontModel) -> str:
    """On which data something is said of a model that is held where it is; empty of points on a front."""
    if front.anchor is None:
        return ""
    return f"on {'validation' if front.asked == 'validation' else 'training'} data, "


def why_nearest(front: FrontModel, wish: Wish) -> str:
    """What keeps the point of ``front``, the nearest to the target of a wish, from being nearer; and how near it is."""
    here, held = np.zeros(front.dimensions), [wish.names[i] for i in wish.held]
    named = np.setdiff1d(wish.named, wish.held)
    instead, off = stands(front, wish), lacking(wish)
    nearest = f"; the nearest outcome has {instead}" if instead else ""
    if held:
        freed = replace(wish, direction=np.where(wish.direction == 0, np.nan, wish.direction))
        if _approach(front, freed, off) is not None:
            return f"holding {listed(held)} stands against it{nearest}"
    if len(wish.limited):
        further = _approach(front, replace(wish, room=np.full(len(wish.room), np.inf)), off)
        if further is not None:
            passed = wish.limited[Programme(front, wish).beyond(further) > 0]
            return f"{_reached([wish.names[i] for i in passed])}{nearest}"
    where = on_data(front)
    why = end_of_the_front(front, here)
    if not why and len(named) > 1:
        why = f"{where or 'on the front '}{listed(wish.names[i] for i in named)} stand against each other"
    return f"{why or (f'{where}no way is known that goes there' if where else 'the front does not go there')}{nearest}"


def lacking(wish: Wish) -> NDArray[np.intp]:
    """Which named quantities are not as good as their targets."""
    named = np.setdiff1d(wish.named, wish.held)
    short = wish.orientation[named] * -wish.direction[named] > 0
    off: NDArray[np.intp] = named[short | (wish.orientation[named] == 0)]
    return off


def stands(front: FrontModel, wish: Wish) -> str:
    """How near the point of ``front`` is to the target: "a 0.3 instead of 0.2"; empty if nothing is lacking."""
    return listed(
        f"{wish.names[i]} {front.values[i]:.4g} instead of {front.values[i] + wish.unit * wish.direction[i]:.4g}"
        for i in lacking(wish)
    )


def may_come_nearer(front: FrontModel, wish: Wish) -> bool:
    """Whether the model of the front promises an outcome that is nearer to the target of a wish by a tenth."""
    return _approach(front, wish, lacking(wish)) is not None


def bounds_reached(front: FrontModel, wish: Wish, c: Array) -> str:
    """Which bounds on quantities end a wish at coordinates c; empty if none does."""
    limited = wish.limited
    spare = wish.room[limited] - wish.orientation[limited] * front.changes(c)[limited]
    tight = spare <= _TIGHT * wish.room[limited] + 1e-9 * np.abs(front.values[limited])
    reached = [wish.names[i] for i in limited[tight]]
    if not reached:
        return ""
    if front.anchor is not None and all(
        i < front.m and wish.room[i] == abs(front.values[i]) for i in limited[tight]
    ):
        return f"{on_data(front)}{listed(reached)} would more than double"
    return _reached(reached)


def end_of_the_front(front: FrontModel, c: Array) -> str:
    """Which weights or parameters have come to their end at coordinates c; empty if none has.

    Around a model that is held where it is none does: its weights are those it was trained with, whatever they are.
    """
    if front.anchor is not None:
        return ""
    spent = spent_weights(front, c)
    if spent:
        return f"the edge of the front: {listed(spent)} {'have' if len(spent) > 1 else 'has'} nothing left to give"
    G, h, entry = walls(front)
    tight = np.unique(entry[h - G @ c <= _TIGHT * h])
    if len(tight):
        reach_bounds = "s {} reach their bounds" if len(tight) > 1 else " {} reaches its bound"
        return f"parameter{reach_bounds.format(listed(map(str, tight[:3])))}; from there the front may go on"
    return ""


def spent_weights(front: FrontModel, c: Array) -> list[str]:
    """The objectives whose weights have come to zero at coordinates c; a model that is held ends at none."""
    if front.anchor is not None:
        return []
    return [front.names[i] for i in np.flatnonzero(front.weights_at(c) <= _TIGHT)]


def _nobody_pays(front: FrontModel, wish: Wish, held: list[str]) -> str:
    """Why a wish that names more quantities than there are ways is met by nothing."""
    if len(wish.named) == front.m and not (wish.named >= front.m).any():
        return "a change is asked of every objective, so none is left to pay"
    ways = front.dimensions
    most = f"only {ways}" if ways > 1 else "only one"
    return (
        f"a change is asked of {len(wish.named)}, and {most} can be chosen here, so none is left to pay"
        + (f"; release {listed(held)} or name fewer" if held else "; name fewer")
    )


def _reached(bounded: list[str]) -> str:
    several = len(bounded) > 1
    return f"the bound{'s' if several else ''} on {listed(bounded)} {'are' if several else 'is'} reached"


def _approach(front: FrontModel, wish: Wish, which: NDArray[np.intp]) -> Array | None:
    """The changes [q] that lead nearer to the target by a tenth in some of ``which``; None if none do."""
    c, _ = nearest_outcome(Programme(front, wish), 1.0, np.zeros(front.dimensions))
    changes = front.changes(c)
    gain = changes[which] / (wish.unit * wish.direction[which])
    return changes if (gain > _NEARER).any() else None
