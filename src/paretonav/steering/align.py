"""Meeting a target in objective space: a few forward passes, no derivatives."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from paretonav.geometry import Tangent, absolute
from paretonav.objectives import Losses, Problem
from paretonav.steering.target import Target


def align(
    problem: Problem,
    tangent: Tangent,
    theta: Tensor,
    target: Target,
    rounds: int,
    losses: Losses | None = None,
) -> tuple[Tensor, Losses]:
    """Move ``theta`` along the tangent space until the named losses and metrics meet their targets.

    Newton's method in objective space with the response of one point: the tangent coordinates change by the
    smallest d (in the metric |S| of the front) with ``R_named d = values - target``. The error of a step goes from
    second order in its length to third with the first round, for one forward pass each (and one over the validation
    data where a metric is named).

    Args:
        problem: what is steered.
        tangent: the directions and their response; where a metric is named, the tangent that the step started with.
        theta: where to start, [n].
        target: what to meet.
        rounds: at most.
        losses: at theta, if they are known already.

    Returns:
        the parameters with the smallest error seen, and the losses there.
    """
    if not len(target.named):
        return theta, problem.evaluate(theta) if losses is None else losses
    R = target.response if target.has_metrics(problem) else tangent.response.numpy()[target.named]
    R = R / target.scale[:, None]  # so that quantities of different units weigh the same
    metric = absolute(tangent.curvature_of_front.numpy())
    metric_inverse = np.linalg.inv(metric / np.abs(metric).max())  # that of a flat front is all but zero
    step_of = metric_inverse @ R.T @ np.linalg.pinv(R @ metric_inverse @ R.T, rcond=1e-10, hermitian=True)
    losses = problem.evaluate(theta) if losses is None else losses
    best = theta, losses
    excess = target.excess(problem, theta, losses)
    for _ in range(rounds):
        # NaN: there is nothing to align
        if target.met(excess) or not np.isfinite(excess).all():
            break
        error = np.abs(excess / target.scale).max()
        theta = theta - torch.from_numpy(step_of @ (excess / target.scale)).to(theta) @ tangent.basis
        if problem.bounds is not None:
            theta = problem.bounds.clamp(theta)
        losses = problem.evaluate(theta)
        excess = target.excess(problem, theta, losses)
        if not np.abs(excess / target.scale).max() < error:
            break
        best = theta, losses
    return best
