"""MINRES for several right-hand sides at once: the linear solves behind every tangent of the front.

See docs/method.md#tangent.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import torch
from torch import Tensor

_BLOCK = 2**20  # entries that are converted to float64 at a time


class Status(StrEnum):
    """Why the iteration of one right-hand side ended."""

    CONVERGED = "converged"
    LEAST_SQUARES = "least squares"
    ITERATION_LIMIT = "iteration limit"
    NON_FINITE = "non-finite"


@dataclass(frozen=True)
class Solution:
    """What ``minres`` found, row by row.

    Attributes:
        x: [k, n], the last iterate of every row.
        status: why each row ended. LEAST_SQUARES: the system is inconsistent to rounding, and x minimises the
            residual. NON_FINITE: b or a product was not finite, x is the iterate before; or x overflowed.
        negative_curvature: whether a residual r with r^T A r <= 0 was met (except that of a least-squares
            solution); equivalently, whether A is not positive definite on the Krylov space explored.
        residuals: [iterations + 1, k], float64 on the CPU: ||r|| / ||b|| as the recurrence estimates it after
            0, 1, ... iterations; a row that has ended repeats its last value.
        iterations: how often each row's x was updated.
        products: how many rows the operator was applied to in all.

    """

    x: Tensor
    status: tuple[Status, ...]
    negative_curvature: tuple[bool, ...]
    residuals: Tensor
    iterations: tuple[int, ...]
    products: int

    @property
    def converged(self) -> bool:
        """Whether every row reached the tolerance."""
        return all(status is Status.CONVERGED for status in self.status)


def minres(
    operator: Callable[[Tensor], Tensor],
    rhs: Tensor,
    *,
    tolerance: float | Sequence[float] = 1e-6,
    max_iterations: int | None = None,
    x0: Tensor | None = None,
    at: Callable[[float], None] = lambda _: None,
) -> Solution:
    """Solve A x_i = b_i for symmetric, possibly indefinite or singular A and k right-hand sides.

    Row i's iterate minimises ||b_i - A x|| over x0_i + span{r, A r, A^2 r, ...} with r = b_i - A x0_i: k
    independent recurrences that share the operator calls, from which a row that has ended is left out. The
    curvature comes for free: r_{k-1}^T A r_{k-1} = -c_{k-1} gamma_k^(1) ||r_{k-1}||^2 before update k.

    Memory: x, two Lanczos vectors in ``rhs.dtype`` and two search directions in float64, all [k, n], besides
    what the operator needs. Scalars are Python floats; the device is waited for once an iteration.
    Accuracy: nothing is re-orthogonalised, and ``residuals`` are the recurrence's. The true residual follows
    them down to a floor, relative to ||b||, of about eps ||A|| ||x|| / ||b|| <= eps cond(A) in float32; with
    float32 directions it would be eps cond(A)^2, as it is in float64 (1e-8 at a condition number of 1e6).

    Args:
        operator: maps [j, n] to [j, n], j <= k, multiplying every row by A; it must not change its argument.
        rhs: [k, n], float32 or float64.
        tolerance: of a row's residual relative to its right-hand side, one for all or one each; in float32 not
            below 1e-6.
        max_iterations: by default min(5 n, 200); n suffice in exact arithmetic only.
        x0: [k, n], where to start, at one more product per row; zero by default, and always where b_i is.
        at: told after each iteration how far the solve is, between 0 and 1.

    Returns:
        The solutions; a row that does not converge says why in its ``status``.

    Raises:
        ValueError: ``rhs``, ``x0`` or a product has the wrong shape, or ``rhs`` the wrong type.

    Source:
        Paige, Saunders, "Solution of sparse indefinite systems of linear equations", SINUM 12, 1975. Liu,
        Roosta, "MINRES: from negative curvature detection to monotonicity properties", SIOPT 32, 2022.
        Accuracy: Sleijpen, van der Vorst, Modersitzki, "Differences in the effects of rounding errors in
        Krylov solvers for symmetric indefinite linear systems", SIMAX 22, 2000.

    Example:
        >>> import torch
        >>> A = torch.tensor([[2.0, 1.0], [1.0, 3.0]])
        >>> solution = minres(lambda v: v @ A, torch.tensor([[3.0, 4.0], [1.0, -2.0]]))
        >>> solution.x.round(decimals=4).tolist(), solution.converged
        ([[1.0, 1.0], [1.0, -1.0]], True)

    """
    rhs, start, tolerances = _checked(rhs, x0, tolerance)
    limit = min(5 * rhs.shape[1], 200) if max_iterations is None else max_iterations
    negligible = 4 * torch.finfo(rhs.dtype).eps
    rows = [_Row(index, norm, tolerances[index], negligible) for index, norm in enumerate(_norms(rhs))]
    x = start.clone(memory_format=torch.contiguous_format)
    x[[row.index for row in rows if row.rhs_norm == 0]] = 0

    under_way = [row for row in rows if row.rhs_norm != 0]
    places = [row.index for row in under_way]
    residuals, products = rhs[places], 0
    norms = [row.rhs_norm for row in under_way]
    if x0 is not None and under_way:
        residuals -= _apply(operator, x[places])
        norms, products = _norms(residuals), len(under_way)
    # Without x0 the first residual is the right-hand side, to the last bit: a tolerance of 1 asks for no product.
    for row, norm in zip(under_way, norms, strict=True):
        row.start(norm)

    batch = _Batch(under_way, residuals)
    for iteration in range(limit):
        if not batch.rows:
            break
        at(max(iteration / limit, min(row.progress for row in batch.rows)))
        products += len(batch.rows)
        for row, length, direction in batch.iterate(operator):
            if row.iterations == 0:  # its only step is undone, or was none
                x[row.index] = start[row.index]
            elif length != 0:
                x[row.index].add_(direction, alpha=length)
        batch.go_on()
    return _solution(x, rows, products)


def _checked(
    rhs: Tensor, x0: Tensor | None, tolerance: float | Sequence[float]
) -> tuple[Tensor, Tensor, list[float]]:
    """The right-hand sides without a graph, where to start, and a tolerance for each row."""
    if rhs.ndim != 2 or rhs.dtype not in (torch.float32, torch.float64):
        raise ValueError(f"rhs is {rhs.dtype} {list(rhs.shape)}; give float32 or float64 of shape [k, n]")
    if x0 is not None and x0.shape != rhs.shape:
        raise ValueError(f"x0 has shape {list(x0.shape)}, but rhs has {list(rhs.shape)}; make them the same")
    tolerances = [tolerance] * len(rhs) if isinstance(tolerance, int | float) else list(tolerance)
    if len(tolerances) != len(rhs):
        raise ValueError(
            f"{len(tolerances)} tolerances for {len(rhs)} right-hand sides; give one, or one each"
        )
    rhs = rhs.detach()
    start = torch.zeros_like(rhs[:, :1]).expand_as(rhs) if x0 is None else x0.detach().to(rhs)
    return rhs, start, tolerances


def _solution(x: Tensor, rows: Sequence[_Row], products: int) -> Solution:
    for row, finite in zip(rows, x.isfinite().all(dim=1).tolist(), strict=True):
        row.status = row.status if finite else Status.NON_FINITE  # x can overflow where no product does
    longest = max((row.iterations for row in rows), default=0)
    padded = [row.history + row.history[-1:] * (longest - row.iterations) for row in rows]
    return Solution(
        x=x,
        status=tuple(row.status or Status.ITERATION_LIMIT for row in rows),
        negative_curvature=tuple(row.negative for row in rows),
        residuals=torch.tensor(padded, dtype=torch.float64).reshape(len(rows), longest + 1).T,
        iterations=tuple(row.iterations for row in rows),
        products=products,
    )


class _Batch:
    """The vectors of the rows that are still under way, so that these share the operator's calls.

    Each vector is a tensor [j, n] with one line per row. Memory is reused: the next Lanczos vector is written over
    the one before the latest, and so is the next search direction.

    Attributes:
        rows: the scalars of the j rows.
        v: the latest Lanczos vectors v_k, of length one.
        v_before: v_{k-1}; zero at first.
        beta: [j, 1], how long v_k was before it was normalised; zero at first, where no v_{k-1} is to be subtracted.
        w: the latest search directions w_{k-1}, float64; zero at first.
        w_before: w_{k-2}.
    """

    def __init__(self, rows: list[_Row], residuals: Tensor) -> None:
        self.rows, (self.v,) = _drop_ended(rows, residuals)
        self.v /= self._lengths()
        self.v_before, self.beta = torch.zeros_like(self.v), torch.zeros_like(self.v[:, :1])
        self.w, self.w_before = (torch.zeros_like(self.v, dtype=torch.float64) for _ in range(2))

    def iterate(self, operator: Callable[[Tensor], Tensor]) -> Iterator[tuple[_Row, float, Tensor]]:
        """Iteration k of every row: by how much its x moves along which direction [n].

        Lanczos: ``beta_{k+1} v_{k+1} = A v_k - alpha_k v_k - beta_k v_{k-1}``.
        Directions: ``gamma_k w_k = v_k - delta_k w_{k-1} - epsilon_k w_{k-2}``.
        """
        # Never write to the product: it may be v, or the operator's.
        following = self.v_before.mul_(-self.beta).add_(_apply(operator, self.v))
        alpha = _dot(self.v, following)
        following.addcmul_(self.v, alpha[:, None].to(following), value=-1)
        alphas, squares = torch.stack([alpha, _dot(following, following)]).tolist()
        steps = [
            row.advance(a, math.sqrt(square))
            for row, a, square in zip(self.rows, alphas, squares, strict=True)
        ]
        epsilon, delta, gamma, _ = _columns(self.w, zip(*steps, strict=True))
        w = self.w_before.mul_(-epsilon).addcmul_(self.w, delta, value=-1).add_(self.v).div_(gamma)
        self.v, self.v_before = following, self.v
        self.w, self.w_before = w, self.w
        return ((row, step.phi, w[j]) for j, (row, step) in enumerate(zip(self.rows, steps, strict=True)))

    def go_on(self) -> None:
        """Drop the rows that have ended, and normalise the new Lanczos vectors of the others."""
        self.rows, vectors = _drop_ended(self.rows, self.v, self.v_before, self.w, self.w_before)
        self.v, self.v_before, self.w, self.w_before = vectors
        self.beta = self._lengths()
        self.v.div_(self.beta)

    def _lengths(self) -> Tensor:
        return _columns(self.v, [[row.beta for row in self.rows]])[0]


class _Step(NamedTuple):
    """What a row's scalars say of iteration k.

    Attributes:
        epsilon: how much of w_{k-2} the direction leaves out.
        delta: how much of w_{k-1} it leaves out.
        gamma: what it is divided by after that.
        phi: how far x moves along it.
    """

    epsilon: float
    delta: float
    gamma: float
    phi: float


_NO_STEP = _Step(0.0, 0.0, 1.0, 0.0)


class _Row:
    """The scalars of one right-hand side's recurrence, named as in the SOL code; see ``advance``."""

    def __init__(self, index: int, rhs_norm: float, tolerance: float, negligible: float) -> None:
        self.index, self.rhs_norm, self.target = index, rhs_norm, tolerance * rhs_norm
        self.negligible = negligible
        self.status: Status | None = None if rhs_norm else Status.CONVERGED
        self.negative, self.history = False, [0.0]
        self.cs, self.sn, self.dbar, self.epsilon, self.gamma = -1.0, 0.0, 0.0, 0.0, 0.0
        self.phibar, self.beta = 0.0, 0.0  # ||r||; what normalises the next Lanczos vector
        self.scale = 0.0  # the largest column of the tridiagonal matrix: a lower bound on ||A||

    @property
    def iterations(self) -> int:
        return len(self.history) - 1

    @property
    def progress(self) -> float:
        """How much of the way from the first residual to the tolerance is behind, on a logarithmic scale."""
        first, target = self.history[0], self.target / self.rhs_norm
        if not 0 < target < first:
            return 0.0
        return max(0.0, min(1.0, math.log(first / self.history[-1]) / math.log(first / target)))

    def start(self, residual_norm: float) -> None:
        self.phibar = self.beta = residual_norm
        self.history = [residual_norm / self.rhs_norm]
        if not math.isfinite(residual_norm):
            self.status = Status.NON_FINITE
        elif residual_norm <= self.target:
            self.status = Status.CONVERGED

    def advance(self, alpha: float, beta: float) -> _Step:
        """Take in column k of the tridiagonal matrix T, which is (beta_k, alpha_k, beta_{k+1}).

        On the Lanczos vectors A is T, and the least residual is found by turning T into an upper triangle, column by
        column. The reflection (cs, sn) that cleared the entry below the diagonal of the column before is applied to
        rows k-1 and k, then a new one (cs', sn') clears beta_{k+1}:

            [cs  sn]   [dbar   0         ]   [delta  epsilon']
            [sn -cs] . [alpha  beta_{k+1}] = [gbar   dbar'   ]

            [cs'  sn']   [gbar        phibar]   [gamma  phi    ]
            [sn' -cs'] . [beta_{k+1}  0     ] = [0      phibar']

        Column k of the triangle is (epsilon, delta, gamma), with epsilon from the iteration before; phi is entry k of
        the turned right-hand side, and phibar' what is left of it: the norm of the new residual.

        Args:
            alpha: alpha_k.
            beta: beta_{k+1}.

        Returns:
            what the vectors need; no step where the row has ended before it.
        """
        epsilon, delta = self.epsilon, self.cs * self.dbar + self.sn * alpha
        gbar = self.sn * self.dbar - self.cs * alpha
        self.dbar = -self.cs * beta
        self.scale = max(self.scale, math.hypot(alpha, beta, self.beta if self.iterations else 0.0))
        curvature = -self.cs * gbar  # r^T A r / r^T r
        slope = math.hypot(gbar, self.dbar)  # ||A r|| / ||r||
        if not math.isfinite(alpha + beta):
            self.status = Status.NON_FINITE
        elif self.iterations == 1 and self.gamma <= self.negligible * self.scale:
            # A r_0 was rounding errors, which shows only now that the scale of A is known. Undo that step.
            self.history.pop()
            self.negative, self.status = False, Status.LEAST_SQUARES
        elif abs(curvature) <= self.negligible * self.scale and slope <= self.negligible**0.5 * self.scale:
            # Where r is a null vector but for a share d, the curvature is of order d^2, the slope of order d.
            # Below d = sqrt(eps) the curvature is rounding errors, and going on makes x and r grow again.
            self.status = Status.LEAST_SQUARES
        elif curvature <= 0:
            self.negative = True
        if self.status is not None:
            return _NO_STEP
        self.gamma, self.epsilon, self.beta = math.hypot(gbar, beta), self.sn * beta, beta
        self.cs, self.sn = gbar / self.gamma, beta / self.gamma
        phi = self.cs * self.phibar
        self.phibar *= self.sn
        self.history.append(self.phibar / self.rhs_norm)
        if self.phibar <= self.target:
            self.status = Status.CONVERGED
        return _Step(epsilon, delta, self.gamma, phi)


def _apply(operator: Callable[[Tensor], Tensor], v: Tensor) -> Tensor:
    product = operator(v)
    if product.shape != v.shape:
        raise ValueError(f"the operator turned {list(v.shape)} into {list(product.shape)}; keep the shape")
    return product.detach()


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """Return the row-wise dot products [j] of [j, n], summed in float64 without a float64 copy of either."""
    total = torch.zeros(len(a), dtype=torch.float64, device=a.device)
    width = max(1, _BLOCK // max(1, len(a)))
    for i in range(0, a.shape[1], width):
        total += (a[:, i : i + width].to(total) * b[:, i : i + width].to(total)).sum(1)
    return total


def _norms(rows: Tensor) -> list[float]:
    """The lengths of [j, n], rounded correctly, which the vectorised roots of torch need not be."""
    return [math.sqrt(square) for square in _dot(rows, rows).tolist()]


def _columns(like: Tensor, scalars: Iterable[Iterable[float]]) -> tuple[Tensor, ...]:
    """Lists of j scalars as tensors [j, 1], by one transfer that does not wait for the device."""
    stacked = torch.tensor([list(s) for s in scalars], dtype=like.dtype).to(like.device, non_blocking=True)
    return stacked[..., None].unbind()


def _drop_ended(active: list[_Row], *vectors: Tensor) -> tuple[list[_Row], list[Tensor]]:
    """The rows that have not ended, and every [j, n] tensor without the others, in the same memory."""
    keep = [j for j, row in enumerate(active) if row.status is None]
    for vector in vectors if len(keep) < len(active) else ():
        vector[: len(keep)] = vector[keep]
    return [active[j] for j in keep], [vector[: len(keep)] for vector in vectors]
