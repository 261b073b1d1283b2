"""The Pareto front near one point, as a model in the m dimensions of the objectives.

See docs/method.md#front-model.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from paretonav.errors import PreferenceError
from paretonav.geometry.corner import Corner
from paretonav.geometry.sizes import relative_sizes
from paretonav.geometry.tangent import Anchor
from paretonav.objectives import Losses, Response
from paretonav.objectives.problem import Split

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FrontModel:
    """All that planning needs to know of the front near a point: small arrays, without the network or its data.

    A person can ask for q = m + p quantities: the m losses, on validation data where there are any (see ``asked``),
    and the p metrics.

    Tangent coordinates c [k], k = m - 1, stand for weights ``alpha + B c``. The losses on the front there change by

        change_i(c) = -R_i c + 1/2 c^T Q_i c

    to second order. Strictly these are the changes along the straight line ``theta - V c``, whose losses leave the
    front in fourth order only.

    With more than ten objectives (twenty for functions) the Q_i are not measured one by one. One matrix stands for all,
    ``Q = B^T R_objectives - weight_decay V^T V``: how the front leaves its tangent plane along (1, ..., 1).

    Around a model that is held where it is (``anchor``), k is up to m, and the bends are differences over the size of a
    step (``Probes``). On validation data slopes and bends are always such differences.

    Attributes:
        names: of the objectives.
        losses: [m], shown training losses at the point.
        weights: alpha, [m].
        weight_basis: B, [m, m-1].
        response: R, [m, k], of the shown training losses.
        bend: Q, [m, k, k], or [1, k, k] for the common part.
        curvature: |B^T R_objectives|, [k, k], positive definite: what a change c costs in curvature.
        validation_losses: at the point, or None.
        validation_response: R on validation data, or None.
        validation_bend: Q on validation data, [m, k, k], or None.
        absolute: the names of the losses and metrics that are absolute values. Theirs are ``|value + change| - value``,
            so that what would lead below zero is predicted to come up on the other side.
        metric_names: of the p metrics.
        metric_values: [p], at the point, on validation data where there is any.
        metric_response: [p, k], of the metrics.
        metric_bend: [p, k, k], of the metrics; None where they are known to first order only.
        metric_orientation: [p], 1 where lower is better, -1 where higher is, 0 where nobody has said.
        response_by_batch: R batch by batch on some training data, for standard errors; None for a function.
        validation_response_by_batch: the same on validation data, metrics included, or None.
        box: (G [r, m-1], h [r], entry [r]): ``G c <= h`` keeps parameter number ``entry`` inside its bounds.
        joint_gain: by how much all objectives could still fall together (Newton decrement).
        residual: ``|J^T alpha|``.
        anchor: what holds the model here; None at a Pareto-critical point.
        asked: the data on which losses are asked for: "validation" where there are any, unless "train" is wished.
    """

    names: tuple[str, ...]
    losses: Array
    weights: Array
    weight_basis: Array
    response: Array
    bend: Array
    curvature: Array
    validation_losses: Losses | None
    validation_response: Array | None
    box: tuple[Array, Array, NDArray[np.int64]]
    joint_gain: float
    residual: float
    metric_names: tuple[str, ...] = ()
    metric_values: Array = field(default_factory=lambda: np.zeros(0))
    metric_response: Array | None = None
    metric_orientation: Array = field(default_factory=lambda: np.zeros(0))
    response_by_batch: Response | None = None
    validation_response_by_batch: Response | None = None
    validation_bend: Array | None = None
    metric_bend: Array | None = None
    absolute: tuple[str, ...] = ()
    anchor: Anchor | None = None
    asked: Split = "train"

    @property
    def m(self) -> int:
        """The number of objectives."""
        return len(self.names)

    @property
    def steerable(self) -> tuple[str, ...]:
        """The names of all q quantities that can be asked for: objectives, then metrics."""
        return self.names + self.metric_names

    @property
    def dimensions(self) -> int:
        """k, how many ways there are."""
        return int(self.weight_basis.shape[1])

    def on(self, split: Split) -> FrontModel:
        """The same, with the losses on this split asked for."""
        if split == "validation" and self.validation_response is None:
            raise PreferenceError(
                "there are no validation losses to ask for here; give validation data, or on='train'"
            )
        return replace(self, asked=split)

    @property
    def asked_losses(self) -> Array:
        """[m], on the data on which they are asked for."""
        if self.asked == "train" or self.validation_losses is None:
            return self.losses
        return np.asarray(self.validation_losses.mean.numpy())

    @property
    def asked_response(self) -> Array:
        """[m, k], R of ``asked_losses``."""
        return (
            self.response
            if self.asked == "train" or self.validation_response is None
            else self.validation_response
        )

    @property
    def asked_bend(self) -> Array:
        """Q of ``asked_losses``, [m, k, k] or [1, k, k]."""
        return self.bend if self.asked == "train" or self.validation_bend is None else self.validation_bend

    @cached_property
    def trades(self) -> Array:
        """[k, m-1], orthonormal coordinates along which the weighted sum of the losses stays: what a front is made of.

        All there are at a critical point; around a model that is held the rest is training on.
        """
        if self.dimensions < self.m:
            return np.eye(self.dimensions)
        slope = self.weights @ self.asked_response
        return np.asarray(np.linalg.svd(slope[None])[2][1:].T)

    @property
    def bends(self) -> Array:
        """[q, k, k], Q of all that can be asked for."""
        losses = np.broadcast_to(self.asked_bend, (self.m, *self.asked_bend.shape[1:]))
        straight = np.zeros((len(self.metric_names), *losses.shape[1:]))
        return np.concatenate([losses, straight if self.metric_bend is None else self.metric_bend])

    @property
    def edges(self) -> tuple[Array, Array]:
        """Where the front ends, as ``E c <= room`` with E [e, k]: where a weight falls to zero.

        Around a model that is held where it is there is no such end: it need not be the optimum of any weights.
        """
        if self.anchor is not None:
            return np.zeros((0, self.dimensions)), np.zeros(0)
        return -self.weight_basis, self.weights

    @property
    def values(self) -> Array:
        """[q], losses and metrics at the point, as they are asked for."""
        return np.concatenate([self.asked_losses, self.metric_values])

    @property
    def sampled(self) -> bool:
        """Whether the losses are means over a sample of data; those of a function are not."""
        return self.response_by_batch is not None or self.validation_response_by_batch is not None

    @property
    def shown_response_by_batch(self) -> Response | None:
        """The response batch by batch that metrics are in: on validation data where there are any."""
        return self.validation_response_by_batch or self.response_by_batch

    def sizes_of(self, losses: Array) -> Array:
        """[m], the sizes by which changes of losses with these values are compared; see ``relative_sizes``."""
        # A loss on data never comes to zero, so its value is a size; a function's value may not be.
        return relative_sizes(losses, (not self.sampled) | np.isin(self.names, self.absolute))

    @property
    def orientation(self) -> Array:
        """[q], 1 where lower is better, -1 where higher is, 0 where nobody has said."""
        return np.concatenate([np.ones(self.m), self.metric_orientation])

    @property
    def senses(self) -> dict[str, float]:
        """Name -> ``orientation``, of all that can be asked for."""
        return dict(zip(self.steerable, self.orientation.tolist(), strict=True))

    def changes(self, c: Array) -> Array:
        """[q], the predicted changes of losses and metrics, as they are asked for, at coordinates c."""
        return self._corner.changes(self.values, self._smooth(c))

    def outcomes(self, first: Array, second: Array) -> Array:
        """[n, q], predicted values of losses and metrics at the ends of curves, many at once, to second order.

        Args:
            first: [n, k], how far a curve has gone along the coordinates by its slope.
            second: [n, k], and by its bend.
        """
        none = np.zeros((len(self.metric_names), self.dimensions))
        response = np.concatenate(
            [self.asked_response, none if self.metric_response is None else self.metric_response]
        )
        smooth = 0.5 * self.squares(first) - (first + second) @ response.T
        return self.values + self._corner.changes(self.values, smooth)

    def squares(self, coordinates: Array) -> Array:
        """[n, q], the terms of second order ``c^T Q c`` at many coordinates [n, k]."""
        bends = self.bends
        if self.metric_response is None:
            bends = np.concatenate([bends[: self.m], np.zeros_like(bends[self.m :])])
        return np.asarray(np.einsum("ni,qij,nj->nq", coordinates, bends, coordinates, optimize=True))

    def slopes(self, c: Array) -> Array:
        """[q, k], the derivatives of ``changes`` at c."""
        slopes, smooth = self.asked_bend @ c - self.asked_response, self._smooth(c)
        if self.metric_response is not None:
            bend = 0.0 if self.metric_bend is None else self.metric_bend @ c
            slopes = np.concatenate([slopes, bend - self.metric_response])
        return self._corner[: len(slopes)].slopes(self.values[: len(slopes)], smooth[: len(slopes)], slopes)

    def metric_change(self, c: Array) -> Array:
        """[p], the predicted change of the metrics at coordinates c."""
        if self.metric_response is None:
            return np.zeros(0)
        return self._corner[self.m :].changes(self.metric_values, self._smooth(c)[self.m :])

    def errors(self, c: Array) -> tuple[Array, Array, Array]:
        """Standard errors of the predicted changes at coordinates c: training losses, validation losses, metrics.

        They are those of the first-order parts, whose spread between batches is known. Empty where there are too few
        batches to tell, or no data.
        """
        coordinates = torch.from_numpy(np.asarray(c, dtype=float))
        train, validation = (
            np.zeros(0) if error is None else error.numpy()
            for error in (
                None if response is None else response.along(coordinates)[1]
                for response in (self.response_by_batch, self.validation_response_by_batch)
            )
        )
        metrics = validation
        if self.validation_response_by_batch is None and self.response_by_batch is not None:
            # The losses were measured on all data; the metrics only on the part that these errors are of.
            metrics = train / self.response_by_batch.share**0.5
        return train[: self.m], validation[: self.m], metrics[self.m :]

    def change(self, c: Array) -> Array:
        """[m], the predicted change of the training losses at coordinates c, to second order."""
        smooth = -self.response @ c + 0.5 * np.asarray(self.bend @ c @ c)
        return self._corner[: self.m].changes(self.losses, smooth)

    def validation_change(self, c: Array) -> Array:
        """The same on validation data, with its own response and bend; empty without any."""
        if self.validation_response is None or self.validation_bend is None:
            return np.zeros(0)
        smooth = -self.validation_response @ c + 0.5 * np.asarray(self.validation_bend @ c @ c)
        if self.validation_losses is None:
            return smooth
        return self._corner[: self.m].changes(self.validation_losses.mean.numpy(), smooth)

    @property
    def _corner(self) -> Corner:
        return Corner(np.isin(self.steerable, self.absolute))

    def _smooth(self, c: Array) -> Array:
        """[q], the changes as if no quantity were an absolute value, which turns back at zero."""
        losses = -self.asked_response @ c + 0.5 * np.asarray(self.asked_bend @ c @ c)
        if self.metric_response is None:
            return np.concatenate([losses, np.zeros(len(self.metric_values))])
        bend = 0.0 if self.metric_bend is None else 0.5 * np.asarray(self.metric_bend @ c @ c)
        return np.concatenate([losses, bend - self.metric_response @ c])

    @property
    def weight_slopes(self) -> Array:
        """[m, k], how the weights change with the coordinates: B, and zero around a model that is held.

        A held model keeps the weights that it was trained with, wherever it is steered.
        """
        return self.weight_basis if self.anchor is None else np.zeros_like(self.weight_basis)

    def weights_at(self, c: Array) -> Array:
        """[m], the weights of the point at coordinates c, which make it optimal; a negative one is beyond the edge."""
        return self.weights + self.weight_slopes @ c

    def edge(self, c: Array) -> float:
        """The largest s for which ``s c`` is still on the front (weights >= 0) and inside the box."""
        limits = [np.inf]
        for rows, room in (self.edges, self.box[:2]):
            rates = rows @ c
            outward = rates > 0
            limits.extend(np.maximum(room[outward], 0) / rates[outward])
        return float(min(limits))

    @cached_property
    def normal(self) -> Array:
        """[m], the front's normal in the losses as shown, summing to one.

        Without weight decay that is alpha. With it, what moving along the front changes is taken out of alpha, so that
        the two are orthogonal.
        """
        R = self.response
        normal = self.weights - R @ (np.linalg.pinv(R, rcond=1e-6) @ self.weights)
        total = normal.sum()
        return normal / total if total > 1e-6 else self.weights

    def exchange_rates(self) -> Array:
        """[m, m], entry (i, j): the change of loss j per unit change of loss i, all others held (-n_i / n_j).

        NaN on the diagonal, and infinite where loss j cannot pay (its weight is zero). NaN throughout around a model
        that is held: a weighted sum that could still fall says nothing of what one loss costs another.
        """
        if self.anchor is not None:
            return np.full((self.m, self.m), np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):
            rates = -self.normal[:, None] / self.normal[None, :]
        np.fill_diagonal(rates, np.nan)
        return np.asarray(rates)
