"""What more training would bring, at each point where that was asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable

import torch

from paretonav.errors import NavigationError
from paretonav.navigation.measuring import Spending
from paretonav.navigation.position import Position
from paretonav.objectives import Event
from paretonav.steering.reporting.point import Point
from paretonav.steering.reporting.training_gain import FIRST_ROUNDS, TrainingGain
from paretonav.steering.stepping.train_on import TrainOn, train_on


class Gains:
    """The latest training gain of each point, with the descent that it is of."""

    def __init__(self, position: Position) -> None:
        self._at = position
        self._found: dict[int, tuple[TrainOn, TrainingGain]] = {}

    def known(self, point: Point) -> TrainingGain | None:
        """That of a point, if it was asked for."""
        return self._found[point.id][1] if point.id in self._found else None

    def measured(
        self,
        point: Point,
        how: TrainOn | None,
        on_event: Callable[[Event], None] | None,
        cancel: threading.Event | None,
    ) -> TrainingGain:
        """That of the current point; see ``Navigator.training_gain``."""
        problem, descent = self._at.problem, FIRST_ROUNDS if how is None else how
        if not isinstance(descent, TrainOn):
            raise NavigationError(f"training_gain({how!r}) is not possible; give a TrainOn, or None")
        if not problem.stochastic:
            raise NavigationError("a function has no data to train on, so there is no gain to measure")
        if point.id in self._found and self._found[point.id][0] == descent:
            return self._found[point.id][1]
        weights = torch.from_numpy(point.front.weights)

        def work() -> TrainingGain:
            spending = Spending(problem)
            with problem.watch.part(1.0, "train on"):
                trained = train_on(problem, weights, descent)
            return TrainingGain.of(problem, weights, trained, spending.cost())

        gain = self._at.watched(work, on_event, cancel)
        self._found[point.id] = descent, gain
        return gain
