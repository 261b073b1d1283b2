"""PMGDA: common descent with the wish that the losses lie on a ray as one more constraint."""

from __future__ import annotations

import numpy as np

from paretonav.geometry import solve_qp
from peers.descent import Array, positive

_EXACT = 1e-2  # of the losses' size: so far from the ray does not matter
_SHARE = 0.5  # of the steepest descent of the distance that a direction must keep


class PMGDA:
    """Multiple-gradient descent under the preference that the losses are proportional to a ray.

    h is the distance of the losses from the ray. Where it matters, the direction d is that of

        min over d of max_i (grad f_i . d) + 1/2 |d|^2  subject to  grad h . d <= -s |grad h|^2,

    where it does not, MGDA's. Solved in its dual, whose m + 1 variables see the Gramian only: ``d = -J^T (a + l h')``
    with a in the simplex, l >= 0 and h' the derivative of h by the losses.

    Source: Zhang, Lin, Zhang, "PMGDA: a preference-based multiple gradient descent algorithm", arXiv 2402.09492. There
    the constraint is on the angle between d and grad h and the programme is linear; this one is quadratic with
    the same feasible directions for s between 0 and 1, so that lengths follow from it, too. On the ray its prediction
    also keeps to ``grad h . d = 0``; here MGDA's direction may leave the ray, and the next step leads back.

    Args:
        ray: [m], positive.
    """

    balances = True

    def __init__(self, ray: Array) -> None:
        self._ray = positive(ray) / np.linalg.norm(ray)

    def __call__(self, losses: Array, gramian: Array) -> Array:
        m = len(losses)
        gramian = gramian / max(np.trace(gramian), 1e-300)
        off = losses - (losses @ self._ray) * self._ray
        distance = float(np.linalg.norm(off))
        slope = off / distance if distance > _EXACT * np.linalg.norm(losses) else np.zeros(m)
        # Columns of the dual variables in the space of the gradients: a, then l.
        basis = np.concatenate([np.eye(m), slope[:, None]], axis=1)
        squared = float(slope @ gramian @ slope)
        linear = np.concatenate([np.zeros(m), [-_SHARE * squared]])
        rows = np.concatenate([np.concatenate([np.ones(m), [0.0]])[None], np.eye(m + 1)])
        found = solve_qp(
            basis.T @ gramian @ basis + 1e-9 * np.eye(m + 1),
            linear,
            rows,
            np.concatenate([[1.0], np.zeros(m + 1)]),
            np.concatenate([[1.0], np.full(m + 1, np.inf)]),
        )
        return basis @ found if found is not None else np.full(m, 1 / m)
