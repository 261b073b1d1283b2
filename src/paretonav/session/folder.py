"""A session on disk: a table of points, and a file of tensors for each."""

from __future__ import annotations

import json
import re
import shutil
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from paretonav.errors import SessionError
from paretonav.geometry import Tangent
from paretonav.objectives import Problem
from paretonav.session.archive import tangent_bytes
from paretonav.session.codec import decode, encode
from paretonav.session.database import Database
from paretonav.session.files import SCRATCH, read_tensors, readable, write_tensors
from paretonav.session.layout import to_facts
from paretonav.session.lock import WriterLock
from paretonav.session.record import Record
from paretonav.session.record_json import storable
from paretonav.steering import Point

Precision = Literal["full", "half", "delta"]
_TANGENTS_ON_DISK = 2**30
_AT_HAND = 4  # points and tangents in memory


class FolderArchive:
    """An archive in a folder: ``session.db``, ``model.safetensors`` (what is not steered), ``points/``, ``tangents/``.

    A point is there once its row is in the table, which is written last; files without a row are left-overs of a
    process that was killed.

    Args:
        path: of the folder; made if it is not there and may be written.
        precision: of the parameters, for a new session: "full"; "half", in float16; "delta", the difference from the
            first point in float16. All but "full" go without tangents, which are solved for again.
        write: False opens for reading only.

    Attributes:
        writable: whether this is the one process that writes.
        owner: who writes, if it is another one.

    Raises:
        SessionError: the folder holds something else, is damaged, or cannot be written.
    """

    def __init__(self, path: Path, precision: Precision = "full", *, write: bool = True) -> None:
        if precision not in get_args(Precision):
            raise SessionError(f"precision={precision!r} is unknown; choose 'full', 'half' or 'delta'")
        self.path, self.device = path, torch.device("cpu")
        self._lock: WriterLock | None = None
        if write:
            self._make_folder()
            self._lock = WriterLock(path)
        self.writable = self._lock is not None and self._lock.held
        self.owner = "" if self._lock is None or self.writable else self._lock.owner
        try:
            self._database = Database(path / "session.db", writable=self.writable)
            self._facts = {"precision": precision, **self._database.facts()}
            if self.writable:
                self._clear_up()
        except BaseException:
            self.close()
            raise
        self._points: OrderedDict[int, Point] = OrderedDict()
        self._tangents: OrderedDict[int, Tangent] = OrderedDict()

    @property
    def facts(self) -> dict[str, Any]:
        """What is known of the session as a whole."""
        return self._facts

    @property
    def generation(self) -> int:
        """A number that changes when another process has written."""
        return self._database.generation

    @property
    def current(self) -> int | None:
        if not self.writable:
            self._facts |= self._database.facts()
        return self._facts.get("current")

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
            write_tensors(
                self.path / "model.safetensors", fixed, {"paretonav": "what is not steered"}, checked=True
            )
            self._database.note_facts(**facts)
        self._facts |= facts

    def add(self, record: Record, point: Point, tangent: Tangent) -> None:
        what = f"point {point.id}"
        try:
            with self._writing(what):
                self.keep_tangent(point.id, tangent)
                self._write(
                    self._point_file(point.id),
                    replace(point, parameters=self._packed(point), preference=storable(point.preference)),
                    random=torch.get_rng_state(),
                )
                self._database.add(record, current=point.id)
        except SessionError:
            self._tangents.pop(point.id, None)
            for file in (self._point_file(point.id), self._tangent_file(point.id)):
                with suppress(OSError):
                    file.unlink()
            raise
        self._facts["current"] = point.id
        self._remember(self._points, point.id, point)

    def go_to(self, point_id: int) -> None:
        if self.writable:
            self._database.note_facts(current=point_id)
        self._facts["current"] = point_id

    def annotate(self, point_id: int, note: str, star: bool) -> None:
        self._require_writer("note something down")
        self._database.annotate(point_id, note, star)

    def point(self, point_id: int) -> Point:
        if point_id not in self._points:
            file = self._point_file(point_id)
            point, _ = self._read(file, Point)
            with readable(file):
                point = replace(point, parameters=self._unpacked(point).to(self.device))
            self._remember(self._points, point_id, point)
        self._points.move_to_end(point_id)
        return self._points[point_id]

    def random_state(self, point_id: int) -> Tensor:
        """The state of torch's generator when a point was made."""
        state: Tensor = self._read(self._point_file(point_id), Point)[1]["random"]
        return state

    def parameters(self, point_id: int) -> Tensor:
        """[n], of a point."""
        return self.point(point_id).parameters

    def fixed(self) -> dict[str, Tensor]:
        """What the model's state_dict holds besides the steered parameters."""
        return read_tensors(self.path / "model.safetensors")[0]

    def tangent(self, point_id: int) -> Tangent | None:
        if point_id not in self._tangents:
            file = self._tangent_file(point_id)
            if not file.is_file():
                return None
            tangent, _ = self._read(file, Tangent)
            tangent = replace(
                tangent,
                theta=self.point(point_id).parameters,
                basis=tangent.solution.x[: tangent.weight_basis.shape[1]],
            )
            self._remember(self._tangents, point_id, tangent)
        self._tangents.move_to_end(point_id)
        return self._tangents[point_id]

    def keep_tangent(self, point_id: int, tangent: Tangent) -> None:
        self._remember(self._tangents, point_id, tangent)
        if not self.writable or self._facts["precision"] != "full":
            return
        # Everything that stands here twice is left out.
        bare = replace(tangent, theta=tangent.theta[:0], basis=tangent.basis[:0])
        with self._writing(f"the tangent of point {point_id}"):
            self._make_room(tangent_bytes(tangent), point_id)
            self._write(self._tangent_file(point_id), bare)

    def close(self) -> None:
        self.writable = False
        if hasattr(self, "_database"):
            self._database.only_read()
        if self._lock is not None:
            self._lock.release()

    def _make_folder(self) -> None:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            strangers = [] if (self.path / "session.db").exists() else sorted(self.path.iterdir())
        except OSError as error:
            raise SessionError(
                f"cannot make a session in {str(self.path)!r}: {error}; give a folder"
            ) from error
        strangers = [file for file in strangers if file.name not in ("writer.lock", "writer.txt")]
        if strangers:
            raise SessionError(
                f"{str(self.path)!r} is no session and is not empty (it has {strangers[0].name!r}); give a new folder"
            )

    def _clear_up(self) -> None:
        """Remove what a killed process has left: files being written, and points without a row."""
        count = len(self._database.records()) if self._facts.get("current") is not None else 0
        with suppress(OSError):
            for folder in (self.path, self.path / "points", self.path / "tangents"):
                for left in folder.glob(f"{SCRATCH}*"):
                    shutil.rmtree(left, ignore_errors=True)
                for file in folder.glob("*.safetensors"):
                    if re.fullmatch(r"\d{6,}", file.stem) and int(file.stem) >= count:
                        file.unlink()

    def _make_room(self, size: int, point_id: int) -> None:
        """Drop the oldest tangents where there would be too many bytes of them."""
        files = sorted((self.path / "tangents").glob("*.safetensors"))
        sizes = {file: file.stat().st_size for file in files}
        for file in files:
            if sum(sizes.values()) + size <= _TANGENTS_ON_DISK:
                break
            if file not in (self._tangent_file(point_id), self._tangent_file(self.current or 0)):
                file.unlink()
                self._tangents.pop(int(file.stem), None)  # it is solved for again, whoever goes there
                del sizes[file]

    def _packed(self, point: Point) -> Tensor:
        theta = point.parameters
        if self._facts["precision"] == "full" or point.id == 0:
            return theta
        if self._facts["precision"] == "delta":
            theta = theta - self.parameters(0)
        half = theta.to(torch.float16)
        return half if half.isfinite().all() else point.parameters

    def _unpacked(self, point: Point) -> Tensor:
        stored = point.parameters
        if stored.dtype != torch.float16:
            return stored
        theta = stored.to(getattr(torch, self._facts["dtype"]))
        return theta + self.parameters(0).to(theta.device) if self._facts["precision"] == "delta" else theta

    def _write(self, path: Path, value: object, **extra: Tensor) -> None:
        tensors: dict[str, Tensor] = {}
        skeleton = encode(value, tensors)
        write_tensors(path, tensors | extra, {"paretonav": json.dumps(skeleton)}, checked=True)

    def _read(self, path: Path, kind: type[Any]) -> tuple[Any, dict[str, Tensor]]:
        tensors, facts = read_tensors(path)
        with readable(path):
            value = decode(json.loads(facts.get("paretonav", "null")), tensors, self.device)
            if not isinstance(value, kind):
                raise ValueError(f"it holds no {kind.__name__}")
        return value, tensors

    def _remember(self, at_hand: OrderedDict[int, Any], point_id: int, value: object) -> None:
        at_hand[point_id] = value
        at_hand.move_to_end(point_id)
        while len(at_hand) > _AT_HAND:
            at_hand.popitem(last=False)

    def _point_file(self, point_id: int) -> Path:
        return self.path / "points" / f"{point_id:06d}.safetensors"

    def _tangent_file(self, point_id: int) -> Path:
        return self.path / "tangents" / f"{point_id:06d}.safetensors"

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
                f"cannot write {what} to {str(self.path)!r}: {error}; free some space or check the permissions, and "
                "try again: everything before is as it was"
            ) from error
