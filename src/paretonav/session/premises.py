"""What may lie in a session's folder, and what is cleared away from it."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path

from paretonav.errors import SessionError, reason_of
from paretonav.session.files import SCRATCH, checksum, flush

_FOLDERS = ("points", "tangents")
_BEFORE_THE_FIRST_POINT = ("session.db", "session.db-journal", "writer.lock", "writer.txt")
_FILES = (*_BEFORE_THE_FIRST_POINT, "session.db-wal", "session.db-shm", "model.safetensors")
_WRITTEN_INTO = ("session.db", "session.db-journal", "writer.lock")  # all others are replaced
_SUFFIX, _PENDING = ".safetensors", ".new"
_NAMES_ANOTHER = bytes.fromhex("d9d505f920a163d7")
"""How a journal ends that belongs to several databases at once (SQLite's file format, section 3)."""


def prepare(folder: Path) -> None:
    """Make a session's folder, or check that what is there is one.

    Raises:
        SessionError: there is something else, or it may not be written there.
    """
    try:
        make_folder(folder)
        require_plain(folder)
        _require_one_name(folder)
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


def _require_one_name(folder: Path) -> None:
    """Refuse to write into a file that has another name elsewhere, a hard link: what is there would change, too."""
    for name in _WRITTEN_INTO:
        with suppress(FileNotFoundError):
            if (folder / name).lstat().st_nlink > 1:
                raise SessionError(
                    f"{str(folder / name)!r} has another name elsewhere (a hard link), and writing to it would change "
                    "what is there; replace it by a copy"
                )


def require_no_part_of_a_session(path: Path) -> None:
    """Refuse to write over a file of a session, this one or any other."""
    name, folder = path.name.casefold(), path.parent.resolve()
    if (name in _FILES and (folder / "session.db").exists()) or (
        folder.name.casefold() in _FOLDERS and (folder.parent / "session.db").exists()
    ):
        raise SessionError(
            f"{str(path)!r} is a file of a session, which would be lost; choose a place outside of its folder"
        )


def require_plain(folder: Path) -> None:
    """Refuse what reaches beyond the folder: links, devices, and a journal that has SQLite delete another file."""
    try:
        _require_plain(folder)
    except OSError as error:  # a path that is too long, say
        raise SessionError(
            f"cannot look into {str(folder)!r}: {reason_of(error)}; give another, shorter path"
        ) from error


def _require_plain(folder: Path) -> None:
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


def make_folder(folder: Path) -> None:
    """Make a folder and those that it is in, and wait until all of them are on the disk."""
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for made in missing:
        flush(made.parent)


def require_of_one_time(folder: Path, points: int) -> None:
    """Refuse a table with fewer points than there are files: it is an older one, and steps would overwrite the others.

    A file that a killed process has left of a point that it did not keep has another name (``pending_file``).

    Args:
        folder: of the session.
        points: how many the table has.
    """
    later = sorted(i for i in _numbers(folder / "points") if i >= points)
    if later:
        raise SessionError(
            f"{str(folder / 'session.db')!r} has {points} points, and there is a file of point {later[0]}: it is older "
            "than the files, or of another session; put the right one back, or move "
            f"{str(point_file(folder, later[0]))!r} and those after it elsewhere to go on without them"
        )


def clear_up(folder: Path, checksum_of: Callable[[int], str], tangents: Collection[int]) -> None:
    """Finish or remove what a process that was killed has left.

    Args:
        folder: of the session.
        checksum_of: a point's number -> the checksum that its file is to have; empty if there is none.
        tangents: which points have one.
    """
    with suppress(OSError):
        for place in (folder, *(folder / name for name in _FOLDERS)):
            for left in place.glob(f"{SCRATCH}*"):
                shutil.rmtree(left, ignore_errors=True)
        for file in (folder / "points").glob(f"*{_SUFFIX}{_PENDING}"):
            name = file.name.removesuffix(_SUFFIX + _PENDING)
            if name.isdecimal() and checksum(file) == checksum_of(int(name)):
                publish(folder, int(name))
            elif name.isdecimal():
                file.unlink()
        for point_id in _numbers(folder / "tangents") - set(tangents):
            tangent_file(folder, point_id).unlink()


def point_file(folder: Path, point_id: int) -> Path:
    """Where a point is."""
    return folder / "points" / f"{point_id:06d}{_SUFFIX}"


def pending_file(folder: Path, point_id: int) -> Path:
    """Where it is until the table has its checksum."""
    return folder / "points" / f"{point_id:06d}{_SUFFIX}{_PENDING}"


def publish(folder: Path, point_id: int) -> None:
    """Give a point's file its name, once the table has its checksum."""
    os.replace(pending_file(folder, point_id), point_file(folder, point_id))


def _numbers(folder: Path) -> set[int]:
    """Of the points that have a file in a folder."""
    return {int(file.stem) for file in folder.glob(f"*{_SUFFIX}") if file.stem.isdecimal()}


def tangent_file(folder: Path, point_id: int) -> Path:
    """Where its tangent is."""
    return folder / "tangents" / f"{point_id:06d}{_SUFFIX}"
