"""What a navigator writes into a session, and reads of it to go on from there."""

from __future__ import annotations

import logging

import torch
from torch import Tensor

from paretonav.errors import ProblemError, SessionError
from paretonav.geometry import Tangent
from paretonav.objectives import Problem
from paretonav.session.archive import whole
from paretonav.session.layout import require_same, require_same_hold
from paretonav.session.record import Record
from paretonav.session.session import Session
from paretonav.session.turns import one_at_a_time
from paretonav.steering import Point
from paretonav.text import in_quotes

logger = logging.getLogger(__name__)


class Journal:
    """A session as its navigator has it: points are added and gone to, and their tangents kept.

    It is apart from ``Session`` because nobody else should do that: the model would not follow. It shares the
    session's insides and its turn, so what others look at meanwhile is whole.

    Args:
        session: to be written into.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self._turn = session._turn
        self._archive = session._archive
        self._folder = session._folder

    @one_at_a_time
    def attach(self, problem: Problem, *, holds: bool = False) -> Point | None:
        """Make this the session of ``problem``, which becomes what it was at the current point.

        If the current point's file is lost, that is the nearest earlier one that is there, and a warning is logged.

        Args:
            problem: what is steered.
            holds: whether the navigator holds a model where it is.

        Returns:
            The point to go on from; None where there is none yet.

        Raises:
            SessionError: it is the session of another problem or of other data, or one in which the model was not held
                so; or nothing of it can be read.
        """
        self.session._problem = problem
        current = self.session.current
        if self._folder is None:
            if current is None:
                return None
            point = self.session.point(current.id)
            require_same_hold({}, problem, point, holds, "memory")
            return point
        self._folder.device = problem.parameters().device
        if current is None:
            return None
        where = repr(str(self.session.path))
        require_same(self._folder.facts, problem, problem.parameters(), where)
        point = self._nearest(current)
        require_same_hold(self._folder.facts, problem, point, holds, where)
        before = problem.parameters()
        own = {name: t.clone() for name, t in problem.state_dict(before).items() if isinstance(t, Tensor)}
        fixed = self._folder.fixed()
        try:
            problem.restore(fixed)
        except ProblemError as error:
            file = str(self._folder.path / "model.safetensors")
            raise SessionError(f"{file!r} is of another model: {error}; restore it from a backup") from error
        try:
            _require_same_losses(problem, point, where)
        except BaseException:
            problem.restore({name: own[name] for name in fixed})
            raise
        problem.set_parameters(point.parameters)
        if self.session.writable:
            self._restore_random_state(point)
            if point.id != current.id:
                self._archive.go_to(point.id)
        return point

    @one_at_a_time
    def whole(self, point_id: int) -> Point:
        """A point that can be gone to.

        Raises:
            SessionError: there is no such point, it was pruned, or its file is damaged.
        """
        return whole(self._archive, self.session.point(point_id))

    @one_at_a_time
    def add(self, record: Record, point: Point, tangent: Tangent) -> None:
        """Add a point and make it the current one."""
        if record.id != len(self.session.records):
            raise SessionError(
                f"cannot add point {record.id} to the {len(self.session.records)} that there are: another navigator "
                "has added one meanwhile; take the step again"
            )
        if record.id == 0 and self.session._problem is not None:
            self._archive.begin(self.session._problem, point.parameters)
        self._archive.add(record, point, tangent)

    @one_at_a_time
    def go_to(self, point_id: int) -> Point:
        """Make a point the current one.

        Raises:
            SessionError: as ``whole``.
        """
        point = self.whole(point_id)
        self._archive.go_to(point.id)
        return point

    @one_at_a_time
    def tangent(self, point_id: int) -> Tangent | None:
        """The tangent at a point, if it is kept."""
        return self._archive.tangent(self.session[point_id].id)

    @one_at_a_time
    def keep_tangent(self, point_id: int, tangent: Tangent) -> None:
        """Keep a tangent that was solved for again."""
        self._archive.keep_tangent(point_id, tangent)

    def _nearest(self, current: Record) -> Point:
        """The current point, or, where that cannot be read, the nearest before it that can, or any other."""
        before = list(reversed(self.session.path_to(current.id)))
        others = [
            record for record in reversed(self.session.records) if record.id not in {r.id for r in before}
        ]
        lost: SessionError | None = None
        for record in (*before, *others):
            try:
                point = self.whole(record.id)
            except SessionError as error:
                lost = lost or error
                continue
            if lost is not None:
                logger.warning("%s. The navigation goes on from point %d", lost, record.id)
            return point
        raise lost or SessionError("the session has no point yet")

    def _restore_random_state(self, point: Point) -> None:
        """That of the last point, with which the next would have been made."""
        if self._folder is None:
            return
        last = len(self.session.records) - 1
        try:
            self._folder.restore_random_state(last)
        except SessionError as error:
            if point.id == last:
                raise
            if last not in self._archive.pruned:
                logger.warning("%s. Without it, the state of torch's random generator is as it was", error)


def _require_same_losses(problem: Problem, point: Point, where: str) -> None:
    """Refuse data on which the losses are not those that the session has."""
    if problem.has_validation != (point.measured.validation is not None):
        raise SessionError(f"the session in {where} was made with other validation data; give the same")
    for split, there in (("train", point.measured.train), ("validation", point.measured.validation)):
        if there is None:
            continue
        now = problem.evaluate(point.parameters, split)  # type: ignore[arg-type]
        if now.batches.shape != there.batches.shape or not torch.equal(now.fractions, there.fractions):
            raise SessionError(
                f"the {split} data are divided otherwise than those of the session in {where}; give the same data in "
                "batches of the same size"
            )
        close = torch.isclose(now.mean, there.mean, rtol=1e-3, atol=1e-6 * float(there.mean.abs().max()))
        for name, same, a, b in zip(problem.names, close, there.mean, now.mean, strict=True):
            if not same:
                raise SessionError(
                    f"{in_quotes(name)} on the {split} data is {float(b):.6g} at point {point.id}, "
                    "where the session in "
                    f"{where} has {float(a):.6g}; give the same data, losses and model, or another folder"
                )
