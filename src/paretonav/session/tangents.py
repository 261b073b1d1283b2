"""The tangents of a session's points on disk, as many as there is room for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from paretonav.errors import SessionError
from paretonav.geometry import Tangent
from paretonav.session.archive import tangent_bytes
from paretonav.session.database import Database
from paretonav.session.premises import tangent_file
from paretonav.session.value_file import read_value, write_value

ROOM = 2**30  # bytes


class TangentFiles:
    """Files of tangents, each there once the table has it; what was dropped is solved for again when it is needed.

    Args:
        folder: of the session.
        database: its table.
    """

    def __init__(self, folder: Path, database: Database) -> None:
        self._folder, self._database = folder, database

    def write(self, point_id: int, tangent: Tangent) -> tuple[int, str]:
        """Write a tangent; the size and the checksum that the table is to note."""
        # Everything that stands in the session twice is left out.
        bare = replace(tangent, theta=tangent.theta[:0], basis=tangent.basis[:0])
        return tangent_bytes(tangent), write_value(tangent_file(self._folder, point_id), bare)

    def read(self, point_id: int, theta: torch.Tensor) -> Tangent | None:
        """The tangent at a point with parameters theta [n], if it is kept."""
        checksum = self._database.tangent(point_id)
        if checksum is None:
            return None
        try:
            tangent, _ = read_value(tangent_file(self._folder, point_id), Tangent, checksum, theta.device)
        except SessionError:
            if self._database.tangent(point_id) != checksum:  # the writer has dropped it in the meantime
                return None
            raise
        return replace(tangent, theta=theta, basis=tangent.solution.x[: tangent.weight_basis.shape[1]])

    def make_room(self, tangent: Tangent, kept: set[int]) -> list[int]:
        """Drop the oldest ones, but for those in ``kept``, to make room for another; return whose they were."""
        excess = self._database.tangent_bytes() + tangent_bytes(tangent) - ROOM
        sizes = self._database.tangents() if excess > 0 else {}
        dropped: list[int] = []
        for point_id, size in sizes.items():
            if excess > 0 and point_id not in kept:
                dropped.append(point_id)
                excess -= size
        if dropped:
            self._database.drop_tangents(dropped)
            for point_id in dropped:
                tangent_file(self._folder, point_id).unlink(missing_ok=True)
        return dropped
