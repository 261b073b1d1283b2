"""From a wish to tangent coordinates: a small quadratic programme in objective space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paretonav.errors import InfeasiblePreferenceError
from paretonav.geometry import FrontModel, solve_qp
from paretonav.steering.preference import Wish

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Plan:
    """Where a step is to go.

    Attributes:
        wish: what was asked.
        amount: how much of it.
        coordinates: c [m-1]; the parameters move by -V c, the weights by B c.
        predicted: [m], the change of the training losses.
        predicted_validation: [m] or None.
        weights: [m], those of the new point.
    """

    wish: Wish
    amount: float
    coordinates: Array
    predicted: Array
    predicted_validation: Array | None
    weights: Array

    @classmethod
    def along(cls, front: FrontModel, wish: Wish, amount: float, c: Array) -> Plan:
        """The plan that goes to coordinates c, with its outcome as the front model predicts it."""
        return cls(wish, amount, c, front.change(c), front.validation_change(c), front.weights_at(c))

    def share(self, front: FrontModel, share: float) -> Plan:
        """The plan that goes only a part of the way."""
        return self if share == 1 else Plan.along(front, self.wish, share * self.amount, share * self.coordinates)

    @property
    def requested(self) -> dict[str, float]:
        """Name -> the change that was asked for, of the objectives that the wish names."""
        changes = self.wish.changes(self.amount)
        return {self.wish.names[i]: float(v) for i, v in zip(self.wish.named, changes, strict=True)}


def plan(front: FrontModel, wish: Wish, amount: float) -> Plan:
    """The cheapest tangent coordinates that give the wished changes, to second order.

    Minimises the curvature cost ``1/2 c^T |S| c`` subject to ``change_i(c) = amount * unit * direction_i`` for the
    named objectives, weights ``alpha + B c >= 0`` and the box. The second-order part of the changes enters
    the equations and is iterated to a fixed point.

    Raises:
        InfeasiblePreferenceError: with the reason and the largest feasible amount.
    """
    c = _solve(front, wish, amount)
    if c is None:
        limit = reach(front, wish)
        reason = why_limited(front, wish, limit)
        raise InfeasiblePreferenceError(
            f"a change of {amount:.3g} is not possible here: {reason}; the largest possible amount is {limit:.3g}",
            reason=reason,
            reach=limit,
        )
    return Plan.along(front, wish, amount, c)


def reach(front: FrontModel, wish: Wish, *, bisections: int = 24) -> float:
    """The largest amount for which there is a plan; 0 if there is none."""
    if len(wish.named) == front.m:
        return 0.0
    low, high = 0.0, 1e-6
    while _solve(front, wish, high) is not None:
        low, high = high, 4 * high
        if high > 1e9:  # a front without an edge: a linear model of an unbounded problem
            return float("inf")
    for _ in range(bisections if low > 0 else 0):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if _solve(front, wish, middle) is not None else (low, middle)
    return low


def why_limited(front: FrontModel, wish: Wish, limit: float) -> str:
    """What ends the wish at ``limit``, in words."""
    if len(wish.named) == front.m:
        return "every objective is improved or held, so none is left to pay"
    held = [front.names[i] for i in wish.held]
    if held:
        freed = Wish(wish.names, np.where(wish.direction == 0, np.nan, wish.direction), wish.unit)
        without = reach(front, freed, bisections=12)
        if without > 1.2 * limit + 1e-6:
            return f"holding {_listed(held)} stands against it (without that, {without:.3g} is possible)"
    c = _solve(front, wish, limit) if limit > 0 else np.zeros(front.m - 1)
    if c is None:
        c = np.zeros(front.m - 1)
    weights = front.weights_at(c)
    spent = [front.names[i] for i in np.flatnonzero(weights <= 1e-4)]
    G, h, entry = front.box
    if len(h):
        slack = (h - G @ c) / np.maximum(np.linalg.norm(G, axis=1), 1e-300)
        tight = np.unique(entry[slack <= 1e-4 * max(float(np.abs(slack).max()), 1e-12)])
        if len(tight) and not spent:
            return f"parameter {', '.join(map(str, tight[:3]))} reaches its bound"
    if spent:
        return f"the edge of the front: the weight of {_listed(spent)} reaches zero, it has nothing left to give"
    return "the front bends too much for one step; after a smaller step there may be more"


def _solve(front: FrontModel, wish: Wish, amount: float, iterations: int = 60) -> Array | None:
    named = wish.named
    if len(named) >= front.m:
        return None
    target = wish.changes(amount)
    R = front.response[named]
    G, h, _ = front.box
    A = np.concatenate([R, front.weight_basis, G])
    no_upper, no_lower = np.full(front.m, np.inf), np.full(len(h), -np.inf)
    scale = float(np.abs(target).max())
    displacement = np.zeros(len(named))
    for _ in range(iterations):
        wanted = displacement - target
        lower = np.concatenate([wanted, -front.weights, no_lower])
        upper = np.concatenate([wanted, no_upper, h])
        c = solve_qp(front.metric, np.zeros(front.m - 1), A, lower, upper)
        if c is None:
            return None
        displaced = np.broadcast_to(front.displacement(c), front.m)[named]
        error = float(np.abs(displaced - displacement).max())
        displacement = displaced
        if error <= 1e-6 * scale:
            return c
        if float(np.abs(displacement).max()) > 10 * scale:  # more bending than improving: beyond the edge
            return None
    return None


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
