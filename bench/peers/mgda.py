"""MGDA: the shortest combination of the gradients, along which all objectives fall."""

from __future__ import annotations

import numpy as np
import torch

from paretonav.geometry import minimum_norm_weights
from peers.descent import Array, root


class MGDA:
    """The minimum-norm weights in the simplex; it has no preference, and stops at any Pareto-critical point.

    Source: Désidéri, "Multiple-gradient descent algorithm (MGDA) for multiobjective optimization", Comptes Rendus
    Mathématique 350, 2012.
    """

    def __call__(self, losses: Array, gramian: Array) -> Array:  # noqa: ARG002
        return np.asarray(minimum_norm_weights(torch.from_numpy(root(gramian))).numpy())
