"""MINRES for several right-hand sides at once: the linear solves behind every tangent of the front."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum

import torch
from torch import Tensor

_NEGLIGIBLE = 20.0  # ||A r|| is negligible below this many units of rounding of ||A|| ||r||
_BLOCK = 2**20  # entries that are converted to float64 at a time


class Status(StrEnum):
    """Why the iteration of one right-hand side ended."""

    CONVERGED = "converged"
    LEAST_SQUARES = "least squares"
    ITERATION_LIMIT = "iteration limit"
    NON_FINITE = "non-finite"
    NEGATIVE_CURVATURE = "negative curvature"


@dataclass(frozen=True)
class Solution:
    """What ``minres`` found, row by row.

    Attributes:
        x: [k, n], the last iterate of every row.
        status: why each row ended. LEAST_SQUARES: the system is singular and inconsistent (to rounding), and
            x minimises the residual. NON_FINITE: the right-hand side or a product was not finite; x is the last
            iterate before.
        negative_curvature: whether r^T A r <= 0 for a residual r that was met; equivalently, whether A is not
            positive definite on the Krylov space that was explored. Curvature that vanishes to rounding because
            A r does, as at the end of an inconsistent system, does not count.
        residuals: [iterations + 1, k], float64 on the CPU: ||r|| / ||b|| as the recurrence estimates it, after
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
    tolerance: float = 1e-6,
    max_iterations: int | None = None,
    x0: Tensor | None = None,
    stop_on_negative_curvature: bool = False,
) -> Solution:
    r"""Solve A x_i = b_i for symmetric, possibly indefinite or singular A and k right-hand sides.

    Row i's iterate minimises ||b_i - A x|| over x0_i + span{r, A r, A^2 r, ...} with r = b_i - A x0_i: k
    independent recurrences (Lanczos tridiagonalisation and its QR factorisation by plane rotations) that share
    the operator calls. A row that has ended is left out of them.

    Nonpositive curvature is detected for free before each update: with the rotation c_{k-1} and the diagonal
    gamma_k^(1) of the QR factorisation, r_{k-1}^T A r_{k-1} = -c_{k-1} gamma_k^(1) ||r_{k-1}||^2.

    Memory: besides ``rhs`` and what the operator needs, five [k, n] tensors: x, two Lanczos vectors and two
    search directions. Rows that end are squeezed out in place. Scalars are Python floats, and dot products are summed in float64; one device synchronisation an iteration.

    Accuracy: vectors are not re-orthogonalised. The estimated residual is that of the recurrence; the true one
    follows it down to a floor of about eps ||A|| ||x|| (eps of ``rhs.dtype``), i.e. at worst eps cond(A) relative
    to ||b||, where the estimate goes on falling. In float32 do not ask for less than 1e-6, and expect a true
    residual of some 1e-7 cond(A) where that is more.

    Args:
        operator: maps [j, n] to [j, n], j <= k, multiplying every row by A; it must not change its argument.
        rhs: [k, n], float32 or float64.
        tolerance: a row has converged when its residual is at most ``tolerance`` times the norm of its
            right-hand side (whatever ``x0``).
        max_iterations: at most so many updates; by default 5 n, but no more than 200. (n of them suffice in
            exact arithmetic only.)
        x0: [k, n], where to start; zero by default. Costs one more product per row. A row whose right-hand side
            is zero has the solution zero, whatever its ``x0``.
        stop_on_negative_curvature: end a row where it meets nonpositive curvature, with the iterate before that.

    Returns:
        The solutions; a row that does not converge says why in its ``status``.

    Raises:
        ValueError: ``rhs``, ``x0`` or a product has the wrong shape or type.

    Source:
        Paige and Saunders, "Solution of sparse indefinite systems of linear equations", SIAM J. Numer. Anal.
        12(4), 1975, and their SOL code; for the curvature Liu and Roosta, "MINRES: from negative curvature
        detection to monotonicity properties", SIAM J. Optim. 32(4), 2022.

    Example:
        >>> import torch
        >>> A = torch.tensor([[2.0, 1.0], [1.0, 3.0]], dtype=torch.float64)
        >>> solution = minres(lambda v: v @ A, torch.tensor([[3.0, 4.0], [1.0, -2.0]], dtype=torch.float64))
        >>> solution.x.round(decimals=9).tolist(), solution.converged
        ([[1.0, 1.0], [1.0, -1.0]], True)
    """
    if rhs.ndim != 2 or rhs.dtype not in (torch.float32, torch.float64):
        raise ValueError(
            f"rhs is {rhs.dtype} of shape {list(rhs.shape)}; give float32 or float64 of shape [k, n]"
        )
    if x0 is not None and x0.shape != rhs.shape:
        raise ValueError(
            f"x0 has shape {list(x0.shape)}, but rhs has {list(rhs.shape)}; they must be the same"
        )
    rhs = rhs.detach()
    limit = min(5 * rhs.shape[1], 200) if max_iterations is None else max_iterations
    negligible = _NEGLIGIBLE * torch.finfo(rhs.dtype).eps
    x = torch.zeros_like(rhs) if x0 is None else x0.detach().to(rhs, copy=True)

    rows = [_Row(i, norm, tolerance * norm) for i, norm in enumerate(_dot(rhs, rhs).sqrt().tolist())]
    active = [row for row in rows if row.rhs_norm != 0]
    x[[row.index for row in rows if row.rhs_norm == 0]] = 0
    v = rhs[[row.index for row in active]]
    products = 0
    if x0 is not None and active:
        v -= _apply(operator, x[[row.index for row in active]])
        products += len(active)
    for row, square in zip(active, _dot(v, v).tolist(), strict=True):
        row.start(math.sqrt(square))
    active, (v,) = _drop_ended(active, v)
    v /= _columns(v, [[row.beta for row in active]])[0]
    u, w, w_old = (torch.zeros_like(v) for _ in range(3))
    beta = torch.zeros_like(v[:, :1])

    for _ in range(limit):
        if not active:
            break
        # u is v_{k-1} here and becomes beta_{k+1} v_{k+1}. What the operator returned is never written to: it may
        # be the operator's own memory, or v itself.
        u.mul_(-beta).add_(_apply(operator, v))
        products += len(active)
        alpha = _dot(v, u)
        u.addcmul_(v, alpha[:, None].to(u.dtype), value=-1)
        scalars = torch.stack([alpha, _dot(u, u)]).tolist()
        steps = [
            row.advance(a, math.sqrt(square), negligible, stop_on_negative_curvature)
            for row, a, square in zip(active, *scalars, strict=True)
        ]
        # w_k = (v_k - epsilon_k w_{k-2} - delta_k w_{k-1}) / gamma_k in the memory of w_{k-2}.
        epsilon, delta, gamma, _ = _columns(v, zip(*steps, strict=True))
        w_old.mul_(-epsilon).addcmul_(w, delta, value=-1).add_(v).div_(gamma)
        w, w_old = w_old, w
        for j, (row, (*_, phi)) in enumerate(zip(active, steps, strict=True)):
            if row.iterations == 0:
                x[row.index] = 0 if x0 is None else x0[row.index]
            elif phi != 0:
                x[row.index].add_(w[j], alpha=phi)
        active, (u, v, w, w_old) = _drop_ended(active, u, v, w, w_old)
        (beta,) = _columns(u, [[row.beta for row in active]])
        u /= beta
        u, v = v, u

    steps_taken = max((row.iterations for row in rows), default=0)
    padded = [row.history + row.history[-1:] * (steps_taken - row.iterations) for row in rows]
    return Solution(
        x=x,
        status=tuple(row.status or Status.ITERATION_LIMIT for row in rows),
        negative_curvature=tuple(row.negative for row in rows),
        residuals=torch.tensor(padded, dtype=torch.float64).reshape(len(rows), steps_taken + 1).T,
        iterations=tuple(row.iterations for row in rows),
        products=products,
    )


@dataclass(slots=True)
class _Row:
    """The scalars of one right-hand side's recurrence, named as in the SOL code."""

    index: int
    rhs_norm: float
    target: float  # the residual norm at which this row has converged
    status: Status | None = None
    negative: bool = False
    history: list[float] = field(default_factory=lambda: [0.0])
    phibar: float = 0.0  # ||r||
    beta: float = 0.0  # what normalises the next Lanczos vector
    gamma: float = 0.0
    dbar: float = 0.0
    epsilon: float = 0.0
    cs: float = -1.0
    sn: float = 0.0
    scale: float = 0.0  # the largest column of the tridiagonal matrix: a lower bound on ||A||

    def __post_init__(self) -> None:
        if self.rhs_norm == 0:
            self.status = Status.CONVERGED

    @property
    def iterations(self) -> int:
        return len(self.history) - 1

    def start(self, residual_norm: float) -> None:
        """Begin at a first iterate whose residual has this norm."""
        self.phibar = self.beta = residual_norm
        self.history = [residual_norm / self.rhs_norm]
        if not math.isfinite(residual_norm):
            self.status = Status.NON_FINITE
        elif residual_norm <= self.target:
            self.status = Status.CONVERGED

    def advance(
        self, alpha: float, beta: float, negligible: float, stop: bool
    ) -> tuple[float, float, float, float]:
        """Take in one column of the tridiagonal matrix; return epsilon, delta, gamma and the step length phi.

        The column says first how good the last iterate was; if that ends the row, phi is zero.
        """
        no_step = (0.0, 0.0, 1.0, 0.0)
        if not (math.isfinite(alpha) and math.isfinite(beta)):
            self.status = Status.NON_FINITE
            return no_step
        epsilon, delta = self.epsilon, self.cs * self.dbar + self.sn * alpha
        gbar = self.sn * self.dbar - self.cs * alpha
        first = self.iterations == 0
        self.scale = max(self.scale, math.hypot(alpha, beta, 0.0 if first else self.beta))
        if self.iterations == 1 and self.gamma <= negligible * self.scale:
            # A r_0 was but rounding errors, which only shows now that the scale of A is known: unlike later
            # ones the first step has nothing to compare with. Undo it.
            self.history.pop()
            self.negative = False
            self.status = Status.LEAST_SQUARES
            return no_step
        self.dbar = -self.cs * beta
        rayleigh = -self.cs * gbar  # r^T A r / r^T r
        if (
            abs(rayleigh) <= negligible * self.scale
            and math.hypot(gbar, self.dbar) <= math.sqrt(negligible) * self.scale
        ):
            self.status = Status.LEAST_SQUARES
            return no_step
        if rayleigh <= 0:
            self.negative = True
            if stop:
                self.status = Status.NEGATIVE_CURVATURE
                return no_step
        self.gamma = math.hypot(gbar, beta)
        self.epsilon = self.sn * beta
        self.cs, self.sn = gbar / self.gamma, beta / self.gamma
        phi = self.cs * self.phibar
        self.phibar *= self.sn
        self.beta = beta
        self.history.append(self.phibar / self.rhs_norm)
        if self.phibar <= self.target:
            self.status = Status.CONVERGED
        return epsilon, delta, self.gamma, phi


def _apply(operator: Callable[[Tensor], Tensor], v: Tensor) -> Tensor:
    product = operator(v)
    if product.shape != v.shape:
        raise ValueError(
            f"the operator turned shape {list(v.shape)} into {list(product.shape)}; it must keep it"
        )
    return product.detach()


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """Row-wise dot products [j] of [j, n], summed in float64 without a float64 copy of either."""
    wide = torch.float32 if a.device.type == "mps" else torch.float64  # that device has no float64
    total = torch.zeros(len(a), dtype=wide, device=a.device)
    width = max(1, _BLOCK // max(1, len(a)))
    for p, q in zip(a.split(width, dim=1), b.split(width, dim=1), strict=True):
        total += (p.to(wide) * q.to(wide)).sum(1)
    return total


def _columns(like: Tensor, scalars: Iterable[Iterable[float]]) -> tuple[Tensor, ...]:
    """Lists of j scalars as [j, 1] tensors, in one transfer that does not wait for the device."""
    stacked = torch.tensor([list(s) for s in scalars], dtype=like.dtype).to(like.device, non_blocking=True)
    return stacked[..., None].unbind()


def _drop_ended(active: list[_Row], *vectors: Tensor) -> tuple[list[_Row], list[Tensor]]:
    """Move the rows still under way to the front of each [j, n] tensor, in place, and leave the others out."""
    keep = [j for j, row in enumerate(active) if row.status is None]
    if len(keep) < len(active):
        for vector in vectors:
            for to, j in enumerate(keep):
                vector[to] = vector[j]
    return [active[j] for j in keep], [vector[: len(keep)] for vector in vectors]
