"""What may lie in a session's folder, and what is cleared away from it."""

from __future__ import annotations

import shutil
import stat
from contextlib import suppress
from pathlib import Path

from paretonav.errors import SessionError, reason_of
from paretonav.session.files import SCRATCH

_FOLDERS = ("points", "tangents")
_BEFORE_THE_FIRST_POINT = ("session.db", "session.db-journal", "writer.lock", "writer.txt")
_FILES = (*_BEFORE_THE_FIRST_POINT, "session.db-wal", "session.db-shm", "model.safetensors")
_NAMES_ANOTHER = bytes.fromhex("d9d505f920a163d7")
"""How a journal ends that belongs to several databases at once (SQLite's file format, section 3)."""


def prepare(folder: Path) -> None:
    """Make a session's folder, or check that what is there is one.

    Raises:
        SessionError: there is something else, or it may not be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        require_plain(folder)
        database = folder / "session.db"
        if database.exists() and database.stat().st_size:
            return
        strangers = sorted(f.name for f in folder.iterdir() if f.name not in _BEFORE_THE_FIRST_POINT)
    except OSError as error:
        raise SessionError(
            f"cannot make a session in {str(folder)!r}: {reason_of(error)}; give a folder"
        ) from error
    if strangers:
        what = "has an empty 'session.db'" if database.exists() else "is no session"
        raise SessionError(
            f"{str(folder)!r} {what} and is not empty (it has {strangers[0]!r}); give a new folder, or restore it from "
            "a backup"
        )


def require_plain(folder: Path) -> None:
    """Refuse what reaches beyond the folder: links, devices, and a journal that has SQLite delete another file."""
    for names, right, what in ((_FOLDERS, stat.S_ISDIR, "folder"), (_FILES, stat.S_ISREG, "file")):
        for name in names:
            with suppress(FileNotFoundError, NotADirectoryError):
                if not right((folder / name).lstat().st_mode):
                    raise SessionError(
                        f"{str(folder / name)!r} is no plain {what}; replace it by one, or remove it"
                    )
    journal = folder / "session.db-journal"
    with suppress(FileNotFoundError, NotADirectoryError):
        content = journal.read_bytes()
        if len(content) > len(_NAMES_ANOTHER) and content.endswith(_NAMES_ANOTHER):
            raise SessionError(f"{str(journal)!r} names a file that SQLite would delete; remove that journal")


def clear_up(folder: Path, points: int, tangents: set[int]) -> None:
    """Remove what a process that was killed has left.

    Args:
        folder: of the session.
        points: how many it has. Only the next one's file can be a left-over; others are none of ours.
        tangents: which of them have one.
    """
    with suppress(OSError):
        for place in (folder, *(folder / name for name in _FOLDERS)):
            for left in place.glob(f"{SCRATCH}*"):
                shutil.rmtree(left, ignore_errors=True)
        point_file(folder, points).unlink(missing_ok=True)
        for file in (folder / "tangents").glob("*.safetensors"):
            if file.stem.isdecimal() and int(file.stem) not in tangents:
                file.unlink()


def point_file(folder: Path, point_id: int) -> Path:
    """Where a point is."""
    return folder / "points" / f"{point_id:06d}.safetensors"


def tangent_file(folder: Path, point_id: int) -> Path:
    """Where its tangent is."""
    return folder / "tangents" / f"{point_id:06d}.safetensors"
