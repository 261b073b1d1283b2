"""The sessions in a folder at a glance, without the code of their models; nothing is written anywhere."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from paretonav.errors import SessionError, reason_of
from paretonav.session.lock import writer_of
from paretonav.session.places import place
from paretonav.session.session import Session

_DEEPEST = 3  # folders below the one that is named: runs/project/date
_MOST = 1000  # sessions: more are no overview


@dataclass(frozen=True)
class Glance:
    """What can be said of a session without opening any of its points.

    Attributes:
        path: of its folder.
        where: the same below the folder that was looked through.
        title: that somebody gave it; may be empty.
        points: how many.
        starred: how many of them have a star.
        begun: when the first was made, and ``last`` the latest; None where there is none.
        current: where the navigation is, and ``name`` what that point is called.
        split: of the data that ``losses`` are of.
        losses: name -> the loss at the first point and at the current one.
        writer: which process writes to it now, in words; empty if none does.
        fault: why it cannot be read; empty if it can.
    """

    path: Path
    where: str
    title: str = ""
    points: int = 0
    starred: int = 0
    begun: datetime | None = None
    last: datetime | None = None
    current: int | None = None
    name: str = ""
    split: str = ""
    losses: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    writer: str = ""
    fault: str = ""


def overview(folder: str | os.PathLike[str]) -> tuple[Glance, ...]:
    """The sessions in a folder and in those below it, the latest first; those that are damaged last.

    Args:
        folder: that has sessions, or is one itself.

    Raises:
        SessionError: it is no folder, or cannot be looked into.
    """
    root = place(folder)
    try:
        os.scandir(root).close()
    except OSError as error:
        raise SessionError(f"cannot look into {str(root)!r}: {reason_of(error)}; name a folder") from error
    found = [_glance(path, root) for path, _ in zip(_sessions(root, _DEEPEST), range(_MOST), strict=False)]
    return tuple(
        sorted(found, key=lambda g: (g.fault != "", -g.last.timestamp() if g.last else 0.0, g.where))
    )


def _sessions(folder: Path, deep: int) -> Iterator[Path]:
    """The folders of sessions, in the order of their names; no link is followed, so nothing leads elsewhere."""
    if (folder / "session.db").is_file():
        yield folder
        return
    if not deep:
        return
    try:
        with os.scandir(folder) as entries:
            below = sorted(
                entry.name
                for entry in entries
                if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False)
            )
    except OSError:  # not for us
        return
    for name in below:
        yield from _sessions(folder / name, deep - 1)


def _glance(path: Path, root: Path) -> Glance:
    where = str(path.relative_to(root)) if path != root else path.name
    writer = writer_of(path)
    try:
        with Session(path) as session:
            records, title = session.records, session.title
            now = session.current
    except SessionError as error:
        return Glance(path, where, writer=writer, fault=str(error))
    if not records or now is None:
        return Glance(path, where, title, writer=writer)
    first = records[0].values.shown
    return Glance(
        path,
        where,
        title,
        len(records),
        sum(record.star for record in records),
        records[0].made,
        max(record.made for record in records),
        now.id,
        now.name,
        records[0].values.split,
        {name: (first[name], now.values.shown[name]) for name in session.names},
        writer,
    )
