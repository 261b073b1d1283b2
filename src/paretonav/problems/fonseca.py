"""The two-objective problem of Fonseca and Fleming."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from paretonav.errors import ProblemError
from paretonav.problems.known import KnownFrontProblem, check_integer, start_point, uniform


def fonseca_fleming(n: int = 3, *, x0: Tensor | None = None, seed: int = 0) -> FonsecaFleming:
    """Make the problem of Fonseca and Fleming on [-4, 4]^n; see ``FonsecaFleming``.

    Example:
        >>> from paretonav.problems.fonseca import fonseca_fleming
        >>> problem = fonseca_fleming(4)
        >>> problem.pareto_point(-0.5).tolist()
        [-0.5, -0.5, -0.5, -0.5]

    """
    return FonsecaFleming(n, x0=x0, seed=seed)


class FonsecaFleming(KnownFrontProblem):
    """Minimise f1 = 1 - exp(-|x - c|^2) and f2 = 1 - exp(-|x + c|^2) over [-4, 4]^n.

    Here c = (1, ..., 1) / sqrt(n). The Pareto set is the segment from -c to c, where |x - c| + |x + c| = 2;
    the front f2 = 1 - exp(-(2 - sqrt(-log(1 - f1)))^2) is concave but for its ends. The gradients vanish far
    from the segment.

    Source: C. M. Fonseca, P. J. Fleming, "Multiobjective genetic algorithms made easy: selection, sharing and
    mating restriction", GALESIA 1995, 45-52.

    Args:
        n: the number of variables, at least 1.
        x0: [n], where to start; by default a random point of [-1, 1]^n / sqrt(n). With n >= 2 it is off the
            front; with n = 1 every point of [-1, 1] is on it.
        seed: of the default x0.

    Raises:
        ProblemError: n is not positive, or x0 does not fit.

    """

    def __init__(self, n: int = 3, *, x0: Tensor | None = None, seed: int = 0) -> None:
        n = check_integer("n", n, 1, why="there must be a variable")
        self._c = 1 / math.sqrt(n)
        default = uniform(torch.Generator().manual_seed(seed), n, -self._c, self._c)
        super().__init__(self._values, start_point(x0, default), bounds=(-4.0, 4.0))

    def pareto_point(self, t: float) -> Tensor:
        """Return the optimum (t, ..., t) [n], for t from -1 / sqrt(n) (best f2) to 1 / sqrt(n) (best f1)."""
        if not abs(t) <= self._c:
            raise ProblemError(
                f"t = {t} is not on the Pareto set; choose it from -1 / sqrt(n) = {-self._c:g} to {self._c:g}"
            )
        return torch.full_like(self._x, t)

    def front_distance(self, f: Tensor) -> float:
        """Return how far above the least f2 that is possible without a larger f1 ``f`` [2] is (>= 0)."""
        f = self._outcome(f)
        radius = (-torch.log1p(-f[0].clamp(0, 1))).sqrt()  # |x - c|
        best = -torch.expm1(-((2 - radius).clamp(min=0) ** 2))
        return abs(float(f[1] - best))

    def _values(self, x: Tensor) -> Tensor:
        squares = torch.stack([(x - self._c).square().sum(), (x + self._c).square().sum()])
        return -torch.expm1(-squares)
