"""Small dense matrices: what is left of long vectors in the dimension of the objectives."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor


def inner_products(a: Tensor, b: Tensor) -> Tensor:
    """``a b^T`` of two stacks of long vectors, small and in float64 on the CPU."""
    return (a @ b.T).double().cpu()


def absolute(S: NDArray[np.float64]) -> NDArray[np.float64]:
    """|S| of a symmetric matrix: its eigenvalues' magnitudes, kept away from zero so that it is positive definite."""
    eigenvalues, vectors = np.linalg.eigh(S)
    sizes = np.abs(eigenvalues)
    sizes = np.maximum(sizes, 1e-9 * sizes.max(initial=0.0) + np.finfo(float).tiny)
    return np.asarray((vectors * sizes) @ vectors.T)
