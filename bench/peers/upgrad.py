"""UPGrad: every gradient projected to where it harms no other objective, and their mean."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torchjd.aggregation import UPGradWeighting
from torchjd.linalg import DualConeProjector

from paretonav.geometry import solve_qp
from peers.descent import Array


class UPGrad:
    """Jacobian descent without conflict, as in torchjd.

    Source: Quinton, Rey, "Jacobian descent for multi-objective optimization", arXiv 2406.16232.

    Args:
        preference: [m], the weights that are projected; None for equal ones.
    """

    def __init__(self, preference: Array | None = None) -> None:
        self._weighting = UPGradWeighting(
            None if preference is None else torch.from_numpy(preference), projector=DaqpProjector()
        )

    def __call__(self, losses: Array, gramian: Array) -> Array:  # noqa: ARG002
        weights: Tensor = self._weighting(torch.from_numpy(gramian))
        return np.asarray(weights.numpy(), dtype=np.float64)


class DaqpProjector(DualConeProjector):
    """min v^T G v subject to v >= u, with torchjd's normalisation and regularisation of G.

    By DAQP: torchjd's own solver, quadprog, is under the GPL.
    """

    def __call__(self, U: Tensor, G: Tensor) -> Tensor:
        matrix = G.double().numpy()
        matrix = matrix / max(np.trace(matrix), 1e-4) + 1e-4 * np.eye(len(matrix))
        free = np.full(len(matrix), np.inf)
        rows = []
        for u in U.double().numpy():
            row = solve_qp(matrix, np.zeros_like(u), np.eye(len(u)), u, free)
            if row is None:
                raise ArithmeticError(f"no projection of {u} was found; are the gradients finite?")
            rows.append(row)
        return torch.tensor(np.stack(rows)).to(U)
