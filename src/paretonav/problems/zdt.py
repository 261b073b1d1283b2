"""The two-objective problems ZDT1, ZDT2 and ZDT3."""

from __future__ import annotations

import math
from functools import cache

import torch
from torch import Tensor

from paretonav.problems.known import (
    KnownFrontProblem,
    along,
    check_integer,
    record_pieces,
    start_point,
    uniform,
)


def zdt(k: int, n: int = 30, *, x0: Tensor | None = None, seed: int = 0) -> ZDT:
    """Make ZDT1, ZDT2 or ZDT3 on [0, 1]^n; see ``ZDT``.

    Example:
        >>> from paretonav.problems.zdt import zdt
        >>> problem = zdt(2, n=5)
        >>> problem.front(3).tolist()
        [[0.0, 1.0], [0.5, 0.75], [1.0, 0.0]]

    """
    return ZDT(k, n, x0=x0, seed=seed)


class ZDT(KnownFrontProblem):
    """Minimise f1 = x_1 and f2 = g h over [0, 1]^n, where g = 1 + 9 / (n - 1) (x_2 + ... + x_n).

    =====  =========================================  ==========================================
    k      h                                          front
    =====  =========================================  ==========================================
    1      1 - sqrt(f1 / g)                           convex: f2 = 1 - sqrt(f1)
    2      1 - (f1 / g)^2                             concave: f2 = 1 - f1^2
    3      1 - sqrt(f1 / g) - f1 / g sin(10 pi f1)    five pieces of 1 - sqrt(f1) - f1 sin(10 pi f1)
    =====  =========================================  ==========================================

    The front is where x_2 = ... = x_n = 0, that is, at active bounds. In ZDT1 and ZDT3 the derivative of f2
    by x_1 goes to -inf at x_1 = 0; there -5e99 sqrt(g) is given for it. All other derivatives are exact.

    Source: E. Zitzler, K. Deb, L. Thiele, "Comparison of multiobjective evolutionary algorithms: empirical
    results", Evolutionary Computation 8 (2000) 173-195.

    Args:
        k: 1, 2 or 3.
        n: the number of variables, at least 2.
        x0: [n], where to start; by default a random interior point off the front, g about 1.8. For ZDT3 its
            x_1 is inside the third piece of the front.
        seed: of the default x0.

    Raises:
        ProblemError: there is no such problem, or x0 does not fit.

    """

    def __init__(self, k: int, n: int = 30, *, x0: Tensor | None = None, seed: int = 0) -> None:
        self.k = check_integer("k", k, 1, 3, why="only ZDT1, ZDT2 and ZDT3 are here")
        n = check_integer("n", n, 2, why="ZDT needs x_1 and at least one distance variable")
        super().__init__(self._values, start_point(x0, self._default_start(n, seed)), bounds=(0.0, 1.0))

    def front(self, count: int) -> Tensor:
        """Return ``count`` outcomes [count, 2] on the true front, equally spaced in f1 over its pieces."""
        count = check_integer("count", count, 1, why="the front is sampled at points")
        t = torch.linspace(0, 1, count, dtype=torch.float64)
        f1 = along(_zdt3_pieces(), t) if self.k == 3 else t
        return torch.stack([f1, _f2(self.k, f1, torch.ones_like(f1))], 1)

    def front_distance(self, f: Tensor) -> float:
        """Return how far above the least f2 that is possible without a larger f1 ``f`` [2] is (>= 0).

        It is positive for outcomes of g = 1 on the dominated arcs of ZDT3, too. An f1 outside [0, 1], which
        no x has, is treated as the nearest one inside.
        """
        f = self._outcome(f)
        f1 = f[:1].clamp(0, 1)
        if self.k == 3:
            f1 = torch.minimum(f1, _zdt3_pieces()[:, 1])  # f1 itself or a deeper valley to its left
        return abs(float(f[1] - _f2(self.k, f1, torch.ones_like(f1)).min()))

    def _values(self, x: Tensor) -> Tensor:
        return torch.stack([x[0], _f2(self.k, x[0], 1 + 9 * x[1:].mean())])

    def _default_start(self, n: int, seed: int) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        # Near the front, and for ZDT2 far from x_1 = 0: a descent lowers f_1 = x_1 all the way, and where that ends at
        # its bound the point is only weakly optimal.
        first = uniform(generator, 1, *{1: (0.3, 0.7), 2: (0.7, 0.9), 3: (0.42, 0.45)}[self.k])
        return torch.cat([first, uniform(generator, n - 1, 0.06, 0.12)])


def _f2(k: int, f1: Tensor, g: Tensor) -> Tensor:
    if k == 2:
        return g - f1**2 / g
    # At f1 = 0 autograd would multiply an infinite slope by zeros and return nan, even for f1's own gradient.
    # From f1 = 1e-183 on, adding 1e-200 changes nothing; at 0 it changes the root by 1e-100.
    f2 = g - (f1 + 1e-200).sqrt() * g.sqrt()
    return f2 - f1 * torch.sin(10 * math.pi * f1) if k == 3 else f2


@cache
def _zdt3_pieces() -> Tensor:
    """Return [5, 2], the intervals of f1 over which f2 on g = 1 is less than everywhere to the left."""
    # The crests are at about 0.155, 0.355, ..., the valleys at about 0.08, 0.25, 0.45, ...
    brackets = [(0.05, 0.1), *((0.2 * i - 0.04, 0.2 * i + 0.1) for i in range(1, 5))]
    return record_pieces(lambda f1: _f2(3, f1, torch.ones_like(f1)), brackets)
