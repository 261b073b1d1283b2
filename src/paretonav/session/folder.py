"""A session on disk: a table of points, and a file of tensors for each."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import torch
from torch import Tensor

from paretonav.errors import SessionError, reason_of
from paretonav.geometry import Tangent
from paretonav.objectives import Problem
from paretonav.session.archive import without_parameters
from paretonav.session.copying import copying, duplicate
from paretonav.session.database import Database
from paretonav.session.files import checksum, read_tensors, readable, removed, write_tensors
from paretonav.session.layout import require_sound, to_facts
from paretonav.session.lock import WriterLock
from paretonav.session.precision import Precision, packed, unpacked
from paretonav.session.premises import (
    clear_up,
    make_folder,
    pending_file,
    point_file,
    prepare,
    publish,
    require_of_one_time,
    require_plain,
    tangent_file,
)
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
    without a row are left-overs of a process that was killed. What is known here of the table is void from before it is
    written until that is done, so that whatever breaks that off, it is read again.

    Args:
        path: of the folder; made if it is not there and may be written.
        precision: of the parameters: "full"; "half", in float16; "delta", the difference from the first point in
            float16. All but "full" go without tangents, which are solved for again. None is that of a session that is
            there, and "full" for a new one.
        write: False opens for reading only.
        tangent_room: bytes on disk for tangents; see ``TangentFiles``.

    Raises:
        SessionError: the folder holds something else, is damaged, or cannot be written.
    """

    def __init__(
        self,
        path: Path,
        precision: Precision | None = None,
        *,
        write: bool = True,
        tangent_room: int | None = None,
    ) -> None:
        if precision is not None and precision not in get_args(Precision):
            raise SessionError(f"precision={precision!r} is unknown; choose 'full', 'half' or 'delta'")
        self.path, self.device = path, torch.device("cpu")
        self._precision: Precision = precision or "full"
        require_plain(path)
        if write:
            prepare(path)
        self._lock = WriterLock(path) if write else None
        self._second = self._lock is not None and not self._lock.held
        self._facts: dict[str, Any] = {}
        self._records: tuple[Record, ...] = ()
        self._known: int | None = (
            None  # the generation of the table that these are of; None where they are void
        )
        self._points: OrderedDict[int, Point] = OrderedDict()
        self._tangents: OrderedDict[int, Tangent] = OrderedDict()
        try:
            self._database = _opened(path / "session.db", self.writable, _PATIENCE if self._second else 0.0)
            self._tangent_files = TangentFiles(path, self._database, tangent_room)
            if self.writable:
                require_of_one_time(path, len(self._database))
            self._look()
            there = self._facts["precision"]
            if precision not in (None, there):
                raise SessionError(
                    f"the session in {str(path)!r} stores parameters with precision {there!r}; leave out precision=, "
                    "or give another folder"
                )
            if self.writable:
                clear_up(path, self._database.file, self._database.tangents().keys())
        except BaseException:
            self.close()
            if hasattr(self, "_database"):
                self._database.close()
            raise

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
        self._look()
        return self._facts

    @property
    def current(self) -> int | None:
        return self.facts.get("current")

    def records(self) -> tuple[Record, ...]:
        self._look()
        return self._records

    def begin(self, problem: Problem, theta: Tensor) -> None:
        steered = {name for entry in problem.layout() for name in entry.names}
        fixed = {
            name: value
            for name, value in problem.state_dict(theta).items()
            if name not in steered and isinstance(value, Tensor)
        }
        facts = to_facts(problem, theta) | {"precision": self._precision}
        self._require_writer("write the session's model")
        self._known = None
        with self._writing("the session's model"):
            for name in ("points", "tangents"):
                make_folder(self.path / name)
            facts["model"] = write_tensors(
                self.path / "model.safetensors", fixed, {"paretonav": "what is not steered"}
            )
            self._database.note_facts(**facts)

    def add(self, record: Record, point: Point, tangent: Tangent) -> None:
        self._require_writer(f"write point {point.id}")
        records, facts, known = self.records(), self._facts, self._known
        try:
            self._write(record, point, tangent)
        except BaseException as error:
            if not self._is_there_after_all(point.id) or not isinstance(error, SessionError):
                raise
        with suppress(OSError):  # it is found under the other name, too
            publish(self.path, point.id)
        self._remember(self._points, point.id, point)
        self._remember(self._tangents, point.id, tangent)
        self._records, self._facts, self._known = (*records, record), facts | {"current": point.id}, known
        self._keep_to_the_room()

    def go_to(self, point_id: int) -> None:
        if self.writable:
            facts, known = self.facts, self._known
            self._known = None
            self._database.note_facts(current=point_id)
            self._facts, self._known = facts | {"current": point_id}, known

    def annotate(self, record: Record) -> None:
        self._require_writer("note something down")
        records, known, i = self.records(), self._known, record.id
        self._known = None
        self._database.annotate(record)
        self._records = (*records[:i], record, *records[i + 1 :])
        self._known = known

    @property
    def title(self) -> str:
        return str(self.facts.get("title", ""))

    def entitle(self, title: str) -> None:
        self._require_writer("give it a title")
        facts, known = self.facts, self._known
        self._known = None
        self._database.note_facts(title=title)
        self._facts, self._known = facts | {"title": title}, known

    def point(self, point_id: int) -> Point:
        point = self._points.get(point_id)
        if point is None:
            point = self._read_point(point_id)[0]
        self._remember(self._points, point_id, point)
        return point

    def restore_random_state(self, point_id: int) -> None:
        """Put torch's generator into the state that it had when a point was made."""
        _, tensors = self._read_point(point_id)
        with readable(point_file(self.path, point_id)):
            state = tensors.get("random")
            if state is None or state.dtype != torch.uint8:
                raise ValueError("it has no random state")
            torch.set_rng_state(state)

    def fixed(self) -> dict[str, Tensor]:
        """What the model's state_dict holds besides the steered parameters."""
        return read_tensors(self.path / "model.safetensors", self.facts.get("model", ""))[0]

    def tangent(self, point_id: int) -> Tangent | None:
        tangent = self._tangents.get(point_id)
        if tangent is None:
            tangent = self._tangent_files.read(point_id, self.point(point_id).parameters)
        if tangent is not None:
            self._remember(self._tangents, point_id, tangent)
        elif self.writable and self._database.tangent(point_id) is not None:
            self._drop_tangents([point_id])  # it is of no use
        return tangent

    def keep_tangent(self, point_id: int, tangent: Tangent) -> None:
        self._remember(self._tangents, point_id, tangent)
        if not self.writable:
            return
        try:
            kept = self._write_tangent(point_id, tangent)
            if kept is not None:
                self._database.set_tangent(point_id, *kept)
        except SessionError as error:  # it can be solved for once more
            logger.warning("%s", error)
        self._keep_to_the_room()

    @property
    def pruned(self) -> frozenset[int]:
        return frozenset(self.facts.get("pruned", ()))

    def prune(self, point_ids: Collection[int]) -> int:
        self._require_writer("prune it")
        sizes, files = {}, {}
        pruned = self.pruned | set(point_ids)
        try:
            with self._writing("what is left of the pruned points"):
                for point_id in point_ids:
                    sizes[point_id] = self._file_of(point_id).stat().st_size
                    point, tensors = self._read_value(point_id)
                    kept = {name: tensor for name, tensor in tensors.items() if name == "random"}
                    pending = pending_file(self.path, point_id)
                    files[point_id] = write_value(pending, without_parameters(point), **kept)
                self._known = None
                self._database.exchange(files, pruned=sorted(pruned))
        except BaseException:
            for point_id in point_ids:
                if point_id not in self.pruned:
                    removed(pending_file(self.path, point_id))
            raise
        freed = self._tangent_files.drop(self._database.tangents().keys() - {self.current})
        for point_id in point_ids:
            publish(self.path, point_id)
            freed += sizes[point_id] - point_file(self.path, point_id).stat().st_size
        self._points.clear()
        self._tangents.clear()
        return freed

    def copy(self, path: Path) -> None:
        """Copy all that belongs to the session, as it is at one moment, into a folder that is made."""
        with copying(path) as folder:
            self._database.copy_to(folder / "session.db")
            there = Database(folder / "session.db", writable=True)
            facts, points = there.facts()
            if "model" in facts:
                duplicate(self.path / "model.safetensors", folder / "model.safetensors", facts["model"])
            for point_id in range(points):
                duplicate(self._file_of(point_id), point_file(folder, point_id), there.file(point_id))
            for point_id in there.tangents():
                there_too = tangent_file(folder, point_id)
                try:
                    duplicate(tangent_file(self.path, point_id), there_too, there.tangent(point_id) or "")
                except SessionError:  # dropped meanwhile, or damaged: it can be solved for again
                    there.drop_tangents([point_id])
                    removed(there_too)

    def close(self) -> None:
        if hasattr(self, "_database"):
            self._database.only_read()
        if self._lock is not None:
            self._lock.release()

    def _look(self) -> None:
        """Read the table, where it may be another than is known."""
        if self._known is not None and self.writable:
            return
        generation = self._database.generation  # before: what is written meanwhile is seen at the next look
        if generation == self._known:
            return
        facts, points = self._database.facts()
        require_sound(facts, points, repr(str(self._database.path)))
        records = self._database.records()
        self._facts = {"precision": self._precision} | facts
        self._records = records
        self._known = generation

    def _write(self, record: Record, point: Point, tangent: Tangent) -> None:
        kept = self._write_tangent(point.id, tangent)
        with self._writing(f"point {point.id}"):
            file = write_value(
                pending_file(self.path, point.id),
                replace(point, parameters=self._packed(point), preference=storable(point.preference)),
                random=torch.get_rng_state(),
            )
            self._known = None
            self._database.add(record, file, kept, current=point.id)

    def _is_there_after_all(self, point_id: int) -> bool:
        """Whether the row of a point has reached the disk although writing it has failed; if not, its files go."""
        with suppress(SessionError):
            if len(self._database) > point_id:
                return True
            removed(pending_file(self.path, point_id))
            removed(tangent_file(self.path, point_id))
        return False

    def _read_point(self, point_id: int) -> tuple[Point, dict[str, Tensor]]:
        point, tensors = self._read_value(point_id)
        facts, file = self.facts, self._file_of(point_id)
        with readable(file, intact=bool(self._database.file(point_id))):
            if point.id != point_id or list(point.front.names) != facts["names"]:
                raise ValueError(f"it is not point {point_id} of this session")
            if point_id in self.pruned:
                return without_parameters(point), tensors
            theta = unpacked(
                point.parameters, facts["precision"], getattr(torch, facts["dtype"]), self._first(point)
            )
            if theta.shape != (facts["parameters"],):
                raise ValueError(
                    f"it has parameters of shape {list(theta.shape)}, not [{facts['parameters']}]"
                )
        return replace(point, parameters=theta.to(self.device)), tensors

    def _read_value(self, point_id: int) -> tuple[Point, dict[str, Tensor]]:
        """A point as it is stored; again, if the writer has exchanged its file meanwhile."""
        while True:
            file, expected = self._file_of(point_id), self._database.file(point_id)
            try:
                return read_value(file, Point, expected, self.device)
            except SessionError:
                if (file, expected) == (self._file_of(point_id), self._database.file(point_id)):
                    raise

    def _file_of(self, point_id: int) -> Path:
        """Where a point is: under its name, or, if its writer has not come to that, still under the other."""
        pending = pending_file(self.path, point_id)
        try:
            if checksum(pending) == self._database.file(point_id):
                return pending
        except OSError:
            pass
        return point_file(self.path, point_id)

    def _packed(self, point: Point) -> Tensor:
        return packed(point.parameters, self.facts["precision"], self._first(point))

    def _first(self, point: Point) -> Callable[[], Tensor] | None:
        """Gives the first point's parameters; None if ``point`` is that."""
        return None if point.id == 0 else lambda: self.point(0).parameters

    def _write_tangent(self, point_id: int, tangent: Tangent) -> tuple[int, str] | None:
        """The size and the checksum of what was written; None if the session goes without."""
        if self.facts["precision"] != "full":
            return None
        return self._tangent_files.write(point_id, tangent)

    def _keep_to_the_room(self) -> None:
        """Drop the oldest tangents, if there are too many: whoever goes there has them solved for again."""
        if self.current is not None:
            self._drop_tangents(self._tangent_files.excess(kept=self.current))

    def _drop_tangents(self, point_ids: Collection[int]) -> None:
        try:
            self._tangent_files.drop(point_ids)
        except SessionError as error:
            logger.warning("%s", error)
        for point_id in point_ids:
            self._tangents.pop(point_id, None)

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
