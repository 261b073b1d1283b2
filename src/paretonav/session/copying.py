"""Copies of a session, complete or not there at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from paretonav.errors import SessionError, reason_of
from paretonav.session.files import SCRATCH, checksum, flush
from paretonav.session.premises import make_folder


@contextmanager
def copying(path: Path) -> Iterator[Path]:
    """A folder that becomes ``path`` once the block has ended well, and is gone if it has not.

    Raises:
        SessionError: there is something already, or it cannot be written there.
    """
    try:
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise SessionError(f"{str(path)!r} is there already; give a new folder for the copy")
        make_folder(path.parent)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=SCRATCH) as scratch:
            folder = Path(scratch, path.name)
            for part in (folder, folder / "points", folder / "tangents"):
                part.mkdir()
            yield folder
            for part in (*folder.rglob("*"), folder):
                flush(part)
            if path.exists():
                path.rmdir()  # it is empty; not everywhere can a folder be renamed to one that is there
            os.rename(folder, path)
        flush(path.parent)
    except OSError as error:
        raise SessionError(
            f"cannot copy the session to {str(path)!r}: {reason_of(error)}; free some space or give another folder"
        ) from error


def duplicate(source: Path, target: Path, expected: str) -> None:
    """Copy a file that is to have a checksum; an empty one is not known.

    Raises:
        SessionError: it is missing or damaged.
    """
    try:
        shutil.copyfile(source, target)
    except FileNotFoundError as error:
        raise SessionError(
            f"{str(source)!r} is missing; if the session was pruned just now, try again, else restore it from a backup"
        ) from error
    if expected and checksum(target) != expected:
        raise SessionError(
            f"{str(source)!r} is damaged: its checksum is not that of what was written; restore it from a backup"
        )
