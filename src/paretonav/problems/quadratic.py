"""Random convex quadratics, whose front is known exactly for any number of objectives."""

from __future__ import annotations

import math
from contextlib import suppress

import daqp
import numpy as np
import torch
from torch import Tensor

from paretonav.errors import ParetonavError, ProblemError
from paretonav.objectives import Bounds
from paretonav.problems.known import KnownFrontProblem, check_integer, start_point

Box = tuple[Tensor | float, Tensor | float] | None


def quadratic(
    n: int, m: int, *, seed: int = 0, condition: float = 10.0, bounds: Box = None, x0: Tensor | None = None
) -> Quadratic:
    """Make m random convex quadratics of n variables; see ``Quadratic``.

    Example:
        >>> from paretonav.problems.quadratic import quadratic
        >>> problem = quadratic(n=5, m=3)
        >>> best = problem.pareto_point([0.2, 0.3, 0.5])
        >>> abs(problem.front_distance(problem.evaluate(best).mean)) < 1e-12
        True

    """
    return Quadratic(n, m, seed, condition, bounds, x0)


class Quadratic(KnownFrontProblem):
    """Minimise f_i(x) = 1/2 (x - c_i)^T Q_i (x - c_i), i = 1, ..., m, perhaps inside a box.

    Each Q_i has eigenvalues spread log-uniformly from 1 to ``condition`` (1 if n = 1) and uniformly random
    orthonormal eigenvectors. The centres c_i are normal, scaled so that E f_i(c_j) = 1. As all f_i are
    strictly convex, x is Pareto optimal exactly if it minimises a weighted sum of weights >= 0 (K. Miettinen,
    "Nonlinear multiobjective optimization", 1999, part II, section 3.1). Without bounds, for m - 1 <= n, the
    front is a smooth surface of dimension m - 1; bounds that become active crease it.

    Args:
        n: the number of variables, at least 1.
        m: the number of objectives, at least 2.
        seed: of the random matrices and centres.
        condition: of every Q_i, at least 1.
        bounds: (lower, upper), each a number or an [n] tensor; None for no bounds.
        x0: [n], where to start; by default the mean of the centres, moved inside the bounds.

    Attributes:
        Q: [m, n, n].
        centres: [m, n].

    Raises:
        ProblemError: an argument is out of range, or bounds or x0 do not fit.

    """

    def __init__(
        self,
        n: int,
        m: int,
        seed: int = 0,
        condition: float = 10.0,
        bounds: Box = None,
        x0: Tensor | None = None,
    ) -> None:
        check_integer("n", n, 1, why="there must be a variable")
        check_integer("m", m, 2, why="a trade-off needs two objectives")
        if not 1 <= condition < math.inf:
            raise ProblemError(f"condition = {condition} is not possible; give a finite number of at least 1")
        generator = torch.Generator().manual_seed(seed)
        self.Q = _random_matrices(n, m, condition, generator)
        self.centres = torch.randn(m, n, generator=generator, dtype=torch.float64) / self.Q[0].trace().sqrt()
        middle = self.centres.mean(0)
        if bounds is not None:
            with suppress(RuntimeError, TypeError):  # a misfit is reported below, as for every function
                middle = middle.clamp(*(torch.as_tensor(end, dtype=torch.float64) for end in bounds))
        super().__init__(self._values, start_point(x0, middle), bounds=bounds)

    def pareto_point(self, weights: Tensor) -> Tensor:
        """Return the x [n] that minimises weights . f(x) inside the bounds; weights [m] >= 0, not all 0."""
        w = self._outcome(weights, "weights")
        if bool((w < 0).any()) or not bool((w > 0).any()):
            raise ProblemError(f"weights = {w.tolist()}, but none may be negative and one must be positive")
        w = w / w.sum()
        hessian = torch.einsum("i,ijk->jk", w, self.Q)
        pull = torch.einsum("i,ijk,ik->j", w, self.Q, self.centres)
        return _minimiser(hessian, pull, self.bounds)

    def front_distance(self, f: Tensor) -> float:
        """Return the s for which f - s (1, ..., 1) is on the front; s > 0 means that f is dominated.

        The outcomes and all that they dominate are a convex set, so s is the least of w . (f - f(x(w))) over
        the simplex of weights w, x(w) being the weighted sum's minimiser: a smooth convex problem.
        """
        f = self._outcome(f)
        scale = max(1.0, float(f.max() - f.min()))

        def excess(w: np.ndarray) -> tuple[float, np.ndarray]:
            weights = torch.from_numpy(w).clamp(min=0)
            difference = (f - self._values(self.pareto_point(weights))) / scale
            return float(weights @ difference / weights.sum()), difference.numpy()

        from scipy.optimize import minimize  # a tenth of a second to load

        simplex = {"type": "eq", "fun": lambda w: w.sum() - 1, "jac": np.ones_like}
        start, box, fine = np.full(self.m, 1 / self.m), [(0, 1)] * self.m, {"ftol": 1e-16, "maxiter": 1000}
        w = minimize(excess, start, jac=True, method="SLSQP", bounds=box, constraints=simplex, options=fine).x
        s, difference = excess(w)
        # By weak duality s is between these two. Their gap is of first order in the error of w, that of s of
        # second: 1e-6 is far more than rounding and line searches leave, and s is still right to 1e-10.
        if s - float(difference.min()) > 1e-6 * max(1.0, abs(s)):
            raise ParetonavError(f"the front's distance from f = {f.tolist()} was not found; scale f down")
        return s * scale

    def _values(self, x: Tensor) -> Tensor:
        # One matrix at a time, by a product of matrices: several backward passes at once through a batch of products
        # with vectors take twenty times as long.
        offsets = (x - self.centres)[:, None].unbind()
        return torch.stack(
            [0.5 * (offset * (offset @ Q)).sum() for Q, offset in zip(self.Q, offsets, strict=True)]
        )


def _minimiser(hessian: Tensor, pull: Tensor, bounds: Bounds | None) -> Tensor:
    """Return the x inside the bounds with the least 1/2 x . hessian x - pull . x."""
    x: Tensor = torch.linalg.solve(hessian, pull)
    if bounds is None:
        return x
    ends = [end.clamp(-1e30, 1e30).numpy() for end in (bounds.upper, bounds.lower)]
    solution, _, flag, info = daqp.solve(hessian.numpy(), -pull.numpy(), np.zeros((0, len(pull))), *ends)
    if flag != 1:
        raise ParetonavError(f"no minimiser inside the bounds was found (daqp: {flag}); scale the problem")
    # The solver says which bounds are active; given those, the rest is solved for to full accuracy.
    sign = torch.from_numpy(info["lam"]).sign()
    free = sign == 0
    x = torch.where(sign > 0, bounds.upper, torch.where(free, torch.from_numpy(solution), bounds.lower))
    x[free] = torch.linalg.solve(hessian[free][:, free], pull[free] - hessian[free][:, ~free] @ x[~free])
    return bounds.clamp(x)


def _random_matrices(n: int, m: int, condition: float, generator: torch.Generator) -> Tensor:
    eigenvalues = torch.logspace(0, math.log10(condition), n, dtype=torch.float64)
    vectors, triangle = torch.linalg.qr(torch.randn(m, n, n, generator=generator, dtype=torch.float64))
    # QR leaves the signs to the library; with the triangle's diagonal positive, the directions are uniform.
    vectors = vectors * triangle.diagonal(dim1=1, dim2=2).sign()[:, None, :]
    Q: Tensor = vectors * eigenvalues @ vectors.mT
    return (Q + Q.mT) / 2
