"""The multipliers of a Pareto-critical point: the shortest convex combination of the gradients.

See docs/method.md#weights-and-joint-gain.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from paretonav.errors import NonFiniteError

_BLOCK = 2**20  # entries of the Jacobian that are converted to float64 at a time


def minimum_norm_weights(jacobian: Tensor) -> Tensor:
    """Return the weights of the shortest vector in the convex hull of the gradients, exactly.

    They minimise ||J^T alpha|| over the simplex (alpha >= 0, sum alpha = 1). With J^T = Q R they are the
    solution of the nonnegative least squares problem min_{a >= 0} ||R a||^2 + (omega 1^T a - 1)^2 divided by
    its sum: along the ray a = t alpha the least value is rho^2 / (1 + rho^2) with rho = ||R alpha|| / omega,
    and it increases with ||R alpha||.

    How the gradients are scaled does not matter: every column of R is divided by its norm (and the weight
    afterwards), and omega is the norm of the shortest gradient. So the optimality conditions
    g_i^T d >= ||d||^2, d = J^T alpha, hold to a small multiple of eps ||g_i|| sum_j alpha_j ||g_j||, even for
    gradients of 1e-8 next to others of 1e8.

    Memory: R comes from blocks of columns of J, one after the other; there is never a float64 copy of J.

    Args:
        jacobian: [m, n], the gradients; any floating type and device. They may be dependent, equal or zero.

    Returns:
        [m], float64 on the CPU, nonnegative, of sum one. Where several weights give the shortest vector (when
        it is zero, for example), they are one of these.

    Raises:
        NonFiniteError: a gradient has an entry that is infinite or not a number.
        ValueError: ``jacobian`` is not a matrix, or is empty.

    Source:
        Wolfe, "Finding the nearest point in a polytope", Mathematical Programming 11, 1976; Désidéri,
        "Multiple-gradient descent algorithm (MGDA) for multiobjective optimization", Comptes Rendus
        Mathématique 350, 2012. Solver: Lawson, Hanson, "Solving Least Squares Problems", 1974, chapter 23.

    Example:
        >>> import torch
        >>> minimum_norm_weights(torch.tensor([[2.0, 0.0], [0.0, 1.0]])).round(decimals=9).tolist()
        [0.2, 0.8]

    """
    jacobian, scale = _checked(jacobian)
    triangle = torch.zeros(0, len(jacobian), dtype=torch.float64)
    for block, _ in _blocks(jacobian, scale):
        triangle = _stack(triangle, block)
    return _solve(triangle, triangle[:0], scale)


def box_minimum_norm_weights(jacobian: Tensor, at_lower: Tensor, at_upper: Tensor) -> Tensor:
    """Return the weights of the shortest combination of gradients at a point where box bounds are active.

    They minimise ||J^T alpha - mu_lower + mu_upper|| over the simplex and multipliers mu >= 0 of the active
    bounds: entries of g = J^T alpha along which descent leaves the box (g_k > 0 at a lower bound, g_k < 0 at
    an upper one) do not count. As in ``minimum_norm_weights`` this is a nonnegative least squares problem,
    with one more row and column for every active bound where the gradients disagree in sign; where they agree
    the entry never counts or always does. With a disagreements it takes O((m + a)^3) operations, some 0.4 s
    for 1000, and O((m + a)^2) memory.

    Args:
        jacobian: [m, n], the gradients.
        at_lower: [n] bool, which variables are at their lower bound.
        at_upper: [n] bool, which are at their upper bound; a variable at both is fixed and does not count.

    Returns:
        [m], float64 on the CPU, nonnegative, of sum one.

    Raises:
        NonFiniteError: a gradient has an entry that is infinite or not a number.
        ValueError: ``jacobian`` is not a matrix, or is empty, or the masks do not fit it.

    Source:
        The Karush-Kuhn-Tucker conditions of Pareto optimality under bounds; otherwise as above.

    Example:
        >>> import torch
        >>> J = torch.tensor([[2.0, 0.0, 5.0], [0.0, 1.0, 7.0]])
        >>> last, none = torch.tensor([False, False, True]), torch.tensor([False, False, False])
        >>> box_minimum_norm_weights(J, last, none).round(decimals=9).tolist()
        [0.2, 0.8]

    """
    jacobian, scale = _checked(jacobian)
    for mask in (at_lower, at_upper):
        if mask.shape != jacobian.shape[1:]:
            raise ValueError(f"a mask has shape {list(mask.shape)}, but the Jacobian {list(jacobian.shape)}")
    at_lower, at_upper = at_lower.bool().cpu(), at_upper.bool().cpu()
    triangle = torch.zeros(0, len(jacobian), dtype=torch.float64)
    disagreeing = []
    for block, columns in _blocks(jacobian, scale):
        lower, upper = at_lower[columns], at_upper[columns]
        block[:, upper] *= -1  # which keeps the norm; now only negative entries count at either bound
        free, bounded = ~(lower | upper), lower ^ upper
        never, always = (block >= 0).all(0), (block <= 0).all(0)
        triangle = _stack(triangle, block[:, free | (bounded & always)])
        disagreeing.append(block[:, bounded & ~never & ~always].T)
    return _solve(triangle, torch.cat(disagreeing), scale)


def _checked(jacobian: Tensor) -> tuple[Tensor, Tensor]:
    """Return the detached Jacobian and every gradient's largest absolute entry [m], one if that is zero."""
    if jacobian.ndim != 2 or jacobian.numel() == 0:
        raise ValueError(f"the Jacobian has shape {list(jacobian.shape)}; it must be [m, n] and not empty")
    jacobian = jacobian.detach()
    scale = torch.linalg.vector_norm(jacobian, ord=torch.inf, dim=1).cpu().double()
    for i in (~scale.isfinite()).nonzero().flatten().tolist():
        raise NonFiniteError(
            f"gradient {i} (counted from 0) is not finite; look for a division by zero, a root or "
            "logarithm at zero, or a learning rate that is too high"
        )
    return jacobian, torch.where(scale == 0, 1.0, scale)


def _blocks(jacobian: Tensor, scale: Tensor) -> Iterator[tuple[Tensor, slice]]:
    """Go through the Jacobian in blocks of columns, in float64 on the CPU, row i divided by scale[i]."""
    m, n = jacobian.shape
    width = max(m, _BLOCK // m)
    for start in range(0, n, width):
        columns = slice(start, start + width)
        yield jacobian[:, columns].cpu().double() / scale[:, None], columns


def _stack(triangle: Tensor, block: Tensor) -> Tensor:
    """Return the triangular factor of ``triangle`` [<= m, m] on top of the transpose of ``block`` [m, w]."""
    factor: Tensor = torch.linalg.qr(torch.cat([triangle, block.T]), mode="r").R
    return factor


def _solve(triangle: Tensor, disagreeing: Tensor, scale: Tensor) -> Tensor:
    """Minimise ||triangle alpha||^2 + ||min(disagreeing alpha, 0)||^2 for gradients in units of ``scale``."""
    matrix = torch.cat([triangle, disagreeing])
    norms: Tensor = torch.linalg.vector_norm(matrix, dim=0)
    if not norms.all():  # a gradient that is zero is the shortest
        return torch.nn.functional.one_hot(norms.argmin(), len(norms)).double()
    omega = (scale * norms).min() / (scale * norms)
    (rows, m), a = matrix.shape, len(disagreeing)
    system = np.zeros((rows + 1, m + a))
    system[:rows, :m] = (matrix / norms).numpy()
    system[rows - a : rows, m:] = -np.eye(a)  # the multipliers take up the positive entries
    system[rows, :m] = omega.numpy()
    target = np.zeros(rows + 1)
    target[rows] = 1.0
    from scipy.optimize import nnls  # a tenth of a second to load

    solution, _ = nnls(system, target, maxiter=30 * (m + a))
    weights = torch.from_numpy(solution[:m]) * omega
    normalised: Tensor = weights / weights.sum()
    return normalised
