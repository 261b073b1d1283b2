"""Small dense convex quadratic programmes, in the dimension of the objectives."""

from __future__ import annotations

import daqp
import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

_EQUALITY = 5  # DAQP's code for a constraint that holds with equality


def solve_qp(H: Matrix, q: Vector, A: Matrix, lower: Vector, upper: Vector) -> Vector | None:
    """Minimise ``1/2 x^T H x + q^T x`` subject to ``lower <= A x <= upper``; None if nothing satisfies it.

    Solved by DAQP, a dual active-set method (Arnström, Bemporad, Axehill, IEEE TAC 67, 2022).

    Args:
        H: [d, d], symmetric positive definite.
        q: [d].
        A: [c, d].
        lower: [c]; equal to ``upper`` for an equation, -inf for none.
        upper: [c].

    >>> solve_qp(np.eye(2), np.zeros(2), np.array([[1.0, 1.0]]), np.array([1.0]), np.array([1.0]))
    array([0.5, 0.5])
    """
    # Rows of unit length make the solver's absolute tolerances mean the same for every constraint.
    lengths = np.linalg.norm(A, axis=1)
    scale = np.where(lengths > 0, lengths, 1.0)
    A, lower, upper = A / scale[:, None], lower / scale, upper / scale
    sense = np.where(lower == upper, _EQUALITY, 0).astype(np.int32)
    x, _, exit_flag, _ = daqp.solve(
        np.ascontiguousarray(H, dtype=np.float64),
        np.ascontiguousarray(q, dtype=np.float64),
        np.ascontiguousarray(A),
        np.clip(upper, -1e30, 1e30),
        np.clip(lower, -1e30, 1e30),
        sense,
        primal_tol=1e-10,
    )
    return np.asarray(x, dtype=np.float64) if exit_flag == 1 and np.isfinite(x).all() else None
