"""What the amounts of a wish come to, as a map that can be evaluated without planning anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from paretonav.geometry import FrontModel
from paretonav.objectives import Response

Array = NDArray[np.float64]

_DEPENDENT = 1e-7  # of the largest singular value of what is prescribed: below it, two changes are one


@dataclass(frozen=True, eq=False)
class Bent:
    """A map to second order: ``linear x + 1/2 x^T bend x``.

    Attributes:
        linear: [r, k].
        bend: [r, k, k].
    """

    linear: Array
    bend: Array

    def __call__(self, x: Array) -> Array:
        """[r], at x [k]."""
        return np.asarray(self.linear @ x + 0.5 * self.bend @ x @ x)

    def scaled(self, units: Array) -> Bent:
        """The same map of x in other units [k]: what is one there is ``units`` here."""
        return Bent(self.linear * units, self.bend * units[:, None] * units[None])


@dataclass(frozen=True, eq=False)
class WhatIf:
    """What follows from prescribed changes x [k], the rest free and at the least curvature cost, to second order in x.

    It differs from a ``plan`` by terms of third order in x as long as no weight, bound or box is in the way. So it
    holds for all amounts of a wish at which that is so. Around a model that is held a plan spares the others besides
    (``kinder``), so there this is what it comes to at most.

    Attributes:
        train: to the change of the training losses, [m].
        validation: to that of the validation losses, or None.
        metrics: to that of the metrics, [p].
        weights: [m, k], to the change of the weights.
        train_variance: [m, k, k], so that ``x^T variance x`` is the squared standard error; None where it is not known.
        validation_variance: the same of the validation losses.
        metric_variance: [p, k, k], the same of the metrics.
    """

    train: Bent
    validation: Bent | None
    metrics: Bent
    weights: Array
    train_variance: Array | None
    validation_variance: Array | None
    metric_variance: Array | None


def what_if(front: FrontModel, moved: Sequence[int], held: Sequence[int] = ()) -> WhatIf | None:
    """The map for changes of the quantities ``moved`` [k] while those ``held`` stay; None if that cannot be prescribed.

    The coordinates c of least cost ``1/2 c^T M c`` with ``A c + q(c) = x`` are ``P x + 1/2 x^T D x``: P is the inverse
    of A weighted by M, and D removes what the bends q of the prescribed quantities add, and moves on to where, with
    the multipliers ``L x``, the bent constraints leave the least cost.
    """
    front_slopes = front.slopes(np.zeros(front.dimensions))
    named = np.array([*moved, *held], dtype=np.intp)
    A, M, k = front_slopes[named], front.curvature, len(moved)
    if not k or len(named) > front.dimensions:
        return None
    flat = np.linalg.solve(M, A.T)  # M^-1 A^T
    gram = A @ flat
    sizes = np.sqrt(np.diag(gram))
    if not (sizes > 0).all() or np.linalg.cond(gram / sizes / sizes[:, None]) > _DEPENDENT**-2:
        return None
    L = np.linalg.inv(gram)
    inverse = flat @ L
    P = inverse[:, :k]
    bend = front.bends
    bent = np.einsum("iab,aj,bl->ijl", bend, P, P, optimize=True)
    of_named = bent[named]
    pulled = np.einsum("nj,nab,bl->ajl", L[:, :k], bend[named], P, optimize=True)
    pulled = pulled + pulled.transpose(0, 2, 1)
    relaxed = np.tensordot(np.linalg.inv(M) - inverse @ flat.T, pulled, 1)
    D = relaxed - np.tensordot(inverse, of_named, 1)

    def along(slopes: Array, curved: Array) -> Bent:
        return Bent(slopes @ P, curved + np.tensordot(slopes, D, 1))

    m = front.m

    def losses(response: Array, bends: Array) -> Bent:
        return along(
            -response,
            np.einsum("iab,aj,bl->ijl", np.broadcast_to(bends, (m, *bends.shape[1:])), P, P, optimize=True),
        )

    R, Q = front.validation_response, front.validation_bend
    of_train, held_out = _variances(front.seen, P), _variances(front.held_out, P)
    shown = held_out
    if front.held_out is None and front.seen is not None and of_train is not None:
        shown = of_train / front.seen.share
    return WhatIf(
        train=losses(front.response, front.bend),
        validation=None if R is None or Q is None else losses(R, Q),
        metrics=along(front_slopes[m:], bent[m:]),
        weights=front.weight_slopes @ P,
        train_variance=None if of_train is None else of_train[:m],
        validation_variance=None if held_out is None else held_out[:m],
        metric_variance=None if shown is None or not front.metric_names else shown[m:],
    )


def _variances(response: Response | None, P: Array) -> Array | None:
    """[q, k, k], of the changes of all quantities along P; see ``Response.along``."""
    if response is None:
        return None
    covariance: Tensor | None = response.covariance()
    return None if covariance is None else np.asarray(P.T @ covariance.numpy() @ P)
