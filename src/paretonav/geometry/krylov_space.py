"""One Krylov space in which the same system is solved for several shifts.

See docs/method.md#one-krylov-space-for-all-pulls.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from paretonav.geometry.algebra import inner_products
from paretonav.geometry.nystrom import Nystrom

# Of a unit vector: one that is shorter after the second orthogonalisation is what rounding has made of a combination of
# others ("twice is enough", Kahan and Parlett).
_ROUNDING = 0.5
# Of a block's longest vector: what is left of one after the others were taken out, and is rounding in single precision.
_DEPENDENT = 1e-5


class KrylovSpace:
    """The space spanned by ``B, H B, H^2 B, ...`` for a symmetric positive semidefinite H, with H in it.

    A Krylov space does not depend on the shift in ``(H + shift) x = b``, so a solution for every shift comes from the
    same products: the small matrix ``T = Q H Q^T`` with orthonormal rows Q, once diagonalised, is all that is needed
    (Galerkin's method; the vectors are orthogonalised in full, as there are few).

    Where a neighbouring point's space is known, it is gone on from, with H there taken for H here: the largest
    curvatures change little from one point to the next.

    Args:
        operator: maps [j, n] to [j, n], multiplying every row by H; it must not change its argument.
        rhs: B [k, n].
        known: the eigenvalues and vectors found at a point close by, or None.
        most: vectors at most, for memory.

    Attributes:
        products: how many rows the operator was applied to.

    Source:
        Frommer, Maass, "Fast CG-based methods for Tikhonov-Phillips regularization", SISC 20, 1999, on shifted systems;
        Golub, Underwood, "The block Lanczos method for computing eigenvalues", 1977.

    Example:
        >>> H = torch.diag(torch.tensor([1.0, 2.0, 3.0]))
        >>> space = KrylovSpace(lambda rows: rows @ H, torch.ones(1, 3))
        >>> while space.extend():
        ...     pass
        >>> space.solve(1.0)[0].round(decimals=4)
        tensor([[0.5000, 0.3333, 0.2500]])
    """

    def __init__(
        self,
        operator: Callable[[Tensor], Tensor],
        rhs: Tensor,
        known: Nystrom | None = None,
        most: int = 2**62,
    ) -> None:
        self._operator, self._rhs, self._most = operator, rhs, most
        self.products = 0
        if known is None:
            self._Q = rhs[:0]
            self._T = torch.zeros(0, 0, dtype=torch.float64)
        else:
            self._Q = known.vectors.to(rhs)
            self._T = torch.diag(known.values.double().cpu())
        self._outer = rhs.new_zeros(0, 0).double().cpu()  # how the last block's images leave the space
        self._waiting, _ = self._fresh(rhs)

    @property
    def dimensions(self) -> int:
        """Of the space in which H is known."""
        return len(self._T)

    @property
    def largest(self) -> float:
        """The largest curvature found, a lower bound of the largest there is; 0 where nothing is known."""
        return float(torch.linalg.eigvalsh(self._T)[-1]) if len(self._T) else 0.0

    def extend(self) -> bool:
        """Multiply the latest block by H; False where there is nothing new, or no room."""
        block = self._waiting
        if not len(block) or len(self._Q) + len(block) > self._most:
            return False
        images = self._operator(block)
        self.products += len(block)
        Q, before = torch.cat([self._Q, block]), len(self._Q)
        inside = inner_products(images, Q)
        T = torch.zeros(len(Q), len(Q), dtype=torch.float64)
        T[:before, :before] = self._T
        T[before:] = inside
        T[:before, before:] = inside[:, :before].T
        T[before:, before:] = 0.5 * (inside[:, before:] + inside[:, before:].T)
        self._Q, self._T = Q, T
        self._waiting, self._outer = self._fresh(images)
        return True

    def solve(self, shift: float) -> tuple[Tensor, float]:
        """The solutions ``(H + shift)^-1 B`` in the space, [k, n], and the largest residual relative to its B.

        The residual is that outside the space, as the last block has shown it.
        """
        if not len(self._T):
            return self._rhs / shift, 1.0
        onto = inner_products(self._Q, self._rhs)
        values, vectors = torch.linalg.eigh(self._T)
        y = vectors @ ((vectors.T @ onto) / (values.clamp_min(0) + shift)[:, None])
        size = self._rhs.norm(dim=1).double().cpu().clamp_min(torch.finfo(torch.float64).tiny)
        left = torch.zeros(len(self._rhs), dtype=torch.float64)
        if len(self._outer):
            left = (self._outer.T @ y[-len(self._outer) :]).norm(dim=0) / size
        return y.T.to(self._rhs) @ self._Q, float(left.max())

    def eigenvectors(self) -> Nystrom:
        """What is known of H, for a space at the next point."""
        values, vectors = torch.linalg.eigh(self._T)
        order = values.argsort(descending=True)
        return Nystrom(values[order].clamp_min(0).to(self._Q), vectors[:, order].T.to(self._Q) @ self._Q)

    def _fresh(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """An orthonormal basis of what rows [j, n] add to the space, and the rows' parts along it [j, new]."""
        longest = float(rows.norm(dim=1).max()) if len(rows) else 0.0
        basis = rows
        # The second time mends what the first has left of rounding, magnified where rows are all but alike.
        for least in (max(_DEPENDENT * longest, torch.finfo(torch.float64).tiny), _ROUNDING):
            if len(self._Q):
                basis = basis - (basis @ self._Q.T) @ self._Q
            squares, mix = torch.linalg.eigh(inner_products(basis, basis))
            kept = squares.clamp_min(0).sqrt() > least
            basis = (mix[:, kept] / squares[kept].sqrt()).T.to(basis) @ basis
        return basis, inner_products(rows, basis)
