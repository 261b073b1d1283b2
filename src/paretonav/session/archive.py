"""Where the heavy parts of the visited points are kept: here in memory, in ``folder`` on disk."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from typing import Protocol

from torch import Tensor

from paretonav.geometry import Tangent
from paretonav.objectives import Problem
from paretonav.session.record import Record
from paretonav.steering import Point

_TANGENT_BYTES = 256 * 2**20


class Archive(Protocol):
    """Keeps points, and the tangents of those from which a step is likely."""

    @property
    def writable(self) -> bool:
        """Whether points can be added."""

    def records(self) -> tuple[Record, ...]:
        """Of all points, in the order of their ids."""

    @property
    def current(self) -> int | None:
        """The id of the point that the navigation is at; None before the first."""

    def begin(self, problem: Problem, theta: Tensor) -> None:
        """Note whose points these are, before the first one."""

    def add(self, record: Record, point: Point, tangent: Tangent) -> None:
        """Keep a point and make it the current one: wholly, or not at all with a SessionError."""

    def go_to(self, point_id: int) -> None:
        """Make a point the current one."""

    def annotate(self, point_id: int, note: str, star: bool) -> None:
        """Set a point's note and star."""

    def point(self, point_id: int) -> Point:
        """A point as it was when it was made."""

    def tangent(self, point_id: int) -> Tangent | None:
        """A point's tangent, if it is kept."""

    def keep_tangent(self, point_id: int, tangent: Tangent) -> None:
        """Keep a tangent that was solved for again."""

    def close(self) -> None:
        """Nothing is written from now on."""


class MemoryArchive:
    """An archive that lasts as long as the process."""

    writable = True

    def __init__(self) -> None:
        self.current: int | None = None
        self._records: list[Record] = []
        self._points: list[Point] = []
        self._tangents: OrderedDict[int, Tangent] = OrderedDict()

    def records(self) -> tuple[Record, ...]:
        return tuple(self._records)

    def begin(self, problem: Problem, theta: Tensor) -> None:
        """Nothing to note: the problem is at hand."""

    def add(self, record: Record, point: Point, tangent: Tangent) -> None:
        self._records.append(record)
        self._points.append(point)
        self.current = point.id
        self.keep_tangent(point.id, tangent)

    def go_to(self, point_id: int) -> None:
        self.current = point_id

    def annotate(self, point_id: int, note: str, star: bool) -> None:
        self._records[point_id] = replace(self._records[point_id], note=note, star=star)

    def point(self, point_id: int) -> Point:
        return self._points[point_id]

    def tangent(self, point_id: int) -> Tangent | None:
        if point_id in self._tangents:
            self._tangents.move_to_end(point_id)
        return self._tangents.get(point_id)

    def keep_tangent(self, point_id: int, tangent: Tangent) -> None:
        """Keep the latest tangents within a fixed memory; an older one is solved again when it is needed."""
        self._tangents[point_id] = tangent
        self._tangents.move_to_end(point_id)
        while len(self._tangents) > max(1, _TANGENT_BYTES // tangent_bytes(tangent)):
            self._tangents.popitem(last=False)

    def close(self) -> None:
        """Nothing to close."""


def tangent_bytes(tangent: Tangent) -> int:
    """The memory that a tangent takes; its basis is a part of its solution."""
    tensors = [tangent.solution.x, tangent.jacobian, tangent.theta, tangent.normal_step]
    if tangent.nystrom is not None:
        tensors.append(tangent.nystrom.vectors)
    return sum(tensor.nbytes for tensor in tensors)
