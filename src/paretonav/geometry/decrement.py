"""The weights of a point and its Newton step, from the solves for the tangent.

See docs/method.md#weights-and-joint-gain.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from paretonav.geometry.algebra import absolute, inner_products
from paretonav.geometry.quadratic_program import solve_qp
from paretonav.geometry.right_hand_sides import RightHandSides


def least_decrement(
    weights: Tensor, B: Tensor, sides: RightHandSides, solutions: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The weights with the least Newton decrement, its step and its gradient.

    Over changes c of the weights, and e of the decay coefficient where there is weight decay, the decrement
    ``1/2 g^T A^-1 g`` of ``g = J^T (weights + B c) + e theta`` is least where ``B^T J x = 0`` and ``theta . x = 0``
    for ``x = A^-1 g``: the step x lowers all shown losses alike and leaves the size of the parameters as it is. A
    step that may change the size trades loss for decay, to first order in x, for a gain of second order that nobody
    sees.

    Args:
        weights: [m].
        B: [m, m-1].
        sides: what was solved for; with weight decay theta, too.
        solutions: A^-1 of each, [k, n].

    Returns:
        w [m] in the simplex, x [n], g [n]. Where A is indefinite (a concave front) the stationary point.
    """
    ways, gradient, theta = sides.ways, sides.gradient, sides.theta
    K = inner_products(sides.rows, solutions)
    K = 0.5 * (K + K.T)
    # How theta answers to the ways and to the gradient; empty without weight decay.
    to_theta = torch.linalg.pinv(K[theta, theta], hermitian=True) @ K[theta]
    S = K[ways, ways] - K[ways, theta] @ to_theta[:, ways]
    slope = K[ways, gradient] - K[ways, theta] @ to_theta[:, gradient]
    c = -torch.linalg.pinv(S, rtol=1e-7, hermitian=True) @ slope
    w = weights + B @ c
    if w.min() < 0:
        inside = solve_qp(
            absolute(S.numpy()), slope.numpy(), B.numpy(), -weights.numpy(), np.full(len(w), np.inf)
        )
        w = weights if inside is None else (weights + B @ torch.from_numpy(inside)).clamp_min(0)
        w = w / w.sum()
        c = B.T @ (w - weights)
    e = -(to_theta[:, gradient] + to_theta[:, ways] @ c)
    mix = torch.cat([c, torch.ones(1, dtype=c.dtype), e]).to(sides.rows)
    return w, mix @ solutions, mix @ sides.rows
