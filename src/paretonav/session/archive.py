"""Where the heavy parts of the visited points are kept: here in memory, in ``folder`` on disk."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import replace
from typing import NamedTuple, Protocol

from torch import Tensor

from paretonav.errors import SessionError
from paretonav.geometry import Tangent
from paretonav.objectives import Problem
from paretonav.session.record import Record
from paretonav.steering import Point

_TANGENT_BYTES = (
    256 * 2**20
)  # of memory for tangents of points that were left; chosen: hundreds of small models, one of 1e7 parameters


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

    def annotate(self, record: Record) -> None:
        """Have this record in place of the one of the same point: its name, note or star are others."""

    @property
    def title(self) -> str:
        """Of all of it; empty if it has none."""

    def entitle(self, title: str) -> None:
        """Set the title."""

    def point(self, point_id: int) -> Point:
        """A point as it was when it was made; if it is pruned, its parameters are empty."""

    def tangent(self, point_id: int) -> Tangent | None:
        """A point's tangent, if it is kept."""

    def keep_tangent(self, point_id: int, tangent: Tangent) -> None:
        """Keep a tangent that was solved for again."""

    def prune(self, point_ids: Collection[int]) -> int:
        """Let go of the parameters of points, and of all tangents but the current point's; the bytes that it freed."""

    @property
    def pruned(self) -> frozenset[int]:
        """The points whose parameters were let go of."""

    def close(self) -> None:
        """Nothing is written from now on."""


class _Visited(NamedTuple):
    """All points; replaced as a whole, so that it is whole whatever breaks off the code around it."""

    records: tuple[Record, ...] = ()
    points: tuple[Point, ...] = ()
    current: int | None = None
    pruned: frozenset[int] = frozenset()
    title: str = ""


class MemoryArchive:
    """An archive that lasts as long as the process."""

    writable = True

    def __init__(self) -> None:
        self._visited = _Visited()
        self._tangents: OrderedDict[int, Tangent] = OrderedDict()

    @property
    def current(self) -> int | None:
        return self._visited.current

    def records(self) -> tuple[Record, ...]:
        return self._visited.records

    def begin(self, problem: Problem, theta: Tensor) -> None:
        """Nothing to note: the problem is at hand."""

    def add(self, record: Record, point: Point, tangent: Tangent) -> None:
        self.keep_tangent(point.id, tangent)
        before = self._visited
        self._visited = before._replace(
            records=(*before.records, record), points=(*before.points, point), current=point.id
        )

    def go_to(self, point_id: int) -> None:
        self._visited = self._visited._replace(current=point_id)

    def annotate(self, record: Record) -> None:
        records, i = self._visited.records, record.id
        self._visited = self._visited._replace(records=(*records[:i], record, *records[i + 1 :]))

    @property
    def title(self) -> str:
        return self._visited.title

    def entitle(self, title: str) -> None:
        self._visited = self._visited._replace(title=title)

    def point(self, point_id: int) -> Point:
        return self._visited.points[point_id]

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

    def prune(self, point_ids: Collection[int]) -> int:
        points = list(self._visited.points)
        freed = sum(points[i].parameters.nbytes for i in point_ids)
        for i in point_ids:
            points[i] = without_parameters(points[i])
        for i in self._tangents.keys() - {self.current}:
            freed += tangent_bytes(self._tangents.pop(i))
        self._visited = self._visited._replace(points=tuple(points), pruned=self.pruned | set(point_ids))
        return freed

    @property
    def pruned(self) -> frozenset[int]:
        return self._visited.pruned

    def close(self) -> None:
        """Nothing to close."""


def without_parameters(point: Point) -> Point:
    """What stays of a point that is pruned."""
    return replace(point, parameters=point.parameters[:0].clone())


def tangent_bytes(tangent: Tangent) -> int:
    """The memory that a tangent takes; its basis is a part of its solution."""
    tensors = [tangent.solution.x, tangent.jacobian, tangent.theta, tangent.normal_step]
    if tangent.nystrom is not None:
        tensors.append(tangent.nystrom.vectors)
    return sum(tensor.nbytes for tensor in tensors)


def whole(archive: Archive, point: Point) -> Point:
    """The point, if its model is still there.

    Raises:
        SessionError: it was pruned.
    """
    if point.id in archive.pruned:
        raise SessionError(
            f"the model of point {point.id} was pruned, and only its numbers are kept; choose another point"
        )
    return point
