"""The model of the front around a point, measured along its tangent.

See docs/method.md#front-model.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paretonav.geometry.algebra import absolute, inner_products
from paretonav.geometry.exchange import expected_bend
from paretonav.geometry.front import FrontModel
from paretonav.geometry.path import path_curvature
from paretonav.geometry.probes import Probes, first_lengths, probing_passes
from paretonav.geometry.sizes import relative_sizes
from paretonav.geometry.tangent import Geometry, Tangent
from paretonav.objectives import Losses, Problem, Response
from paretonav.objectives.problem import Split
from paretonav.objectives.sample import as_shown

Array = NDArray[np.float64]

# Bounds that a plan is kept from, those that are met first. Chosen, not measured: more make each programme slower, and
# one that is left out is kept by the predictor all the same.
_MAX_BOX_ROWS = 512
# Objectives whose bends are measured one by one, m - 1 passes each; and where several backward passes run as one.
# Chosen, not measured: beyond, the passes grow with m^2, and the common bend has to do.
_MAX_MEASURED, _MAX_AT_ONCE = 10, 20
# Training batches from which the standard errors of the training response come: enough for a t-test, few to read.
_BATCHES = 8
# How far the work of a front model is when these are done, for its events.
_BEND, _PROBES = 0.3, 0.9
# Training examples on which the bend around a held model is measured. Chosen, not measured: it is a correction to the
# exact slopes, and training losses are forgiven more than validation losses.
_BENT_EXAMPLES = 512


def measure_front(
    problem: Problem,
    tangent: Tangent,
    geometry: Geometry,
    *,
    measure: bool = True,
    known: Losses | None = None,
) -> FrontModel:
    """The model of the front around the point of a tangent, measured along it.

    Args:
        problem: whose losses and metrics they are.
        tangent: at the point.
        geometry: how curvature is measured.
        measure: whether to measure losses and metrics at the size of a step, on validation data where there are
            any (``Probes``). False saves that; the model then knows the training losses only.
        known: the validation losses at the point, if they have been measured already.
    """
    m = problem.m
    bend = _bend(problem, tangent, geometry) if tangent.anchor is None else None
    expected = bend
    if expected is None:
        sizes = relative_sizes(tangent.losses.mean.numpy())
        expected = expected_bend(sizes, tangent.weights.numpy(), len(tangent.basis))
    lengths = first_lengths(tangent.response, tangent.losses.mean, expected)
    metrics = problem.metric_names if measure else ()

    def probes_on(split: Split) -> Probes:
        before = known if split == "validation" else None
        return Probes.along(problem, tangent.theta, tangent.basis, split, lengths, before=before)

    validation: Probes | None = None
    if measure and problem.has_validation:
        with problem.watch.part(_PROBES):
            validation = probes_on("validation")
            problem.require_finite(validation.before, "on validation data")
    train: Probes | None = None
    by_batch: Response | None = None
    if measure and problem.stochastic:
        if metrics and validation is None:
            train = probes_on("train")
            by_batch = train.response
        else:
            by_batch = problem.response(tangent.theta, tangent.basis, batches=_BATCHES)[1]
    if bend is None:
        bend = _measured_bend(problem, tangent, lengths, validation, train)

    shown = tangent.losses if validation is None else validation.before  # these have the metrics
    shown_by_batch = by_batch if validation is None else validation.response
    probes = validation or train
    better = [problem.higher_is_better.get(name) for name in metrics]
    return FrontModel(
        names=problem.names,
        losses=tangent.losses.mean.numpy(),
        weights=tangent.weights.numpy(),
        weight_basis=tangent.weight_basis.numpy(),
        response=tangent.response.numpy(),
        response_by_batch=by_batch,
        bend=bend,
        curvature=absolute(tangent.curvature_of_front.numpy()),
        validation_losses=None if validation is None else validation.before,
        validation_response=None if validation is None else validation.response.mean[:m].numpy(),
        validation_response_by_batch=None if validation is None else validation.response,
        validation_bend=None if validation is None else validation.bend[:m],
        metric_names=metrics,
        metric_values=np.array([shown.metrics[name] for name in metrics]),
        metric_response=None if shown_by_batch is None else shown_by_batch.mean[m:].numpy(),
        metric_bend=None if probes is None or not metrics else probes.bend[m:],
        metric_orientation=np.array([0.0 if b is None else -1.0 if b else 1.0 for b in better]),
        absolute=problem.absolute,
        anchor=tangent.anchor,
        asked="train" if validation is None else "validation",
        box=_box_rows(problem, tangent),
        joint_gain=tangent.joint_gain,
        residual=tangent.residual,
    )


def _bend(problem: Problem, tangent: Tangent, geometry: Geometry) -> Array:
    """Q of the training losses, [m, m-1, m-1]; one for all of them, [1, m-1, m-1], where there are too many."""
    theta, V, m = tangent.theta, tangent.basis, problem.m
    parts = problem.curvature_sample(geometry.samples, around=theta)
    sample = as_shown(parts)
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


def _measured_bend(
    problem: Problem, tangent: Tangent, lengths: Array, validation: Probes | None, train: Probes | None
) -> Array:
    """Q of the training losses around a held model, [m, k, k], from differences over the size of a step.

    Where there are probes of validation data, the training losses are only a figure beside them, so fewer directions
    are measured.
    """
    if train is None:
        train = Probes.along(
            problem,
            tangent.theta,
            tangent.basis,
            "train",
            lengths if validation is None else validation.lengths,
            batches=_bent_batches(problem, len(tangent.losses.fractions)),
            rays=validation is None,
        )
    return train.bend[: problem.m]


def _bent_batches(problem: Problem, batches: int) -> int:
    """The number of training batches that the bend around a held model is measured on, of ``batches``."""
    return max(2, round(_BENT_EXAMPLES * batches / (problem.examples or 1)))


def measuring_passes(problem: Problem, k: int) -> float:
    """The usual cost of ``measure_front`` for a held model with k ways, in passes over training data."""
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
