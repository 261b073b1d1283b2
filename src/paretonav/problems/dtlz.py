"""The scalable problems DTLZ1 to DTLZ7."""

from __future__ import annotations

import math
from functools import cache

import torch
from torch import Tensor

from paretonav.errors import ProblemError
from paretonav.problems import known

# Of the distance variables: their number, their optimum, and where they start; else (10, 0.5, 0.55, 0.7).
_DEPTH = {1: (5, 0.5, 0.51, 0.52), 3: (10, 0.5, 0.51, 0.52), 6: (10, 0, 0.05, 0.15), 7: (20, 0, 0.05, 0.15)}
_BIAS = 100  # DTLZ4's exponent of the position variables


def dtlz(k: int, m: int = 3, n: int | None = None, *, x0: Tensor | None = None, seed: int = 0) -> DTLZ:
    """Make one of DTLZ1 to DTLZ7 with m objectives on [0, 1]^n; see ``DTLZ``.

    Example:
        >>> from paretonav.problems.dtlz import dtlz
        >>> round(dtlz(2, m=4).front_distance([0.0, 0.6, 0.8, 0.0]), 12)
        0.0

    """
    return DTLZ(k, m, n, x0=x0, seed=seed)


class DTLZ(known.KnownFrontProblem):
    """Minimise the m objectives of DTLZ1, ..., DTLZ7 over [0, 1]^n.

    The first m - 1 variables p say where along the front, the others z how far from it: g(z) >= 0 is 0 on it.
    With u(a) = (cos a_1 ... cos a_{m-1}, cos a_1 ... sin a_{m-1}, ..., sin a_1) and y = z - 1/2:

    1. f = (1 + g)/2 (p_1 ... p_{m-1}, p_1 ... (1 - p_{m-1}), ..., 1 - p_1), g = 100 sum(1 + y^2 - cos(20 pi
       y)), which has local minima about every 0.1. Front: sum(f) = 1/2.
    2. f = (1 + g) u(pi/2 p), g = sum y^2. Front: ``|f|`` = 1.
    3. f as 2, g as 1.
    4. f = (1 + g) u(pi/2 p^100), g as 2.
    5. f = (1 + g) u(a), a_1 = pi/2 p_1, later a_i = pi/4 (1 + 2 g p_i) / (1 + g), g as 2. If m <= 3 the front
       is the curve where later a_i = pi/4. For m > 3 points of g > 0 are optimal, too (Huband et al., IEEE
       Trans. Evol. Comp. 10, 2006, 477-506); ``front`` and ``front_distance`` refuse.
    6. f as 5, g = sum z^0.1, whose slope at its optimum z = 0 is infinite.
    7. f = (p, (2 + g) m - sum p (1 + sin(3 pi p))), g = 9 mean(z). The front has 2^(m-1) pieces.

    Source: Deb, Thiele, Laumanns, Zitzler, "Scalable test problems for evolutionary multiobjective
    optimization", 2005 (where g of DTLZ7 is 1 + 9 mean(z)).

    Args:
        k: 1 to 7.
        m: the number of objectives, at least 2.
        n: the number of variables, at least m; m + 4 in DTLZ1, m + 19 in DTLZ7, m + 9 otherwise by default.
        x0: [n], where to start; by default random: p not at the front's rim, z in the basin of its optimum.
        seed: of the default x0.

    Raises:
        ProblemError: there is no such problem, or x0 does not fit.

    """

    def __init__(
        self, k: int, m: int = 3, n: int | None = None, *, x0: Tensor | None = None, seed: int = 0
    ) -> None:
        self.k = known.check_integer("k", k, 1, 7, why="the problems are DTLZ1 to DTLZ7")
        self._position = known.check_integer("m", m, 2, why="a trade-off needs two objectives") - 1
        number, self._optimum, *start = _DEPTH.get(k, (10, 0.5, 0.55, 0.7))
        n = m - 1 + number if n is None else n
        known.check_integer("n", n, m, why=f"{m - 1} variables span the front and one or more lead to it")
        generator = torch.Generator().manual_seed(seed)
        p = self._along_front(known.uniform(generator, m - 1, *((0.7, 0.9) if k == 7 else (0.35, 0.65))))
        default = torch.cat([p, known.uniform(generator, n - m + 1, *start)])
        super().__init__(self._values, known.start_point(x0, default), bounds=(0.0, 1.0))

    def front(self, count: int, seed: int = 0) -> Tensor:
        """Return ``count`` random outcomes [count, m] on the true front."""
        self._require_known_front()
        count = known.check_integer("count", count, 1, why="the front is sampled at points")
        generator = torch.Generator().manual_seed(seed)
        p = self._along_front(known.uniform(generator, count * (self.m - 1), 0, 1).reshape(count, -1))
        z = torch.full_like(self._x[self.m - 1 :], self._optimum)
        return torch.stack([self._values(torch.cat([row, z])) for row in p])

    def front_distance(self, f: Tensor) -> float:
        """Return how far the outcome ``f`` [m] of some x is from the front (>= 0).

        DTLZ1: ``|sum(f) - 1/2|``. DTLZ2-4: ``||f| - 1|``. DTLZ5, 6: Euclidean distance to the curve.
        DTLZ7: along f_m, from the least f_m that is possible without raising the others.
        """
        self._require_known_front()
        f = self._outcome(f)
        if self.k == 1:
            return abs(float(f.sum()) - 0.5)
        if self.k == 7:
            # The others enter f_m one by one, so the best for each is its highest crest not to its right.
            gains = _dtlz7_gain(torch.minimum(f[:-1, None].clamp(0, 1), _dtlz7_pieces()[:, 1])).amax(1)
            return abs(float(f[-1] - (2 * self.m - gains.sum())))
        if self.k in (5, 6) and self.m == 3:
            # The curve is a quarter circle in the plane f1 = f2, on which f projects to (in_plane, f3).
            in_plane, across = (f[0] + f[1]) / math.sqrt(2), (f[0] - f[1]) / math.sqrt(2)
            return math.hypot(math.hypot(in_plane, f[2]) - 1, across)
        return abs(float(f.norm()) - 1)

    def _require_known_front(self) -> None:
        if self.k in (5, 6) and self.m > 3:
            raise ProblemError(f"m = {self.m}: DTLZ{self.k}'s front is unknown; use m <= 3 or another k")

    def _values(self, x: Tensor) -> Tensor:
        p, z = x[: self._position], x[self._position :]
        g = self._g(z)
        if self.k == 7:
            return torch.cat([p, ((2 + g) * (self._position + 1) - _dtlz7_gain(p).sum())[None]])
        if self.k == 1:
            return _unfold((1 + g) / 2, p, 1 - p)
        angles = math.pi / 2 * (p**_BIAS if self.k == 4 else p)
        if self.k in (5, 6):
            angles = torch.cat([angles[:1], math.pi / 4 * (1 + 2 * g * p[1:]) / (1 + g)])
        return _unfold(1 + g, angles.cos(), angles.sin())

    def _g(self, z: Tensor) -> Tensor:
        if self.k in (1, 3):
            y = z - 0.5
            return 100 * (1 + y**2 - torch.cos(20 * math.pi * y)).sum()
        if self.k == 6:
            return (z**0.1).sum()
        return 9 * z.mean() if self.k == 7 else ((z - 0.5) ** 2).sum()

    def _along_front(self, share: Tensor) -> Tensor:
        """Return position variables whose outcomes are spread along the front as ``share`` is in [0, 1]."""
        if self.k == 4:
            return share ** (1 / _BIAS)  # as in DTLZ2; uniform p would all but give one corner, without slope
        return known.along(_dtlz7_pieces(), share) if self.k == 7 else share


def _unfold(radius: Tensor, stay: Tensor, leave: Tensor) -> Tensor:
    """Return (r s_1 ... s_{m-1}, r s_1 ... s_{m-2} l_{m-1}, ..., r s_1 l_2, r l_1)."""
    rests = torch.cat([radius[None], radius * stay.cumprod(0)])
    return torch.cat([rests[-1:], (rests[:-1] * leave).flip(0)])


def _dtlz7_gain(y: Tensor) -> Tensor:
    return y * (1 + torch.sin(3 * math.pi * y))


@cache
def _dtlz7_pieces() -> Tensor:
    """Return [2, 2], where the gain is more than everywhere to the left."""
    return known.record_pieces(lambda y: -_dtlz7_gain(y), [(0.1, 0.4), (0.6, 0.95)])
