"""The predictor of the published method."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from paretonav.errors import InfeasiblePreferenceError, PreferenceError
from paretonav.geometry import FrontModel, Tangent
from paretonav.objectives import Problem
from paretonav.steering.planning.plan import Plan
from paretonav.steering.preferences import Fit, On, Wish
from paretonav.steering.stepping.predictors.base import Prediction

logger = logging.getLogger(__name__)

Array = NDArray[np.float64]

_CORNER = 0.9  # a weight from which on the paper speaks of a corner of the front
_ROUNDING = 1e-12  # a sum of unit vectors that is this short has no direction


@dataclass(frozen=True, kw_only=True)
class PublishedProjection:
    """Project the preferred descent direction on the tangent space and backtrack (PPE, arXiv 2606.19521).

    With gradients normalised row by row, G those of the selected objectives as columns and p their weights::

        t_i = argmin_{t >= 0} 1/2 |G t + g_i|^2,   d_i = g_i + G t_i,   d = -sum_i p_i d_i,

    so that each -d_i ascends no selected objective; d is projected orthogonally on span(V), normalised, and
    followed for ``step`` with Armijo backtracking on the selected objectives. Holds have no place in it, and the
    ``amount`` of a step is not used: its length is ``step``, and what is reported as requested is what the weights
    ask for at the improvement that this length predicts. At a corner of the front (a weight of 0.9 or more) a
    warning says which preferences still move.

    Attributes:
        step: the first length tried, in parameter space.
        tries: how many lengths are tried, each half of the one before.
        slope: Armijo's constant.
    """

    step: float = 0.01
    tries: int = 10
    slope: float = 1e-4
    on: ClassVar[On | None] = "train"
    promises: ClassVar[bool] = False

    def plan(self, front: FrontModel, tangent: Callable[[], Tangent], wish: Wish, amount: float) -> Plan:  # noqa: ARG002
        if (wish.named >= front.m).any():
            raise PreferenceError(
                "the published method steers by the losses alone; ask for losses, or use the default method"
            )
        if not len(wish.improved):
            raise PreferenceError("the published method improves losses; name one that is to improve")
        wish = replace(wish, fit=Fit.EXACT)
        c = self._coordinates(tangent(), wish)
        if not np.isfinite(c).all() or not np.abs(c).max() > 0:
            raise InfeasiblePreferenceError(
                "the preferred direction has no part in the tangent space here; prefer other objectives",
                reason="the projected direction vanishes",
                reach=0.0,
            )
        # What is asked of the other objectives follows from what the lead is predicted to gain.
        return Plan.along(front, wish, max(0.0, -float(front.change(c)[_lead(wish)])) / wish.unit, c)

    def reach(self, front: FrontModel, tangent: Callable[[], Tangent], wish: Wish) -> float:
        """What the leading objective improves by, up to the edge of the front in the projected direction."""
        c = self._coordinates(tangent(), wish)
        edge = front.edge(c)
        if not np.isfinite(edge):
            return float("inf")
        return max(0.0, -float(front.change(edge * c)[_lead(wish)]) / wish.unit)

    def predict(self, problem: Problem, front: FrontModel, tangent: Tangent, plan: Plan) -> Prediction:
        selected = plan.wish.improved
        _warn_at_corner(front)
        slopes = (-front.response @ plan.coordinates)[selected]
        before = front.losses[selected]
        share = 1.0
        for attempt in range(1, self.tries + 1):
            theta = tangent.point(torch.from_numpy(share * plan.coordinates))
            if problem.bounds is not None:
                theta = problem.bounds.clamp(theta)
            losses = problem.evaluate(theta)
            after = losses.mean.numpy()
            enough = after[selected] <= before + self.slope * share * np.minimum(slopes, 0)
            if np.isfinite(after).all() and (after[selected] < before).all() and enough.all():
                return Prediction(theta, losses, share, attempt)
            share /= 2
        problem.require_finite(losses, f"at the shortest of {self.tries} steps")
        return Prediction(tangent.theta, losses, 0.0, self.tries)

    def _coordinates(self, tangent: Tangent, wish: Wish) -> Array:
        """The c for which -V c is the projected direction of length ``step``."""
        direction = preferred_direction(tangent, wish)
        orthonormal, triangle = torch.linalg.qr(tangent.basis.T.double())
        # The triangle's singular vectors leave out what is linearly dependent in V.
        left, sizes, right = torch.linalg.svd(triangle, full_matrices=False)
        rank = int((sizes > 16 * torch.finfo(tangent.basis.dtype).eps * sizes.max()).sum())
        projected = left[:, :rank].T @ (orthonormal.T @ direction)
        length = float(projected.norm())
        if length <= _ROUNDING:
            return np.zeros(tangent.basis.shape[0])
        c = right[:rank].T @ (-self.step / length * projected / sizes[:rank])
        return np.asarray(c.cpu().numpy())


def _warn_at_corner(front: FrontModel) -> None:
    heaviest = int(front.weights.argmax())
    if front.weights[heaviest] >= _CORNER:
        others = [name for i, name in enumerate(front.names) if i != heaviest]
        logger.warning(
            "the weight of %r is %.2f: at this corner of the front it hardly improves; preferences that still "
            "move are those for %s",
            front.names[heaviest],
            front.weights[heaviest],
            " or ".join(map(repr, others)),
        )


def _lead(wish: Wish) -> int:
    """The improved objective with the largest weight."""
    return int(wish.improved[np.argmax(np.abs(wish.direction[wish.improved]))])


def preferred_direction(tangent: Tangent, wish: Wish) -> Tensor:
    """The direction d = -sum_i p_i d_i over the selected objectives, [n], float64; it ascends none of them.

    The non-negative least-squares problem is solved in the triangular factor of G, which keeps its residual
    |G t + g_i| exactly and needs no n-vectors.
    """
    selected = wish.improved
    gradients = tangent.jacobian[torch.from_numpy(selected)].double()
    gradients += tangent.weight_decay * tangent.theta
    if tangent.free is not None:
        gradients = gradients * tangent.free
    G = gradients / gradients.norm(dim=1, keepdim=True).clamp_min(1e-300)
    triangle = torch.linalg.qr(G.T, mode="r").R.cpu().numpy()
    from scipy.optimize import nnls  # a tenth of a second to load

    p = np.abs(wish.direction[selected]) / np.abs(wish.direction[selected]).sum()
    direction = torch.zeros_like(G[0])
    for i, share in enumerate(p):
        t, _ = nnls(triangle, -triangle[:, i])
        direction -= share * (G[i] + torch.from_numpy(t).to(G) @ G)
    return direction
