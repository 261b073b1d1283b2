"""Meeting a target in objective space: a few forward passes, no derivatives."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from paretonav.geometry import Tangent, absolute
from paretonav.objectives import Losses, Problem
from paretonav.steering.stepping.target import Target

Array = NDArray[np.float64]

# Of the error: a round that leaves more of it tells how the losses bend, not what their slopes are, so it teaches
# nothing; neither does one that begins further off than what was asked. Chosen, not measured.
_LOCAL = 0.5


def align(
    problem: Problem,
    tangent: Tangent,
    theta: Tensor,
    target: Target,
    rounds: int,
    losses: Losses | None = None,
) -> tuple[Tensor, Losses]:
    """Move ``theta`` along the tangent space until the named losses and metrics meet their targets.

    Newton's method in objective space: the tangent coordinates change by the smallest d (in the metric |S| of the
    front) with ``R_named d = values - target``, for one forward pass a round over the data on which they are asked for.
    R begins as the target's response, and then follows what the rounds have shown (Broyden, Math.
    Comp. 19, 1965).

    Args:
        problem: what is steered.
        tangent: the directions, in whose coordinates the target's response is.
        theta: where to start, [n].
        target: what to meet.
        rounds: at most.
        losses: at theta on the data on which they are asked for, if they are known already.

    Returns:
        the parameters with the smallest error seen, and the losses there.
    """
    losses = problem.evaluate(theta, target.split) if losses is None else losses
    best = theta, losses
    if not len(target.named):
        return best
    R = target.response / target.scale[:, None]  # so that quantities of different units weigh the same
    metric = absolute(tangent.curvature_of_front.numpy())
    metric = metric / np.abs(metric).max()  # that of a flat front is all but zero
    error = target.excess(problem, theta, losses) / target.scale
    for _ in range(rounds):
        # NaN: there is nothing to align
        if (np.abs(error) <= target.tolerance / target.scale).all() or not np.isfinite(error).all():
            break
        d = _shortest(R, metric, error)
        theta = theta - torch.from_numpy(d).to(theta) @ tangent.basis
        if problem.bounds is not None:
            theta = problem.bounds.clamp(theta)
        losses = problem.evaluate(theta, target.split)
        left = target.excess(problem, theta, losses) / target.scale
        if not np.abs(left).max() < np.abs(error).max():
            break
        R = _learnt(R, metric, d, error, left)
        best, error = (theta, losses), left
    return best


def _learnt(R: Array, metric: Array, d: Array, error: Array, left: Array) -> Array:
    """The response after a round d that has left an error: as it was, but for what it was wrong about along d.

    Broyden's update, in the metric of the front. A round that was not local (``_LOCAL``) teaches nothing.
    """
    size = np.abs(error).max()
    if size > 1 or np.abs(left).max() >= _LOCAL * size:
        return R
    return np.asarray(R - np.outer(left - (error - R @ d), metric @ d) / (d @ metric @ d))


def _shortest(R: Array, metric: Array, error: Array) -> Array:
    """The d with ``R d = error`` that is the shortest in the metric; where there is none, one of least error."""
    inverse = np.linalg.inv(metric)
    return np.asarray(
        inverse @ R.T @ (np.linalg.pinv(R @ inverse @ R.T, rcond=1e-10, hermitian=True) @ error)
    )
