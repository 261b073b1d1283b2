"""The visited points as every chart needs them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from paretonav.dominance import non_dominated
from paretonav.errors import SessionError
from paretonav.session import Record, Session
from paretonav.session.fronts import losses_of
from paretonav.text import printable, shortened

Array = NDArray[np.float64]

_NAME = 24  # letters of a name beside a mark
_FEW = 50  # points, all of which are numbered and marked


@dataclass(frozen=True, eq=False)
class Visited:
    """Points of a session.

    Attributes:
        names: of the objectives, printable.
        records: of the points that are shown.
        losses: [points, m], theirs on ``split``.
        split: "training" or "validation".
        current: the number of the point that stands out, as the one where the navigation is.
    """

    names: tuple[str, ...]
    records: tuple[Record, ...]
    losses: Array
    split: str
    current: int

    @classmethod
    def of(
        cls,
        session: Session,
        point_ids: Sequence[int] | None = None,
        split: str | None = None,
        current: int | None = None,
    ) -> Visited:
        """Points of a session (None: all of them).

        Raises:
            SessionError: there is no such point or split, or no point at all.
        """
        if session.current is None:
            raise SessionError("the session has no point to draw yet; start the navigation first")
        records = session.records if point_ids is None else tuple(session[i] for i in point_ids)
        if not records:
            raise SessionError("no point is named; give one or more, or None for all")
        losses = losses_of(records, split)
        shown = "training" if split == "train" or not records[0].validation else "validation"
        here = session.current.id if current is None else session[current].id
        return cls(tuple(map(printable, session.names)), records, losses, shown, here)

    @cached_property
    def place(self) -> dict[int, int]:
        """Number of a point -> its row."""
        return {record.id: row for row, record in enumerate(self.records)}

    @property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """(row of the parent, row of the child) of every point whose parent is shown, too."""
        at = self.place
        return tuple((at[r.parent], row) for row, r in enumerate(self.records) if r.parent in at)

    @property
    def roles(self) -> dict[str, list[int]]:
        """The rows by how they are marked, each once: the current point, else starred, else the start, else visited."""
        found: dict[str, list[int]] = {"visited": [], "start": [], "starred": [], "current": []}
        for row, record in enumerate(self.records):
            role = "visited" if record.id else "start"
            role = "starred" if record.star else role
            found["current" if record.id == self.current else role].append(row)
        return found

    @cached_property
    def efficient(self) -> NDArray[np.bool_]:
        """[points], those that none of the others shown dominates."""
        return non_dominated(self.losses)

    @property
    def few(self) -> bool:
        """Whether there is room to number and mark all of them."""
        return len(self.records) <= _FEW

    @property
    def numbered(self) -> list[int]:
        """The rows that get their number, and their name, written beside them."""
        if self.few:
            return list(range(len(self.records)))
        marked = [row for role, rows in reversed(self.roles.items()) if role != "visited" for row in rows]
        marked += [row for row, record in enumerate(self.records) if record.name and row not in marked]
        return sorted(marked[:_FEW])


def called(record: Record) -> str:
    """The number of a point, and its name if it has one."""
    return f"{record.id} {shortened(printable(record.name), _NAME)}" if record.name else str(record.id)


def broken(lines: Sequence[Array]) -> Array:
    """Several lines [k, d] as one [., d] with gaps of NaN between them."""
    gap = np.full((1, lines[0].shape[1]), np.nan)
    return np.concatenate([part for line in lines for part in (line, gap)][:-1])
