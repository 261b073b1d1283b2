"""Where a path leads, found out once."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from paretonav.errors import SessionError, reason_of


def place(path: str | PathLike[str]) -> Path:
    """The file or folder that a path means now, whatever becomes of the working directory or of links on the way.

    ``~`` is the home folder.

    Raises:
        SessionError: it is no path, or leads nowhere.
    """
    try:
        return Path(path).expanduser().resolve()
    except (
        OSError,
        RuntimeError,
        TypeError,
        ValueError,
    ) as error:  # a loop of links, no home, no text, a null byte
        raise SessionError(
            f"{path!r} is no possible place: {reason_of(error)}; give the path of a file or folder"
        ) from error
