"""What is measured where a start or a step has led, before a point is made of it."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from paretonav.errors import NonFiniteError
from paretonav.geometry import FrontModel, anchored_tangent, measure_front, tangent_at
from paretonav.objectives import Cost, Losses, Problem
from paretonav.steering.stepping.correctors import Correction
from paretonav.steering.stepping.place import Place
from paretonav.steering.stepping.trust import Trust
from paretonav.text import in_quotes

_TANGENT = 0.7  # of a measurement; the front model is the rest


def measured_at(
    problem: Problem,
    correction: Correction,
    trust: Trust,
    *,
    holds: bool = False,
    known: Losses | None = None,
) -> Place:
    """The front around the end of a correction.

    Args:
        problem: what is steered.
        correction: whose tangent is taken, if it has one.
        trust: how the front is measured.
        holds: whether the model is held there.
        known: the validation losses there, if they are known.

    Raises:
        NonFiniteError: a derivative along the tangent is not finite.
    """
    tangent = correction.tangent
    with problem.watch.part(1.0, "measure"):
        if tangent is None:
            with problem.watch.part(_TANGENT):
                tangent = (
                    anchored_tangent(problem, correction.theta, trust.geometry)
                    if holds
                    else tangent_at(problem, correction.theta, correction.weights, trust.geometry)
                )
        front = measure_front(problem, tangent, trust.geometry, known=known)
    _require_finite(front)
    return Place(front, tangent, trust)


class Spending:
    """What is spent on a problem from here on."""

    def __init__(self, problem: Problem) -> None:
        self._problem, self._before, self._began = problem, problem.cost, time.perf_counter()

    def cost(self) -> Cost:
        """What was spent until now, with the time that it took."""
        return replace(self._problem.cost - self._before, seconds=time.perf_counter() - self._began)


def _require_finite(front: FrontModel) -> None:
    """Raise ``NonFiniteError`` naming the objective whose derivatives along the tangent are not finite."""
    bend = np.broadcast_to(front.bend, (front.m, *front.bend.shape[1:])).reshape(front.m, -1)
    derivatives = np.concatenate([front.response, bend], axis=1)
    # The objectives share a graph, where an infinite derivative of one makes those of the others 0 * inf.
    for suspect in (np.isinf(derivatives), np.isnan(derivatives)):
        if suspect.any():
            name = front.names[int(suspect.any(axis=1).argmax())]
            raise NonFiniteError(
                f"the second derivatives of objective {in_quotes(name)} are not finite; look for a "
                "root or a logarithm at zero"
            )
    if front.validation_response is not None:
        finite = np.isfinite(front.validation_response).all(axis=1)
        if not finite.all():
            raise NonFiniteError(
                f"objective {front.names[int(finite.argmin())]!r} is not finite on validation data next to the model, "
                "however near; look for a root or a logarithm at zero"
            )
