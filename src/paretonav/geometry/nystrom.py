"""A preconditioner from products that have been paid for: the large curvatures near a point.

See docs/method.md#preconditioner.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from paretonav.geometry.algebra import inner_products

_ENTRIES = 2**26  # numbers in all recorded vectors: 256 MiB in single precision
_LEAST = 8  # directions; fewer are not worth their memory, as curvature has some tens of large eigenvalues
_NEGLIGIBLE = 1e-5  # of the largest curvature: rounding errors of products in single precision


def room(n: int) -> int:
    """How many vectors of length n may be kept."""
    return _ENTRIES // n


def has_room(n: int) -> bool:
    """Whether vectors of length n are short enough for so many of them that there is something to learn."""
    return room(n) >= _LEAST


@dataclass(frozen=True)
class Nystrom:
    """The large eigenvalues of a positive semidefinite H and their directions, about.

    H is that of one point; a few steps further it is another, but its large eigenvalues are still there: those of a
    Gauss-Newton matrix, some tens, are what keeps a Krylov method from seeing the rest.

    Attributes:
        values: [k], falling.
        vectors: [k, n], orthonormal up to rounding.

    Source:
        Frangella, Tropp, Udell, "Randomized Nystroem preconditioning", SIMAX 44, 2023; with the Krylov spaces of
        earlier solves in place of random vectors, whose products cost nothing more.
    """

    values: Tensor
    vectors: Tensor

    def root(self, shift: float) -> Callable[[Tensor], Tensor]:
        """The symmetric S with ``S (H + shift) S`` as even as it gets: the root of the preconditioner.

        The eigenvalues known of ``H + shift`` are brought down to the least of them, nothing else is changed.
        """
        shifted = self.values + shift
        change = (shifted[-1] / shifted).sqrt() - 1
        return lambda rows: rows.addmm((rows @ self.vectors.T) * change, self.vectors)


class Recorder:
    """An operator ``H + shift`` that remembers its products, for a ``Nystrom`` approximation of H.

    Args:
        operator: maps rows [j, n] to rows [j, n].
        shift: its multiple of the identity.
    """

    def __init__(self, operator: Callable[[Tensor], Tensor], shift: float) -> None:
        self._operator, self._shift = operator, shift
        self._images: list[Tensor] = []  # H v, one [j, n] for each call
        self._inner = torch.zeros(0, 0, dtype=torch.float64)  # v^T H v'

    def __call__(self, rows: Tensor) -> Tensor:
        """The products with ``rows`` [j, n]; those that there is no room for are not kept."""
        products = self._operator(rows)
        if len(self._inner) + len(rows) <= room(rows.shape[1]):
            self._images.append(products - self._shift * rows)
            new = torch.cat([inner_products(rows, images) for images in self._images], dim=1)
            old = self._inner
            self._inner = torch.zeros(len(old) + len(rows), len(old) + len(rows), dtype=torch.float64)
            self._inner[: len(old), : len(old)] = old
            self._inner[len(old) :] = new
            self._inner[: len(old), len(old) :] = new[:, : len(old)].T  # H is symmetric
        return products

    def nystrom(self) -> Nystrom | None:
        """What has been learnt of H, or None if that is too little; the products are forgotten.

        With V the vectors and Y = H V, the approximation is ``Y (V^T Y)^+ Y^T``.
        """
        images, inner = self._images, self._inner
        self._images, self._inner = [], inner[:0, :0]
        if len(inner) < _LEAST or not inner.isfinite().all():
            return None
        Y = torch.cat(images)
        eigenvalues, Q = torch.linalg.eigh(0.5 * (inner + inner.T))
        kept = eigenvalues > _NEGLIGIBLE * eigenvalues.max()
        if not kept.any():
            return None
        root = (Q[:, kept] / eigenvalues[kept].sqrt()).T  # root (V^T Y) root^T = 1
        values, P = torch.linalg.eigh(root @ inner_products(Y, Y) @ root.T)
        values, P = values.flip(0), P.flip(1)
        kept = values > _NEGLIGIBLE * values[0]
        mix = (P[:, kept].T @ root) / values[kept].sqrt()[:, None]
        return Nystrom(values[kept].to(Y), mix.to(Y) @ Y)
