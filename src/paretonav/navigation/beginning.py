"""The first model: taken as it is, trained on, or led to the front."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from paretonav.errors import NavigationError
from paretonav.geometry import pareto_weights
from paretonav.objectives import Problem
from paretonav.objectives.finite import finite_jacobian
from paretonav.steering.reporting.point import Point
from paretonav.steering.stepping.correctors import Correction
from paretonav.steering.stepping.method import Method
from paretonav.steering.stepping.train_on import TrainOn, train_on
from paretonav.steering.stepping.trust import Trust

logger = logging.getLogger(__name__)

_FIRST_RADIUS = 1.0  # until a prediction has failed, no loss may more than double in one leg
_TRAINED, _POLISHED = 0.85, 0.95  # where these end, as parts of a start: training takes most of it
_JACOBIAN = 0.2  # of a start from a trained model; the curvature products take the rest
_NOTABLE = (
    0.02  # of a loss: a joint gain beyond that is warned of, as steps of a few per cent would be about it
)


class Beginning:
    """Where a navigation begins.

    Attributes:
        problem: what is steered.
        trained: whether the problem's own recipe has been run to its end; then it is not run again, even if what came
            after it was broken off.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem, self.trained = problem, False

    def model(self, method: Method, how: TrainOn | None, *, polish: bool) -> Correction:
        """The first model, as the end of a correction that no step belongs to.

        Args:
            method: how to steer.
            how: to train on before; None for not at all. Then the problem has other parameters.
            polish: whether a model that is not held is led to the front.
        """
        problem = self.problem
        if how is not None:
            self._train_on(how)
        if method.holds:
            return Correction(problem.parameters(), None, problem.training_weights, None, 0, converged=True)
        if not polish:
            return self._as_it_is()
        theta, weights = self._near_the_front(method)
        with problem.watch.part(_POLISHED, "polish"):
            return method.corrector.correct(problem, theta, weights, method.geometry)

    def _near_the_front(self, method: Method) -> tuple[Tensor, Tensor]:
        """Parameters to start from, and the weights at which they are expected to be optimal."""
        problem, approach = self.problem, method.approach
        uniform = torch.full((problem.m,), 1 / problem.m, dtype=torch.float64)
        if problem.stochastic and problem.needs_training and approach is None:
            self._train()
        theta = problem.parameters()
        if self.trained:
            return theta, uniform
        if approach is not None and (problem.needs_training or not problem.stochastic):
            with problem.watch.part(_TRAINED, "descend to the front"):
                found = approach.correct(problem, theta, uniform, method.geometry)
            return found.theta, found.weights
        return theta, self._as_it_is().weights

    def _train_on(self, how: TrainOn) -> None:
        """Descend; who asked for it undoes it if what follows fails."""
        problem = self.problem
        with problem.watch.part(_TRAINED, "train on"):
            trained = train_on(problem, problem.training_weights, how)
        if trained.kept:
            problem.set_parameters(trained.theta)
        logger.info(
            "trained on for %d epochs and kept what was there after %d; %s losses: %s",
            trained.epochs,
            trained.kept,
            trained.on,
            ", ".join(
                f"{name} {before:.4g} -> {after:.4g}"
                for name, before, after in zip(
                    problem.names, trained.before.mean.tolist(), trained.losses.mean.tolist(), strict=True
                )
            ),
        )

    def _train(self) -> None:
        """Run the problem's recipe to its end, or leave the model as it was."""
        before = self.problem.parameters()
        try:
            with self.problem.watch.part(_TRAINED, "train the first model"):
                trained = self.problem.train()
        except BaseException:
            self.problem.set_parameters(before)
            raise
        self.problem.set_parameters(trained)
        self.trained = True

    def _as_it_is(self) -> Correction:
        theta = self.problem.parameters()
        with self.problem.watch.part(_JACOBIAN, "measure the gradients", passes=1):
            losses, jacobian = finite_jacobian(self.problem, theta, "at the start")
        weights, _ = pareto_weights(self.problem, theta, jacobian)
        return Correction(theta, losses, weights, tangent=None, iterations=0, converged=False)


def first_trust(problem: Problem, method: Method) -> Trust:
    """That in the front of the first model."""
    geometry = method.geometry
    if not method.adapts:
        return Trust(np.inf, geometry, adapts=False)
    if not method.holds:
        tolerance = geometry.tolerance_for(problem, problem.parameters().dtype)
        geometry = replace(geometry, tolerance=tolerance)
    return Trust(_FIRST_RADIUS, geometry, adapts=True)


def asked_training(problem: Problem, how: TrainOn | bool | None) -> TrainOn | None:
    """The ``train_on`` of a start, checked.

    Raises:
        NavigationError: it is none, or the problem is not one to be trained on.
    """
    if how is None or how is False:
        return None
    how = TrainOn() if how is True else how
    if not isinstance(how, TrainOn):
        raise NavigationError(f"train_on={how!r} is not possible; give True, a TrainOn, or None")
    if not problem.stochastic:
        raise NavigationError(
            "train_on is for models; a function has no data to train on, and start() descends it by itself"
        )
    if type(problem).train is not Problem.train:
        raise NavigationError(
            "train_on is for models that come trained; this problem brings its own recipe, which start() runs"
        )
    return how


def warn_if_untrained(point: Point) -> None:
    """Log a warning where all losses of a first point could still fall together by much."""
    notable = ", ".join(
        f"{name} ({100 * point.joint_gain / abs(loss):.1f} % of it)" if loss else f"{name} (which is 0)"
        for name, loss in point.losses.items()
        if point.joint_gain > _NOTABLE * abs(loss)
    )
    if notable:
        logger.warning(
            "all objectives could still fall together by about %.3g, which is much for %s; train the model on "
            "before trading",
            point.joint_gain,
            notable,
        )
