"""Exact curvature in the span of Gauss-Newton solutions.

See docs/method.md#calibration.
"""

from __future__ import annotations

import torch
from torch import Tensor

# Of Gauss-Newton's curvature: the least that exact curvature is taken for. Chosen, not measured: with less, a loss that
# is all but flat along a direction would be taken to change along it for ever.
_LEAST = 0.2


def calibration(solved: Tensor, exact: Tensor) -> Tensor:
    """Y [k, k]: combinations of the solutions X that solve the exact system in their own span (Galerkin).

    Gauss-Newton finds good directions cheaply and stably, but overrates the curvature along them: it leaves out the
    losses' slope times the model's curvature, and its system is damped. The span of the solutions has only k
    dimensions, so the exact Hessian can be measured in it with k products: Y solves ``(X^T A X) Y = X^T rhs``.
    Without this the front seems to bend, and to end, sooner than it does.

    Args:
        solved: X^T rhs, [k, k]; the Gauss-Newton curvature X^T A_GN X if the solves were exact.
        exact: X^T A X with the exact Hessian, [k, k].

    Where the exact curvature is less than a fifth of Gauss-Newton's, or negative, a fifth is taken: a quadratic
    model has little to say along such a direction.
    """
    eigenvalues, vectors = torch.linalg.eigh(0.5 * (solved + solved.T))
    if not float(eigenvalues.min()) > 1e-12 * float(eigenvalues.max()):
        return torch.eye(len(solved), dtype=solved.dtype)
    root = vectors / eigenvalues.sqrt()  # root^T solved root = 1
    ratios, directions = torch.linalg.eigh(root.T @ (0.5 * (exact + exact.T)) @ root)
    root = root @ directions
    scaling: Tensor = (root / ratios.clamp_min(_LEAST)) @ root.T @ solved
    return scaling
