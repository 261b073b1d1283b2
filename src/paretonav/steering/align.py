"""Meeting a target in objective space: a few forward passes, no derivatives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from paretonav.geometry import Tangent, absolute
from paretonav.objectives import Losses, Problem

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Target:
    """Losses to arrive at.

    Attributes:
        named: indices of the objectives with a target.
        losses: their target values.
        tolerance: the error in any of them that does not matter.
    """

    named: NDArray[np.intp]
    losses: Array
    tolerance: float


def align(
    problem: Problem,
    tangent: Tangent,
    theta: Tensor,
    target: Target,
    rounds: int,
) -> tuple[Tensor, Losses]:
    """Move ``theta`` along the tangent space until the named losses meet their targets.

    Newton's method in objective space with the response of one point: the tangent coordinates change by the
    smallest d (in the metric |S| of the front) with ``R_named d = losses - target``. The error of a step goes from
    second order in its length to third with the first round, for one forward pass each.

    Returns:
        the parameters with the smallest error seen, and the losses there.
    """
    R = tangent.response.numpy()[target.named]
    metric_inverse = np.linalg.inv(absolute(tangent.curvature_of_front.numpy()))
    step_of = metric_inverse @ R.T @ np.linalg.pinv(R @ metric_inverse @ R.T, rcond=1e-10, hermitian=True)
    best: tuple[float, Tensor, Losses] | None = None
    for _ in range(rounds + 1):
        losses = problem.evaluate(theta)
        excess = losses.mean.numpy()[target.named] - target.losses
        error = float(np.abs(excess).max())
        if not np.isfinite(error) or (best is not None and error >= best[0]):
            break
        best = (error, theta, losses)
        if error <= target.tolerance:
            break
        theta = theta - torch.from_numpy(step_of @ excess).to(theta) @ tangent.basis
        if problem.bounds is not None:
            theta = problem.bounds.clamp(theta)
    if best is None:
        return theta, losses
    return best[1], best[2]
