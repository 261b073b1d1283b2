"""The Pareto front near one point, as a model in the m dimensions of the objectives."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from paretonav.geometry.algebra import absolute, inner_products
from paretonav.geometry.corner import Corner
from paretonav.geometry.path import path_curvature
from paretonav.geometry.tangent import Geometry, Tangent
from paretonav.objectives import Losses, Problem, Response

Array = NDArray[np.float64]

_MAX_BOX_ROWS = 512
_MAX_MEASURED, _MAX_AT_ONCE = 10, 20  # objectives; the latter where backward passes run as one
_SEEN_BATCHES = 8  # of the training data, for the standard errors of its response
_BEND, _HELD_OUT = 0.3, 0.9  # where these end, as parts of the way from a tangent
_DIFFERENCE = 0.03  # of the losses: how far central differences go, about the length of a step


@dataclass(frozen=True, eq=False)
class FrontModel:
    """Everything that a decision needs to know of the front near a point; no pass over data, no parameters.

    What can be asked for are q = m + p quantities: the training losses, and the metrics as they are shown.

    Tangent coordinates c [m-1] stand for weights ``alpha + B c``. The losses on the front there change by

        change_i(c) = -R_i c + 1/2 c^T Q_i c

    to second order: that is how they change along ``theta - V c``, which leaves the front only in its fourth order.
    With more than ten objectives (twenty of functions) the Q_i are not measured one by one; their common part is used,
    ``Q = B^T R_objectives - weight_decay V^T V``, the front's displacement from its tangent plane along (1, ..., 1).

    Attributes:
        names: of the objectives.
        losses: [m], shown training losses at the point.
        weights: alpha, [m].
        weight_basis: B, [m, m-1].
        response: R, [m, m-1], of the shown training losses.
        bend: Q, [m, m-1, m-1], or [1, m-1, m-1] for the common part.
        metric: |B^T R_objectives|, [m-1, m-1], positive definite: what a change c costs in curvature.
        validation_losses: at the point, or None.
        validation_response: R on validation data, or None.
        validation_turn: [m, m-1, m-1], how much more Q is on validation data because objectives that are functions of
            means are so at other ones; None where that is nothing.
        absolute: the names of the losses and metrics that are absolute values. Theirs are ``|value + change| - value``,
            so that what would lead below zero is predicted to come up on the other side.
        metric_names: of the p metrics.
        metric_values: [p], at the point, on validation data where there is any.
        metric_response: [p, m-1], so that metrics change by ``-metric_response @ c``.
        metric_orientation: [p], 1 where lower is better, -1 where higher is, 0 where nobody has said.
        seen: the response batch by batch on some training data, for standard errors; None for a function.
        held_out: the response batch by batch on validation data, metrics included, or None.
        box: (G [r, m-1], h [r], entry [r]): ``G c <= h`` keeps parameter number ``entry`` inside its bounds.
        joint_gain: by how much all objectives could still fall together (Newton decrement).
        residual: |J^T alpha|.
    """

    names: tuple[str, ...]
    losses: Array
    weights: Array
    weight_basis: Array
    response: Array
    bend: Array
    metric: Array
    validation_losses: Losses | None
    validation_response: Array | None
    box: tuple[Array, Array, NDArray[np.int64]]
    joint_gain: float
    residual: float
    metric_names: tuple[str, ...] = ()
    metric_values: Array = field(default_factory=lambda: np.zeros(0))
    metric_response: Array | None = None
    metric_orientation: Array = field(default_factory=lambda: np.zeros(0))
    seen: Response | None = None
    held_out: Response | None = None
    validation_turn: Array | None = None
    absolute: tuple[str, ...] = ()

    @classmethod
    def from_tangent(
        cls, problem: Problem, tangent: Tangent, geometry: Geometry, *, measure: bool = True
    ) -> FrontModel:
        """Reduce a tangent to m dimensions.

        It takes m - 1 Jacobian-vector products on the validation data and, where the problem has not kept the gradients
        of its Jacobian, a few training batches. ``measure=False`` saves that and knows of the training losses only.
        """
        bend = _bend(problem, tangent, geometry)
        validation_losses, held_out, seen = None, None, None
        steps = _difference_steps(tangent, bend)
        metrics = problem.metric_names if measure else ()
        if measure and problem.has_validation:
            with problem.watch.part(_HELD_OUT):
                validation_losses, held_out = problem.response(
                    tangent.theta, tangent.basis, "validation", steps=steps
                )
        if measure and problem.stochastic:
            seen = problem.response(
                tangent.theta,
                tangent.basis,
                steps=None if problem.has_validation else steps,
                batches=_SEEN_BATCHES,
            )[1]
        measured = held_out or seen
        shown = tangent.losses if validation_losses is None else validation_losses
        better = [problem.higher_is_better.get(name) for name in metrics]
        return cls(
            names=problem.names,
            losses=tangent.losses.mean.numpy(),
            weights=tangent.weights.numpy(),
            weight_basis=tangent.weight_basis.numpy(),
            response=tangent.response.numpy(),
            bend=bend,
            metric=absolute(tangent.curvature_of_front.numpy()),
            validation_losses=validation_losses,
            validation_response=None if held_out is None else held_out.mean[: problem.m].numpy(),
            metric_names=metrics,
            metric_values=np.array([shown.metrics[name] for name in metrics]),
            metric_response=None if measured is None else measured.mean[problem.m :].numpy(),
            metric_orientation=np.array([0.0 if b is None else -1.0 if b else 1.0 for b in better]),
            seen=seen,
            held_out=held_out,
            validation_turn=_turned(tangent, held_out, bend),
            absolute=problem.absolute,
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
    def values(self) -> Array:
        """[q], training losses and metrics at the point."""
        return np.concatenate([self.losses, self.metric_values])

    @property
    def validation_bend(self) -> Array:
        """Q as far as it is known on validation data, of the shape of ``bend`` or [m, m-1, m-1]."""
        return self.bend if self.validation_turn is None else self.bend + self.validation_turn

    @property
    def orientation(self) -> Array:
        """[q], 1 where lower is better, -1 where higher is, 0 where nobody has said."""
        return np.concatenate([np.ones(self.m), self.metric_orientation])

    def changes(self, c: Array) -> Array:
        """[q], the predicted changes of losses (to second order) and metrics (to first) at coordinates c."""
        return np.concatenate([self.change(c), self.metric_change(c)])

    def slopes(self, c: Array) -> Array:
        """[q, m-1], the derivatives of ``changes`` at c."""
        losses, changes = self.bend @ c - self.response, self._smooth_change(c)
        if self.metric_response is None:
            return self._corner[: self.m].slopes(self.losses, changes, losses)
        metrics = -self.metric_response
        return self._corner.slopes(
            self.values,
            np.concatenate([changes, metrics @ c]),
            np.concatenate([losses, metrics]),
        )

    def metric_change(self, c: Array) -> Array:
        """[p], the predicted change of the metrics at coordinates c."""
        if self.metric_response is None:
            return np.zeros(0)
        return self._corner[self.m :].changes(self.metric_values, -self.metric_response @ c)

    def errors(self, c: Array) -> tuple[Array | None, Array | None, Array | None]:
        """Standard errors of the predicted changes at coordinates c: training losses, validation losses, metrics.

        Those of their first-order parts, from the responses batch by batch. None where there are too few batches, or
        no data.
        """
        coordinates = torch.from_numpy(np.asarray(c, dtype=float))
        seen, held_out = (None if r is None else r.along(coordinates)[1] for r in (self.seen, self.held_out))
        shown = held_out
        if self.held_out is None and self.seen is not None and seen is not None:
            shown = (
                seen / self.seen.share**0.5
            )  # of metrics nothing more was measured; of losses all the data
        return (
            None if seen is None else seen[: self.m].numpy(),
            None if held_out is None else held_out[: self.m].numpy(),
            None if shown is None or not self.metric_names else shown[self.m :].numpy(),
        )

    def displacement(self, c: Array) -> Array:
        """The second-order part of the change at coordinates c, [m] or [1]."""
        return 0.5 * np.asarray(self.bend @ c @ c)

    def change(self, c: Array) -> Array:
        """[m], the predicted change of the training losses at coordinates c, to second order."""
        return self._corner[: self.m].changes(self.losses, self._smooth_change(c))

    def validation_change(self, c: Array) -> Array | None:
        """The same on validation data: its own response; the training data's curvature, but for ``validation_turn``."""
        if self.validation_response is None:
            return None
        smooth = -self.validation_response @ c + 0.5 * np.asarray(self.validation_bend @ c @ c)
        if self.validation_losses is None:
            return smooth
        return self._corner[: self.m].changes(self.validation_losses.mean.numpy(), smooth)

    @property
    def _corner(self) -> Corner:
        return Corner(np.isin(self.steerable, self.absolute))

    def _smooth_change(self, c: Array) -> Array:
        return -self.response @ c + self.displacement(c)

    def weights_at(self, c: Array) -> Array:
        """[m], the weights that make the point at coordinates c optimal; a negative one is beyond the edge."""
        return self.weights + self.weight_basis @ c

    def edge(self, c: Array) -> float:
        """The largest s for which ``s c`` is still on the front (weights >= 0) and inside the box."""
        limits = [np.inf]
        for rows, room in ((-self.weight_basis, self.weights), self.box[:2]):
            rates = rows @ c
            outward = rates > 0
            limits.extend(np.maximum(room[outward], 0) / rates[outward])
        return float(min(limits))

    @cached_property
    def normal(self) -> Array:
        """[m], the front's normal in the losses as shown, summing to one: alpha, corrected for the weight decay.

        The part of alpha that the response does not see, so that moving along the front is orthogonal to it.
        """
        R = self.response
        normal = self.weights - R @ (np.linalg.pinv(R, rcond=1e-6) @ self.weights)
        total = normal.sum()
        return normal / total if total > 1e-6 else self.weights

    def exchange_rates(self) -> Array:
        """[m, m], entry (i, j): the change of loss j per unit change of loss i, all others held (-n_i / n_j).

        NaN on the diagonal, and infinite where loss j cannot pay (its weight is zero).
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            rates = -self.normal[:, None] / self.normal[None, :]
        np.fill_diagonal(rates, np.nan)
        return np.asarray(rates)


def _bend(problem: Problem, tangent: Tangent, geometry: Geometry) -> Array:
    """Q, [m, m-1, m-1], or their common part, [1, m-1, m-1]."""
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
        bend = path_curvature(sample, theta, V, m, problem.cost, problem.watch, known)
    return (bend if tangent.turn is None else bend + tangent.turn).numpy()


def _turned(tangent: Tangent, held_out: Response | None, bend: Array) -> Array | None:
    if tangent.turn is None or held_out is None or held_out.turn is None:
        return None
    turned = (held_out.turn - tangent.turn).numpy()
    if tangent.signs is None or held_out.signs is None or len(bend) < len(turned):
        return np.asarray(turned)
    # Where the two data are on different sides of a corner, what is curved the one way is so the other way.
    other = (tangent.signs != held_out.signs).numpy()[:, None, None]
    return np.asarray(turned - 2 * other * (bend - tangent.turn.numpy()))


def _difference_steps(tangent: Tangent, bend: Array) -> Tensor:
    """[m-1], for each direction the length that changes some loss by a few per cent, and none by more.

    To second order: where the objectives hardly compete the first order alone would lead anywhere.
    """
    sizes = tangent.losses.mean.abs().clamp_min(1e-3 * float(tangent.losses.mean.abs().max()))
    speeds = (tangent.response.abs() / sizes[:, None]).amax(0)
    turns = torch.from_numpy(np.nan_to_num(np.abs(np.diagonal(bend, axis1=1, axis2=2)))) / (
        2 * sizes[:, None]
    )
    slow = (speeds.square() + 4 * _DIFFERENCE * turns.amax(0)).sqrt() + speeds
    return 2 * _DIFFERENCE / slow.clamp_min(1e-12)


def _box_rows(problem: Problem, tangent: Tangent) -> tuple[Array, Array, NDArray[np.int64]]:
    """The bounds as ``G c <= h``: theta_k - (V c)_k stays between lower_k and upper_k; the tightest rows only."""
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
