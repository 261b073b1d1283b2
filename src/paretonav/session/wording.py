"""Points as a person reads them: where they come from, what they cost, what is to be known of them."""

from __future__ import annotations

import math

from paretonav.session.record import Record
from paretonav.steering import Point, TrainingGain
from paretonav.steering.preferences.wording import origin as reached
from paretonav.text import listed, percent, printable, sentence

_NOTHING = 1e-6  # of the losses
_UNPAID = 0.005  # per cent: who pays less than that does not pay
RUINOUS = 1000.0  # per cent: beyond that it does not matter how much
_WORTH_A_WISH = 1e-4  # of a loss: where it can be improved by no more, nobody is told what that would cost
_UNTRAINED = 0.02  # of the losses: if all can fall together by more, training is not at its end
_TRAIN_FIRST = "Train it on before trading, or steps sell what is for free."
NO_TRADE = "there is nothing to trade here"


def origin(point: Point | Record) -> str:
    """How a point was reached, in words."""
    return reached(point.parent, point.preference, point.amount)


def price(point: Point, name: str, most: int | None = None, *, reach: float | None = None) -> str:
    """What one per cent of an objective costs, in words.

    At a critical point, what each of the others rises by if it pays alone; where the model is held, what all of them
    rise by along the cheapest way, on the data that are asked for.

    Args:
        point: where.
        name: of the objective.
        most: how many of the others to name, the cheapest first (of those that pay together, the dearest first); None
            for all, in their order.
        reach: the most that it can improve by, in parts of it, if that is known: where that is next to nothing, so is
            what could be bought.
    """
    if reach is not None and reach < _WORTH_A_WISH:
        return NO_TRADE
    costs = prices(point, name)
    together = point.anchor is not None
    if together:
        costs = {other: cost for other, cost in costs.items() if cost > _UNPAID}
        if not costs:
            return "nothing"
    chosen = list(costs)
    if most is not None and most < len(costs):
        chosen = sorted(costs, key=costs.__getitem__, reverse=together)[:most]
    offers = [f"{cost_words(costs[other])} on {printable(other)}" for other in chosen]
    which = "dearest" if together else "cheapest"
    left_out = f" (the {which} of {len(costs)})" if len(chosen) < len(costs) else ""
    return listed(offers, "and" if together else "or") + left_out


def prices(point: Point, name: str) -> dict[str, float]:
    """Name of each other objective -> the per cent that it rises by for one per cent of an objective; see ``price``.

    Infinite where there is no price.
    """
    if point.anchor is not None:
        found, values = point.conflict[name], point.values.losses
        gain = -found.gain / abs(values[name]) if values[name] else 0.0
        return {
            other: change / abs(values[other]) / gain if gain > 0 and values[other] else math.inf
            for other, (change, _) in found.others.items()
        }
    loss = abs(point.losses[name])
    costs = {}
    for other, rate in point.trade_offs[name].items():
        base = abs(point.losses[other])
        costs[other] = rate * loss / base if math.isfinite(rate) and base else math.inf
    return costs


def cost_words(cost: float) -> str:
    """So many per cent as a price."""
    if not math.isfinite(cost):
        return "no price"
    if cost <= _UNPAID:
        return "nothing"
    if cost >= RUINOUS:
        return f"over {RUINOUS:.0f}%"
    return f"{cost:.0f}%" if cost >= 9.95 else f"{cost:.2g}%"


def price_sentence(point: Point, name: str, most: int | None = None, *, reach: float | None = None) -> str:
    """The same as a sentence."""
    if reach is not None and reach < _WORTH_A_WISH:
        return sentence(NO_TRADE)
    how = "along the cheapest way" if point.anchor is not None else "all others held"
    return f"1% better costs about {price(point, name, most)}, {how}."


def standing(point: Point) -> str:
    """What all losses could still gain together, or what holds the model where it is, in a sentence."""
    anchor = point.anchor
    if anchor is not None:
        why = f": {anchor.reason}" if anchor.reason else ", which follows from how the last step came true"
        return f"The model is held where it is, by a pull of {percent(anchor.part)} of the largest curvature{why}."
    share = _joint_share(point)
    if share < _NOTHING:
        return (
            "Nothing is for free: together, the losses could not fall by more than a millionth of their size."
        )
    return (
        f"For free, all losses could still fall together by about {point.joint_gain:.2g} "
        f"({percent(share)} of their size)."
    )


def caution(point: Point, gain: TrainingGain | None = None) -> str:
    """That the training of a point is not at its end, so that steps from it may disappoint; empty if that is not known.

    Args:
        point: where the step would begin.
        gain: what training on would bring there, if it has been measured.
    """
    if gain is not None and gain.pays:
        return f"This model is not trained out: {gain.words}. {_TRAIN_FIRST}"
    if point.anchor is None and _joint_share(point) > _UNTRAINED:
        return (
            f"This model is not trained out: all losses could still fall together by {percent(_joint_share(point))} of "
            f"their size. {_TRAIN_FIRST}"
        )
    return ""


def unsure(point: Point) -> str:
    """That nobody knows how much of a change is chance; empty where that is known, and of functions: they have none."""
    shown = point.measured.shown
    drawn = shown.examples is not None or point.front.sampled
    if not drawn or shown.standard_error() is not None:
        return ""
    return (
        "There are no standard errors here, so nobody knows how much of a change is chance: they take 32 examples, or "
        "four batches."
    )


def _joint_share(point: Point) -> float:
    """What all losses could still gain together, in parts of their size."""
    return point.joint_gain * len(point.losses) / max(sum(map(abs, point.losses.values())), 1e-300)
