"""The tangents of a session's points on disk, as many as there is room for."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import torch

from paretonav.errors import SessionError, reason_of
from paretonav.geometry import Tangent
from paretonav.session.archive import tangent_bytes
from paretonav.session.database import Database
from paretonav.session.files import removed
from paretonav.session.premises import tangent_file
from paretonav.session.value_file import read_value, write_value

logger = logging.getLogger(__name__)

ROOM = 2**30  # bytes


class TangentFiles:
    """Files of tangents, each there once the table has it; one that is not there is solved for again when needed.

    So what goes wrong with them costs time and nothing else: it is logged as a warning.

    Args:
        folder: of the session.
        database: its table.
        room: bytes for all of them, ``ROOM`` by default. The current point's is kept in any case, so that a navigation
            goes on bit for bit as it would have; but 0 keeps none.
    """

    def __init__(self, folder: Path, database: Database, room: int | None = None) -> None:
        self._folder, self._database, self._room = folder, database, room

    def write(self, point_id: int, tangent: Tangent) -> tuple[int, str] | None:
        """Write a tangent; the size and the checksum that the table is to note, None if it is not kept."""
        if self._room == 0:
            return None
        # Everything that stands in the session twice is left out.
        bare = replace(tangent, theta=tangent.theta[:0], basis=tangent.basis[:0])
        file = tangent_file(self._folder, point_id)
        try:
            file.parent.mkdir(exist_ok=True)
            return tangent_bytes(tangent), write_value(file, bare)
        except OSError as error:
            logger.warning(
                "cannot write the tangent of point %d to %r: %s; it is solved for again when it is needed",
                point_id,
                str(file),
                reason_of(error),
            )
            return None

    def read(self, point_id: int, theta: torch.Tensor) -> Tangent | None:
        """The tangent at a point with parameters theta [n], if it is kept."""
        checksum = self._database.tangent(point_id)
        if checksum is None:
            return None
        try:
            tangent, _ = read_value(tangent_file(self._folder, point_id), Tangent, checksum, theta.device)
        except SessionError as error:
            if self._database.tangent(point_id) == checksum:  # else the writer has dropped it in the meantime
                logger.warning(
                    "cannot read the tangent of point %d: %s; it is solved for again when it is needed",
                    point_id,
                    str(error).removesuffix("; restore it from a backup"),
                )
            return None
        return replace(tangent, theta=theta, basis=tangent.solution.x[: tangent.weight_basis.shape[1]])

    def excess(self, kept: int) -> list[int]:
        """The points, the oldest first, whose tangents are too much for the room, ``kept`` never among them."""
        excess = self._database.tangent_bytes() - (ROOM if self._room is None else self._room)
        dropped: list[int] = []
        for point_id, size in self._database.tangents().items() if excess > 0 else ():
            if excess > 0 and point_id != kept:
                dropped.append(point_id)
                excess -= size
        return dropped

    def drop(self, point_ids: Collection[int]) -> int:
        """Forget the tangents of points; how many bytes that has freed."""
        if not point_ids:
            return 0
        self._database.drop_tangents(point_ids)
        return sum(removed(tangent_file(self._folder, point_id)) for point_id in point_ids)
