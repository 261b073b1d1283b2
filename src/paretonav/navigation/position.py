"""Where a navigation is: the current point, the model and the session agree, whatever breaks off."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor

from paretonav.errors import NavigationError
from paretonav.geometry import Tangent, anchored_tangent, tangent_at
from paretonav.objectives import Event, Problem
from paretonav.objectives.modes import differentiable
from paretonav.session import Journal, Record
from paretonav.steering.reporting.point import Point, Step
from paretonav.undisturbed import undisturbed

T = TypeVar("T")

_AGAIN = 0.3  # of a step, that solving for a tangent again takes


class Position:
    """The current point of a navigation.

    Attributes:
        problem: whose parameters are those of the point.
        journal: of the session whose current point it is.
        point: None before the start.
    """

    def __init__(self, problem: Problem, journal: Journal, point: Point | None) -> None:
        self.problem, self.journal, self.point = problem, journal, point

    def accept(self, point: Point, tangent: Tangent, step: Step | None) -> Point:
        """Keep a new point, with the step that has led to it, and go there."""
        record = Record.of(point, step)
        return undisturbed(
            lambda: self._moved(point, lambda: self.journal.add(record, point, tangent), self._is_kept)
        )

    def go_to(self, point_id: int) -> Point:
        """Make an earlier point the current one."""
        point = self.journal.whole(point_id)
        return undisturbed(lambda: self._moved(point, lambda: self.journal.go_to(point_id), self._is_current))

    def tangent_of(self, point: Point) -> Tangent:
        """The tangent at a point, solved for again if it is no longer kept."""
        tangent = self.journal.tangent(point.id)
        if tangent is not None:
            return tangent
        problem, geometry, anchor = self.problem, point.trust.geometry, point.front.anchor
        problem.watch.require_free()
        with problem.watch.part(_AGAIN, "solve for the tangent"):
            if anchor is not None:  # its ways are not quite those of the point's front, so it is not kept
                axes = torch.from_numpy(point.front.weight_basis)
                return anchored_tangent(problem, point.parameters, geometry, pull=anchor.part, axes=axes)
            weights = torch.from_numpy(point.front.weights)
            tangent = tangent_at(problem, point.parameters, weights, geometry)
        self.journal.keep_tangent(point.id, tangent)
        return tangent

    def watched(
        self,
        work: Callable[[], T],
        on_event: Callable[[Event], None] | None = None,
        cancel: threading.Event | None = None,
        expected: float | None = None,
        came: Tensor | None = None,
    ) -> T:
        """One long operation, after whose failure the model is that of the current point, whatever has failed.

        Without such a point it has the parameters ``came`` [n], if they are given.

        Raises:
            NavigationError: the model is no longer that of the current point: somebody has changed it.
        """
        watch = self.problem.watch
        watch.require_idle()
        self.require_unchanged()
        try:
            with differentiable(), watch.over(on_event, cancel, expected):
                return work()
        except BaseException:
            watch.let_go()
            if watch.active:  # in another thread, which was faster
                raise
            if self.point is not None:
                self.problem.set_parameters(self.point.parameters)
            elif came is not None:
                self.problem.set_parameters(came)
            raise

    def require_unchanged(self) -> None:
        """Raise ``NavigationError`` if the model is no longer that of the current point."""
        point = self.point
        changed = None if point is None else self.problem.changed_since(point.parameters)
        if point is not None and changed is not None:
            raise NavigationError(
                f"{changed} of the model changed since point {point.id} was made (trained on, say), so nothing "
                f"here is about it; go_to({point.id}) brings that point's parameters back, and a new Navigator "
                "starts from the model as it is"
            )

    def _moved(self, point: Point, move: Callable[[], object], has_moved: Callable[[Point], bool]) -> Point:
        """Move the session to a point, and this with it: both, or neither, whatever breaks that off."""
        try:
            move()
            self.point = point
            self.problem.set_parameters(point.parameters)
        except BaseException:
            if has_moved(point):
                self.point = point
            if self.point is not None:
                self.problem.set_parameters(self.point.parameters)
            raise
        return point

    def _is_kept(self, point: Point) -> bool:
        return len(self.journal.session) > point.id

    def _is_current(self, point: Point) -> bool:
        current = self.journal.session.current
        return self.journal.session.writable and current is not None and current.id == point.id
