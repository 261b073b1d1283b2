"""A session on disk: a table of points, and a file of tensors for each."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import torch
from torch import Tensor

from paretonav.errors import SessionError, reason_of
from paretonav.geometry import Tangent
from paretonav.objectives import Problem
from paretonav.session.database import Database
from paretonav.session.files import read_tensors, readable, write_tensors
from paretonav.session.layout import require_sound, to_facts
from paretonav.session.lock import WriterLock
from paretonav.session.precision import Precision, packed, unpacked
from paretonav.session.premises import clear_up, point_file, prepare, require_plain, tangent_file
from paretonav.session.record import Record
from paretonav.session.record_json import storable
from paretonav.session.tangents import TangentFiles
from paretonav.session.value_file import read_value, write_value
from paretonav.steering import Point

logger = logging.getLogger(__name__)

_AT_HAND = 4  # points and tangents in memory
_PATIENCE = 5.0  # seconds, for a session that another process is making


class FolderArchive:
    """An archive in a folder: ``session.db``, ``model.safetensors`` (what is not steered), ``points/``, ``tangents/``.

    A point or a tangent is there once its row is in the table, which is written last, with the file's checksum; files
    without a row are left-overs of a process that was killed.

    Args:
        path: of the folder; made if it is not there and may be written.
        precision: of the parameters, for a new session: "full"; "half", in float16; "delta", the difference from the
            first point in float16. All but "full" go without tangents, which are solved for again.
        write: False opens for reading only.

    Raises:
        SessionError: the folder holds something else, is damaged, or cannot be written.
    """

    def __init__(self, path: Path, precision: Precision = "full", *, write: bool = True) -> None:
        if precision not in get_args(Precision):
            raise SessionError(f"precision={precision!r} is unknown; choose 'full', 'half' or 'delta'")
        self.path, self.device = path, torch.device("cpu")
        require_plain(path)
        if write:
            prepare(path)
        self._lock = WriterLock(path) if write else None
        self._second = self._lock is not None and not self._lock.held
        try:
            self._database = _opened(path / "session.db", self.writable, _PATIENCE if self._second else 0.0)
            self._facts: dict[str, Any] = {"precision": precision}
            self._read_facts()
            self._tangent_files = TangentFiles(path, self._database)
            if self.writable:
                clear_up(path, len(self._database), set(self._database.tangents()))
        except BaseException:
            self.close()
            raise
        self._points: OrderedDict[int, Point] = OrderedDict()
        self._tangents: OrderedDict[int, Tangent] = OrderedDict()

    @property
    def writable(self) -> bool:
        """Whether this is the one process that writes."""
        return self._lock is not None and self._lock.held

    @property
    def owner(self) -> str:
        """Who writes, if it was another process when this one wanted to."""
        return self._lock.owner if self._lock is not None and self._second else ""

    @property
    def facts(self) -> dict[str, Any]:
        """What is known of the session as a whole."""
        if not self.writable:
            self._read_facts()
        return self._facts

    @property
    def generation(self) -> int:
        """A number that changes when another process has written."""
        return self._database.generation

    @property
    def current(self) -> int | None:
        return self.facts.get("current")

    def records(self) -> tuple[Record, ...]:
        return self._database.records()

    def begin(self, problem: Problem, theta: Tensor) -> None:
        steered = {name for entry in problem.layout() for name in entry.names}
        fixed = {
            name: value
            for name, value in problem.state_dict(theta).items()
            if name not in steered and isinstance(value, Tensor)
        }
        facts = to_facts(problem, theta) | {"precision": self._facts["precision"]}
        with self._writing("the session's model"):
            (self.path / "points").mkdir(exist_ok=True)
            (self.path / "tangents").mkdir(exist_ok=True)
            model = write_tensors(
                self.path / "model.safetensors", fixed, {"paretonav": "what is not steered"}
            )
            facts["model"] = model
            self._database.note_facts(**facts)
        self._facts |= facts

    def add(self, record: Record, point: Point, tangent: Tangent) -> None:
        try:
            with self._writing(f"point {point.id}"):
                kept = self._write_tangent(point.id, tangent)
                file = write_value(
                    point_file(self.path, point.id),
                    replace(point, parameters=self._packed(point), preference=storable(point.preference)),
                    random=torch.get_rng_state(),
                )
                self._database.add(record, file, kept, current=point.id)
        except SessionError:
            self._take_back(point.id)
            raise
        self._facts["current"] = point.id
        self._remember(self._points, point.id, point)
        self._remember(self._tangents, point.id, tangent)

    def go_to(self, point_id: int) -> None:
        if self.writable:
            self._database.note_facts(current=point_id)
            self._facts["current"] = point_id

    def annotate(self, point_id: int, note: str, star: bool) -> None:
        self._require_writer("note something down")
        self._database.annotate(point_id, note, star)

    def point(self, point_id: int) -> Point:
        if point_id not in self._points:
            self._remember(self._points, point_id, self._read_point(point_id)[0])
        self._points.move_to_end(point_id)
        return self._points[point_id]

    def restore_random_state(self, point_id: int) -> None:
        """Put torch's generator into the state that it had when a point was made."""
        _, tensors = self._read_point(point_id)
        with readable(point_file(self.path, point_id)):
            if "random" not in tensors:
                raise ValueError("it has no random state")
            torch.set_rng_state(tensors["random"])

    def fixed(self) -> dict[str, Tensor]:
        """What the model's state_dict holds besides the steered parameters."""
        return read_tensors(self.path / "model.safetensors", self.facts.get("model", ""))[0]

    def tangent(self, point_id: int) -> Tangent | None:
        if point_id not in self._tangents:
            tangent = self._tangent_files.read(point_id, self.point(point_id).parameters)
            if tangent is None:
                return None
            self._remember(self._tangents, point_id, tangent)
        self._tangents.move_to_end(point_id)
        return self._tangents[point_id]

    def keep_tangent(self, point_id: int, tangent: Tangent) -> None:
        self._remember(self._tangents, point_id, tangent)
        if not self.writable:
            return
        try:
            with self._writing(f"the tangent of point {point_id}"):
                kept = self._write_tangent(point_id, tangent)
                if kept is not None:
                    self._database.set_tangent(point_id, *kept)
        except SessionError as error:  # it can be solved for once more
            logger.warning("%s", error)

    def close(self) -> None:
        if hasattr(self, "_database"):
            self._database.only_read()
        if self._lock is not None:
            self._lock.release()

    def _read_facts(self) -> None:
        facts, points = self._database.facts()
        require_sound(facts, points, repr(str(self._database.path)))
        self._facts |= facts

    def _read_point(self, point_id: int) -> tuple[Point, dict[str, Tensor]]:
        file = point_file(self.path, point_id)
        point, tensors = read_value(file, Point, self._database.file(point_id), self.device)
        facts = self.facts
        with readable(file):
            if point.id != point_id or list(point.front.names) != facts["names"]:
                raise ValueError(f"it is not point {point_id} of this session")
            theta = unpacked(
                point.parameters, facts["precision"], getattr(torch, facts["dtype"]), self._first(point)
            )
            if theta.shape != (facts["parameters"],):
                raise ValueError(
                    f"it has parameters of shape {list(theta.shape)}, not [{facts['parameters']}]"
                )
        return replace(point, parameters=theta.to(self.device)), tensors

    def _packed(self, point: Point) -> Tensor:
        return packed(point.parameters, self._facts["precision"], self._first(point))

    def _first(self, point: Point) -> Callable[[], Tensor] | None:
        """Gives the first point's parameters; None if ``point`` is that."""
        return None if point.id == 0 else lambda: self.point(0).parameters

    def _write_tangent(self, point_id: int, tangent: Tangent) -> tuple[int, str] | None:
        """The size and the checksum of what was written; None if the session goes without."""
        if self._facts["precision"] != "full":
            return None
        for dropped in self._tangent_files.make_room(tangent, {point_id, self.current or 0}):
            self._tangents.pop(dropped, None)  # it is solved for again, whoever goes there
        return self._tangent_files.write(point_id, tangent)

    def _take_back(self, point_id: int) -> None:
        """Remove the files of a point that could not be added, unless its row has reached the disk after all."""
        with suppress(SessionError, OSError):
            if len(self._database) <= point_id:
                point_file(self.path, point_id).unlink(missing_ok=True)
                tangent_file(self.path, point_id).unlink(missing_ok=True)

    def _remember(self, at_hand: OrderedDict[int, Any], point_id: int, value: object) -> None:
        at_hand[point_id] = value
        at_hand.move_to_end(point_id)
        while len(at_hand) > _AT_HAND:
            at_hand.popitem(last=False)

    def _require_writer(self, what: str) -> None:
        if not self.writable:
            raise SessionError(
                f"cannot {what}: the session in {str(self.path)!r} is open for reading only"
                + (f", {self.owner} writes to it; end that first" if self.owner else "")
            )

    @contextmanager
    def _writing(self, what: str) -> Iterator[None]:
        self._require_writer(f"write {what}")
        try:
            yield
        except OSError as error:
            raise SessionError(
                f"cannot write {what} to {str(self.path)!r}: {reason_of(error)}; free some space or check the "
                "permissions, and try again: everything before is as it was"
            ) from error


def _opened(path: Path, writable: bool, patience: float) -> Database:
    """The database; where another process is just making it, after that."""
    deadline = time.monotonic() + patience
    while True:
        try:
            return Database(path, writable=writable)
        except SessionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
