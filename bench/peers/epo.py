"""EPO search: to the Pareto-optimal point whose losses are proportional to a ray."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog

from peers.descent import Array, positive

_BALANCED = 1e-3  # non-uniformity below which all objectives are lowered together; some 3 degrees off the ray


class EPO:
    """Exact Pareto-optimal search: balance the losses along the ray first, by controlled ascent, then lower them.

    With r = 1 / ray, u = r * losses / sum(r * losses) is uniform on the ray. Its Kullback-Leibler divergence mu from
    the uniform distribution falls fastest along the anchor ``a = r * (log(m u) - mu)``. Among the convex combinations
    of the gradients a linear programme takes the one that does most for a (balance) or for all losses (descent); the
    largest of r * losses may never rise, and those that rise along a may not rise more than they do there.

    Source: Mahapatra, Rajan, "Multi-task learning with user preferences: gradient descent with controlled ascent in
    Pareto optimization", ICML 2020 (algorithm 1).

    Args:
        ray: [m], positive.
    """

    balances = True

    def __init__(self, ray: Array) -> None:
        self._rates = ray.sum() / positive(ray)

    def __call__(self, losses: Array, gramian: Array) -> Array:
        m = len(losses)
        rated = self._rates * np.maximum(losses, 1e-12 * np.abs(losses).max())
        shares = rated / rated.sum()
        divergence = float(shares @ np.log(m * shares))
        scaled = gramian / max(np.trace(gramian), 1e-300)
        largest = rated >= rated.max() * (1 - 1e-9)
        if divergence > _BALANCED:
            anchor = self._rates * (np.log(m * shares) - divergence)
            anchor = anchor / np.abs(anchor).max()
            gain = scaled @ anchor
            lower = np.where(gain > 0, -np.inf, gain) if (gain > 0).any() else np.zeros(m)
            lower[largest] = 0.0
        else:
            gain, lower = scaled.sum(axis=1), np.zeros(m)
        bounded = np.isfinite(lower)
        found = linprog(
            -gain,
            A_ub=-scaled[bounded],
            b_ub=-lower[bounded],
            A_eq=np.ones((1, m)),
            b_eq=[1.0],
            bounds=(0, None),
            method="highs",
        )
        # At a critical point rounding may leave nothing that satisfies all of it.
        return np.asarray(found.x if found.status == 0 else shares, dtype=np.float64)
