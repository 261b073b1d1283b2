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

    def excess(self, losses: Losses) -> Array:
        """How far the named objectives are above their targets."""
        return np.asarray(losses.mean.numpy()[self.named] - self.losses)

    def met(self, losses: Losses) -> bool:
        """Whether no error is left that matters."""
        return bool(np.abs(self.excess(losses)).max() <= self.tolerance)


def align(
    problem: Problem,
    tangent: Tangent,
    theta: Tensor,
    target: Target,
    rounds: int,
    losses: Losses | None = None,
) -> tuple[Tensor, Losses]:
    """Move ``theta`` along the tangent space until the named losses meet their targets.

    Newton's method in objective space with the response of one point: the tangent coordinates change by the
    smallest d (in the metric |S| of the front) with ``R_named d = losses - target``. The error of a step goes from
    second order in its length to third with the first round, for one forward pass each.

    Args:
        problem: what is steered.
        tangent: the directions and their response.
        theta: where to start, [n].
        target: what to meet.
        rounds: at most.
        losses: at theta, if they are known already.

    Returns:
        the parameters with the smallest error seen, and the losses there.
    """
    R = tangent.response.numpy()[target.named]
    metric = absolute(tangent.curvature_of_front.numpy())
    metric_inverse = np.linalg.inv(metric / np.abs(metric).max())  # that of a flat front is all but zero
    step_of = metric_inverse @ R.T @ np.linalg.pinv(R @ metric_inverse @ R.T, rcond=1e-10, hermitian=True)
    best = theta, problem.evaluate(theta) if losses is None else losses
    excess = target.excess(best[1])
    for _ in range(rounds):
        error = np.abs(excess).max()
        if not error > target.tolerance:  # NaN: there is nothing to align
            break
        theta = theta - torch.from_numpy(step_of @ excess).to(theta) @ tangent.basis
        if problem.bounds is not None:
            theta = problem.bounds.clamp(theta)
        losses = problem.evaluate(theta)
        excess = target.excess(losses)
        if not np.abs(excess).max() < error:
            break
        best = theta, losses
    return best
