"""From a wish to tangent coordinates: a small quadratic programme in objective space."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from paretonav.errors import InfeasiblePreferenceError
from paretonav.geometry import FrontModel, solve_qp
from paretonav.steering.preference import Wish

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

_REACHED = 1e-4  # a change of the weights that is not worth a step


@dataclass(frozen=True, eq=False)
class Plan:
    """Where a step is to go.

    Attributes:
        wish: what was asked.
        amount: how much of it.
        coordinates: c [m-1]; the parameters move by -V c, the weights by B c.
        predicted: [m], the change of the training losses.
        predicted_validation: [m] or None.
        predicted_metrics: [p].
        errors: the standard errors of the three, each None where it is not known.
        weights: [m], those of the new point.
    """

    wish: Wish
    amount: float
    coordinates: Array
    predicted: Array
    predicted_validation: Array | None
    predicted_metrics: Array
    errors: tuple[Array | None, Array | None, Array | None]
    weights: Array

    @classmethod
    def along(cls, front: FrontModel, wish: Wish, amount: float, c: Array) -> Plan:
        """The plan that goes to coordinates c, with its outcome as the front model predicts it."""
        return cls(
            wish,
            amount,
            c,
            front.change(c),
            front.validation_change(c),
            front.metric_change(c),
            front.errors(c),
            front.weights_at(c),
        )

    def share(self, front: FrontModel, share: float) -> Plan:
        """The plan that goes only a part of the way."""
        if share == 1:
            return self
        return Plan.along(front, self.wish, share * self.amount, share * self.coordinates)

    @property
    def requested(self) -> dict[str, float]:
        """Name -> the change that was asked for, of what the wish names."""
        changes = self.wish.changes(self.amount)
        return {self.wish.names[i]: float(v) for i, v in zip(self.wish.named, changes, strict=True)}


def plan(front: FrontModel, wish: Wish, amount: float) -> Plan:
    """The cheapest tangent coordinates that give the wished changes, to second order.

    Minimises the curvature cost ``1/2 c^T |S| c`` subject to ``change_i(c) = amount * unit * direction_i`` for the
    named quantities, the bounds on others, weights ``alpha + B c >= 0`` and the box. Where the front bends much the
    minimum is a local one, that to which shorter steps lead.

    Raises:
        InfeasiblePreferenceError: with the reason and the largest feasible amount.
    """
    limit, c = _follow(front, wish, amount)
    if limit < amount:
        reason = why_limited(front, wish, limit, c)
        raise InfeasiblePreferenceError(
            f"an amount of {amount:.3g} is not possible here: {reason}; the largest possible is {limit:.3g}",
            reason=reason,
            reach=limit,
        )
    return Plan.along(front, wish, amount, _cheapest(front, wish, wish.changes(amount), c))


def reach(front: FrontModel, wish: Wish) -> float:
    """The largest amount for which there is a plan, to four digits; 0 if there is none."""
    return _follow(front, wish, np.inf)[0]


def why_limited(front: FrontModel, wish: Wish, limit: float, c: Array) -> str:
    """What ends the wish at ``limit``, where it has led to coordinates ``c``, in words."""
    if len(wish.named) >= front.m:
        return "a change of every objective is prescribed, so none is left to pay"
    named, held = [wish.names[i] for i in wish.named], [wish.names[i] for i in wish.held]
    if held:
        freed = replace(wish, direction=np.where(wish.direction == 0, np.nan, wish.direction))
        without = reach(front, freed)
        if without > 1.2 * limit + 1e-6:
            return f"holding {_listed(held)} stands against it (without that, {without:.3g} is possible)"
    limited = wish.limited
    spare = wish.room[limited] - wish.orientation[limited] * front.changes(c)[limited]
    for i, left in zip(limited, spare, strict=True):
        if left <= 1e-3 * wish.room[i] + 1e-9 * abs(front.values[i]):
            return f"the bound on {wish.names[i]} is reached"
    R, target = -front.slopes(np.zeros(front.m - 1))[wish.named], wish.changes(1.0)
    if np.abs(R @ (np.linalg.pinv(R, rcond=1e-9) @ target) - target).max() > 1e-6 * np.abs(target).max():
        return f"no direction along the front changes {_listed(named)} in this way"
    spent = [front.names[i] for i in np.flatnonzero(front.weights_at(c) <= 1e-3)]
    if spent:
        reaches = "weights of {} reach" if len(spent) > 1 else "weight of {} reaches"
        return f"the edge of the front: the {reaches.format(_listed(spent))} zero, with nothing left to give"
    G, h, entry = _walls(front)
    tight = np.unique(entry[h - G @ c <= 1e-3 * h])
    if len(tight):
        reach_bounds = "s {} reach their bounds" if len(tight) > 1 else " {} reaches its bound"
        return f"parameter{reach_bounds.format(_listed(tight[:3]))}; from there the front may go on"
    return "the front bends too much for one step; after a smaller step there may be more"


def _follow(front: FrontModel, wish: Wish, limit: float) -> tuple[float, Array]:
    """The largest amount up to ``limit`` that is possible, and coordinates that give it.

    Goes to ``limit`` at once, and where that fails (beyond the edge, or because the front bends on the way) by
    shorter steps, each from where the one before arrived.
    """
    amount, c = 0.0, np.zeros(front.m - 1)
    if len(wish.named) >= front.m:
        return amount, c
    step = min(limit, 1.0)
    while amount < limit and step > max(1e-4 * amount, 1e-9):
        target = wish.changes(min(amount + step, limit))
        further = _meet(front, wish, target, c)
        if further is None:
            step /= 4
        else:
            amount, c, step = min(amount + step, limit), further, 2 * step
    return amount, c


def _meet(front: FrontModel, wish: Wish, target: Array, c: Array) -> Array | None:
    """Coordinates near c at which the named quantities change by ``target``, by Newton's method; None if not found."""
    scale = float(np.abs(target).max())
    for _ in range(12):
        nearest = _nearest(front, wish, target, c, c)
        if nearest is None:
            return None
        c = nearest
        changes = front.changes(c)
        limited = wish.limited  # a front that was not measured has no metrics, and the wish asks for none
        beyond = wish.orientation[limited] * changes[limited] - wish.room[limited]
        if (
            np.abs(changes[wish.named] - target).max() <= 1e-9 * scale
            and (beyond <= 1e-9 * np.maximum(scale, np.abs(front.values[wish.limited]))).all()
        ):
            return c
    return None


def _cheapest(front: FrontModel, wish: Wish, target: Array, c: Array) -> Array:
    """Lower the curvature cost from a c that meets the target, along what leaves the named losses as they are.

    The quadratic programme with the changes linearised at c says where to; its step is shortened until the cost
    has fallen once the target is met again. Every c on the way is a plan.
    """
    cost, share = float(c @ front.metric @ c), 1.0
    for _ in range(20):
        best = _nearest(front, wish, front.changes(c)[wish.named], c, np.zeros_like(c))
        if best is None:
            break
        while share > 1e-3:
            moved = _meet(front, wish, target, c + share * (best - c))
            gain = 0.0 if moved is None else cost - float(moved @ front.metric @ moved)
            if moved is not None and gain > 0:
                c = moved
                break
            share /= 2
        cost -= gain
        if gain <= 1e-9 * cost:
            break
    return c


def _nearest(front: FrontModel, wish: Wish, target: Array, at: Array, centre: Array) -> Array | None:
    """The x nearest to ``centre`` with the wished changes as linearised at ``at``, weights >= 0, inside the box.

    None if there is none.
    """
    G, h, _ = _walls(front)
    metric = front.metric / np.abs(front.metric).max()
    slopes, offsets = front.slopes(at), front.changes(at) - front.slopes(at) @ at
    better = wish.orientation[wish.limited]
    limits = wish.room[wish.limited] - better * offsets[wish.limited]
    values = target - offsets[wish.named]
    return solve_qp(
        metric,
        -metric @ centre,
        np.concatenate([slopes[wish.named], front.weight_basis, G, better[:, None] * slopes[wish.limited]]),
        np.concatenate([values, -front.weights, np.full(len(h) + len(limits), -np.inf)]),
        np.concatenate([values, np.full(front.m, np.inf), h, limits]),
    )


def _walls(front: FrontModel) -> tuple[Array, Array, Indices]:
    """The bounds that end a plan: all of the box but those that are as good as reached.

    Where a parameter reaches its bound the front has a crease and goes on. Steps that may not pass it end shorter
    and shorter before it, so the last bit is passed: the predictor stays inside, the corrector fixes the parameter.
    """
    G, h, entry = front.box
    ahead = h > _REACHED * np.linalg.norm(G, axis=1)
    return G[ahead], h[ahead], entry[ahead]


def _listed(items: Iterable[object]) -> str:
    *others, last = map(str, items)
    return f"{', '.join(others)} and {last}" if others else last
