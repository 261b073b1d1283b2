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
from paretonav.geometry.algebra import absolute, inner_products
from paretonav.geometry.corner import Corner
from paretonav.geometry.exchange import expected_bend
from paretonav.geometry.path import path_curvature
from paretonav.geometry.probes import Probes, first_lengths, probing_passes
from paretonav.geometry.sizes import relative_sizes
from paretonav.geometry.tangent import Anchor, Geometry, Tangent
from paretonav.objectives import Losses, Problem, Response
from paretonav.objectives.problem import Split

Array = NDArray[np.float64]

_MAX_BOX_ROWS = 512
_MAX_MEASURED = 10  # objectives whose bends are measured one by one
_MAX_AT_ONCE = 20  # the same where several backward passes run as one
_BATCHES = 8  # training batches from which the standard errors of the training response come
_BEND, _PROBES = 0.3, 0.9  # how far the work of a front model is when these are done
_BENT_EXAMPLES = 512  # training examples on which the bend around a held model is measured


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
        residual: |J^T alpha|.
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

    @classmethod
    def from_tangent(
        cls,
        problem: Problem,
        tangent: Tangent,
        geometry: Geometry,
        *,
        measure: bool = True,
        known: Losses | None = None,
    ) -> FrontModel:
        """The model of the front that a tangent gives, in the m dimensions of the objectives.

        Args:
            problem: whose losses and metrics they are.
            tangent: at the point.
            geometry: how curvature is measured.
            measure: whether to measure losses and metrics at the size of a step, on validation data where there are
                any (``Probes``). False saves that; the model then knows the training losses only.
            known: the validation losses at the point, if they have been measured already.
        """
        held = tangent.anchor is not None
        bend = None if held else _bend(problem, tangent, geometry)
        by_batch, validation_by_batch, probes = None, None, None
        expected = bend
        if expected is None:
            sizes = relative_sizes(tangent.losses.mean.numpy())
            expected = expected_bend(sizes, tangent.weights.numpy(), len(tangent.basis))
        lengths = first_lengths(tangent.response, tangent.losses.mean, expected)
        metrics = problem.metric_names if measure else ()
        if measure and problem.has_validation:
            with problem.watch.part(_PROBES):
                probes = Probes.along(
                    problem, tangent.theta, tangent.basis, "validation", lengths, before=known
                )
                problem.require_finite(probes.before, "on validation data")
                validation_by_batch = probes.response
        if measure and problem.stochastic:
            if metrics and not problem.has_validation:
                probes = Probes.along(problem, tangent.theta, tangent.basis, "train", lengths)
                by_batch = probes.response
            else:
                by_batch = problem.response(tangent.theta, tangent.basis, batches=_BATCHES)[1]
        if bend is None:
            bend = _measured_bend(problem, tangent, lengths, probes)
        validation_losses = probes.before if probes is not None and problem.has_validation else None
        measured = validation_by_batch or by_batch
        shown = tangent.losses if validation_losses is None else validation_losses
        better = [problem.higher_is_better.get(name) for name in metrics]
        return cls(
            names=problem.names,
            losses=tangent.losses.mean.numpy(),
            weights=tangent.weights.numpy(),
            weight_basis=tangent.weight_basis.numpy(),
            response=tangent.response.numpy(),
            bend=bend,
            curvature=absolute(tangent.curvature_of_front.numpy()),
            validation_losses=validation_losses,
            validation_response=None
            if validation_by_batch is None
            else validation_by_batch.mean[: problem.m].numpy(),
            metric_names=metrics,
            metric_values=np.array([shown.metrics[name] for name in metrics]),
            metric_response=None if measured is None else measured.mean[problem.m :].numpy(),
            metric_orientation=np.array([0.0 if b is None else -1.0 if b else 1.0 for b in better]),
            response_by_batch=by_batch,
            validation_response_by_batch=validation_by_batch,
            validation_bend=None
            if validation_by_batch is None or probes is None
            else probes.bend[: problem.m],
            metric_bend=None if probes is None or not metrics else probes.bend[problem.m :],
            absolute=problem.absolute,
            anchor=tangent.anchor,
            asked="validation" if validation_by_batch is not None else "train",
            box=_box_rows(problem, tangent),
            joint_gain=tangent.joint_gain,
            residual=tangent.residual,
        )

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


def _bend(problem: Problem, tangent: Tangent, geometry: Geometry) -> Array:
    """Q of the training losses, [m, m-1, m-1]; one for all of them, [1, m-1, m-1], where there are too many."""
    theta, V, m = tangent.theta, tangent.basis, problem.m
    parts = problem.curvature_sample(geometry.samples, around=theta)
    sample = [part.as_shown for part in parts]
    if m > (_MAX_AT_ONCE if all(part.at_once for part in sample) else _MAX_MEASURED):
        common = tangent.curvature_of_front - tangent.weight_decay * inner_products(V, V)
        return common.numpy()[None]
    found = tangent.sum_bend
    known = None
    steered = all(part.shown is None for part in parts)  # by what is shown
    if steered and found is not None and found.samples == geometry.samples:
        known = found.weights, found.curvature
    with problem.watch.part(_BEND):
        bend = path_curvature(sample, theta, V, m, problem.tally, problem.watch, known)
    return (bend if tangent.turn is None else bend + tangent.turn).numpy()


def _measured_bend(problem: Problem, tangent: Tangent, lengths: Array, shown: Probes | None) -> Array:
    """Q of the training losses around a held model, [m, k, k], from differences over the size of a step.

    Where ``shown``, the probes of validation data, are there, the training losses are only a figure beside them, so
    fewer directions are measured.
    """
    if shown is not None and not problem.has_validation:
        return shown.bend[: problem.m]
    found = Probes.along(
        problem,
        tangent.theta,
        tangent.basis,
        "train",
        lengths if shown is None else shown.lengths,
        batches=_bent_batches(problem, len(tangent.losses.fractions)),
        rays=shown is None,
    )
    return found.bend[: problem.m]


def _bent_batches(problem: Problem, batches: int) -> int:
    """The number of training batches that the bend around a held model is measured on, of ``batches``."""
    return max(2, round(_BENT_EXAMPLES * batches / (problem.examples or 1)))


def measuring_passes(problem: Problem, k: int) -> float:
    """The usual cost of ``FrontModel.from_tangent`` for a held model with k ways, in passes over training data."""
    batches = _bent_batches(problem, round(1 / problem.share("train", 1)))
    if problem.has_validation:
        beside = probing_passes(problem, k, "train", batches, rays=False)
        return beside + probing_passes(problem, k, "validation")
    return probing_passes(problem, k, "train", None if problem.metric_names else batches)


def _box_rows(problem: Problem, tangent: Tangent) -> tuple[Array, Array, NDArray[np.int64]]:
    """The bounds on parameters as ``G c <= h`` and the parameter of each row; only the rows that are met first.

    They say that ``theta_i - (V c)_i`` stays between ``lower_i`` and ``upper_i``.
    """
    k = tangent.basis.shape[0]
    if problem.bounds is None:
        return np.zeros((0, k)), np.zeros(0), np.zeros(0, dtype=np.int64)
    V = tangent.basis.double().cpu().numpy().T
    theta, lower, upper = (t.double().cpu().numpy() for t in (tangent.theta, *problem.bounds))
    G, h = np.concatenate([V, -V]), np.concatenate([theta - lower, upper - theta])
    entry = np.tile(np.arange(len(theta)), 2)
    speed = np.linalg.norm(G, axis=1)
    moving = np.flatnonzero((speed > 1e-12 * speed.max(initial=0.0)) & np.isfinite(h))
    tightest = moving[np.argsort(h[moving] / speed[moving])][:_MAX_BOX_ROWS]
    return G[tightest], np.maximum(h[tightest], 0), entry[tightest]
