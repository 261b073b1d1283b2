"""What the amounts of a wish come to, as a map that can be evaluated without planning anew.

See docs/method.md#what-if-maps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from paretonav.geometry import FrontModel
from paretonav.objectives import Response

Array = NDArray[np.float64]

# Of the largest singular value of what is prescribed: below it, two of the changes are one. About the root of the
# rounding error in double precision, as the matrix that is inverted has the squares of these values.
_DEPENDENT = 1e-7


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
    """What follows from prescribed changes x [k] of some quantities, to second order in x, while the rest is free.

    It is for what has to answer at once, such as sliders on a page that has no Python behind it: a few products of
    small matrices say what any x comes to, at the least curvature cost.

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

    Derived in docs/method.md#what-if-maps, whose letters these are: the prescribed quantities have slopes A [r, d] and
    bends Q, and M is the curvature cost.
    """
    slopes, m = front.slopes(np.zeros(front.dimensions)), front.m
    named = np.array([*moved, *held], dtype=np.intp)
    if not len(moved) or len(named) > front.dimensions:
        return None
    cheapest = _Cheapest.of(slopes[named], front.curvature)
    if cheapest is None:
        return None
    way = cheapest.way(front.bends[named], len(moved))
    on_train, on_validation = front.response_by_batch, front.validation_response_by_batch
    train, validation = _variances(on_train, way.P), _variances(on_validation, way.P)
    metrics = validation
    if on_validation is None and on_train is not None and train is not None:
        metrics = train / on_train.share  # of part of the data, as the metrics are; the losses are of all
    R, Q = front.validation_response, front.validation_bend
    return WhatIf(
        train=way.brings(-front.response, front.bend),
        validation=None if R is None or Q is None else way.brings(-R, Q),
        metrics=way.brings(slopes[m:], front.bends[m:]),
        weights=front.weight_slopes @ way.P,
        train_variance=None if train is None else train[:m],
        validation_variance=None if validation is None else validation[:m],
        metric_variance=None if metrics is None or not front.metric_names else metrics[m:],
    )


@dataclass(frozen=True, eq=False)
class _Way:
    """The coordinates that prescribed changes lead to, ``c = P x + 1/2 x^T D x``.

    Attributes:
        P: [d, k].
        D: [d, k, k].
    """

    P: Array
    D: Array

    def brings(self, slopes: Array, bends: Array) -> Bent:
        """What quantities with slopes [q, d] and bends [q, d, d] (or [1, d, d], alike) change by, of x."""
        bends = np.broadcast_to(bends, (len(slopes), *bends.shape[1:]))
        return Bent(slopes @ self.P, _between(bends, self.P) + np.tensordot(slopes, self.D, 1))


@dataclass(frozen=True, eq=False)
class _Cheapest:
    """The coordinates of least cost for prescribed changes of r quantities with slopes A, and their multipliers.

    M is the curvature cost. To first order changes b have the coordinates ``inverse b``, and the multipliers
    ``multipliers b`` say what a little more of each would cost.

    Attributes:
        multipliers: L = (A M^-1 A^T)^-1, [r, r].
        inverse: that of A weighted by M, M^-1 A^T L, [d, r].
        free: M^-1 less its part that the prescribed changes take, [d, d].
    """

    multipliers: Array
    inverse: Array
    free: Array

    @classmethod
    def of(cls, A: Array, M: Array) -> _Cheapest | None:
        """None where two of the changes are one, or one has no way to come true."""
        flat = np.linalg.solve(M, A.T)  # M^-1 A^T
        gram = A @ flat
        sizes = np.sqrt(np.diag(gram))
        if not (sizes > 0).all() or np.linalg.cond(gram / sizes / sizes[:, None]) > _DEPENDENT**-2:
            return None
        L = np.linalg.inv(gram)
        inverse = flat @ L
        return cls(L, inverse, np.asarray(np.linalg.inv(M) - inverse @ flat.T))

    def way(self, Q: Array, k: int) -> _Way:
        """To second order, for quantities with bends Q [r, d, d] of which all but the first k are held.

        What the bends add is taken back; and what the multipliers pull at them moves on to where the bent constraints
        leave the least cost.
        """
        P = self.inverse[:, :k]
        pulled = np.einsum("nj,nab,bl->ajl", self.multipliers[:, :k], Q, P, optimize=True)
        pulled = pulled + pulled.transpose(0, 2, 1)
        added = _between(Q, P)
        return _Way(P, np.tensordot(self.free, pulled, 1) - np.tensordot(self.inverse, added, 1))


def _between(Q: Array, P: Array) -> Array:
    """``P^T Q_i P`` of each i, [q, k, k]."""
    return np.asarray(np.einsum("iab,aj,bl->ijl", Q, P, P, optimize=True))


def _variances(response: Response | None, P: Array) -> Array | None:
    """[q, k, k], of the changes of all quantities along P; see ``Response.along``."""
    if response is None:
        return None
    covariance: Tensor | None = response.covariance()
    return None if covariance is None else np.asarray(P.T @ covariance.numpy() @ P)
