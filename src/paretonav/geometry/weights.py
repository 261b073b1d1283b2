"""The multipliers of a Pareto-critical point: the shortest convex combination of the gradients."""

from __future__ import annotations

import numpy as np
import scipy.optimize
import torch
from torch import Tensor

from paretonav.errors import NonFiniteError

_BLOCK = 2**20  # entries of the Jacobian that are converted to float64 at a time


def minimum_norm_weights(jacobian: Tensor) -> Tensor:
    """Return the weights of the shortest vector in the convex hull of the rows of ``jacobian``, exactly.

    The weights minimise ||J^T alpha|| over the simplex (alpha >= 0, sum alpha = 1). With J^T = Q R they are the
    solution of the nonnegative least squares problem min_{a >= 0} ||R a||^2 + (omega 1^T a - 1)^2, divided by
    its sum: along every ray a = t alpha the best t gives rho^2 / (1 + rho^2) with rho = ||R alpha|| / omega,
    which increases with ||R alpha||.

    Nothing here depends on how the gradients are scaled: every gradient is divided by its own norm (its weight
    is multiplied by it afterwards), so that products are accurate relative to ||g_i|| ||g_j|| even for
    gradients of 1e-8 and 1e8, and omega is the norm of the shortest gradient.

    Memory: R is built block by block of columns of J, so that there is never a float64 copy of J.

    Args:
        jacobian: [m, n], the gradients; any floating dtype and device. Rows may be dependent, equal or zero.

    Returns:
        [m], float64 on the CPU, nonnegative, sum one. Where several weights give the shortest vector, one of them.

    Raises:
        NonFiniteError: a gradient has an entry that is infinite or not a number.
        ValueError: ``jacobian`` is not a matrix with at least one row.

    Source:
        Wolfe, "Finding the nearest point in a polytope", Mathematical Programming 11, 1976; in multi-objective
        optimisation Désidéri, "Multiple-gradient descent algorithm (MGDA)", Comptes Rendus Mathématique 350,
        2012. The solver: Lawson and Hanson, "Solving Least Squares Problems", 1974, chapter 23.

    Example:
        >>> import torch
        >>> minimum_norm_weights(torch.tensor([[2.0, 0.0], [0.0, 1.0]])).round(decimals=9).tolist()
        [0.2, 0.8]
    """
    never = torch.zeros(jacobian.shape[-1], dtype=torch.bool)
    return box_minimum_norm_weights(jacobian, never, never)


def box_minimum_norm_weights(jacobian: Tensor, at_lower: Tensor, at_upper: Tensor) -> Tensor:
    """Return the weights of the shortest combination of gradients that the active bounds leave.
    """
    raise NotImplementedError
