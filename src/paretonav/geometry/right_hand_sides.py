"""What the solves for a tangent are made for, by name."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class RightHandSides:
    """The right-hand sides of the systems ``A x = b`` at a point, in one matrix: one operator serves them all.

    The solutions come in the same order, so the names here are those of their rows, too.

    Attributes:
        rows: [k, n]: first the ways, then the gradient, then theta if it is wanted.
        count: the number of ways.
    """

    rows: Tensor
    count: int

    @classmethod
    def at(
        cls,
        theta: Tensor,
        jacobian: Tensor,
        weights: Tensor,
        B: Tensor,
        decay: float,
        free: Tensor | None,
    ) -> RightHandSides:
        """Those for a tangent.

        Args:
            theta: the point, [n].
            jacobian: of the losses there, [m, n].
            weights: [m].
            B: [m, m-1], the directions in which the weights change.
            decay: the coefficient of the weight decay; without any, theta is not solved for.
            free: [n] bool, False where a parameter stays as it is; None where all are free.
        """
        m, count = B.shape
        rows = jacobian.new_empty(m + bool(decay), len(theta))
        mix = torch.cat([B, weights[:, None]], dim=1)  # [m, m], invertible: 1^T B = 0 and 1^T weights = 1
        torch.matmul(mix.T.to(jacobian), jacobian, out=rows[:m])
        if decay:
            rows[count].add_(theta, alpha=decay)  # in the ways it cancels
            rows[m] = theta
        return cls(rows if free is None else rows * free, count)

    @property
    def ways(self) -> slice:
        """The rows ``B^T J``, whose solutions are the tangent."""
        return slice(self.count)

    @property
    def gradient(self) -> int:
        """The row of the gradient that is left, ``J^T weights + decay theta``; its solution leads back to the front."""
        return self.count

    @property
    def theta(self) -> slice:
        """The row of theta itself, whose solution is what a change of the weight decay does; empty without any."""
        return slice(self.count + 1, None)

    def ways_of(self, solutions: Tensor) -> Tensor:
        """V as rows, [m-1, n]."""
        return solutions[self.ways]

    def each(self, *, ways: float, gradient: float, theta: float) -> list[float]:
        """One number for each row, by what the row is."""
        return [ways] * self.count + [gradient] + [theta] * (len(self.rows) - self.count - 1)
