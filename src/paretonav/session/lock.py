"""One writer at a time."""

from __future__ import annotations

import os
import re
import socket
import stat
from pathlib import Path

from filelock import FileLock, Timeout

from paretonav.errors import SessionError, reason_of
from paretonav.text import printable

_LONGEST = 200  # letters of what a writer says of itself
_WRITER = re.compile(r"process ([0-9]{1,9}) on (.+)")


class WriterLock:
    """Held by the one process that writes to a session; the system lets go of it when that ends, however it ends.

    Args:
        folder: of the session.

    Raises:
        SessionError: it may not be written there, or there is no space left.
    """

    def __init__(self, folder: Path) -> None:
        self._process = os.getpid()
        self._lock = FileLock(folder / "writer.lock", thread_local=False)
        self._owner = folder / "writer.txt"
        try:
            self._lock.acquire(timeout=0)
            self._owner.unlink(missing_ok=True)  # it may be another name of somebody's file
            self._owner.write_text(f"process {os.getpid()} on {socket.gethostname()}", "utf-8")
        except Timeout:
            pass
        except (OSError, NotImplementedError) as error:
            self._lock.release()
            raise SessionError(
                f"cannot write to {str(folder)!r}: {reason_of(error)}; check its permissions and the space left, or "
                "open the session for reading"
            ) from error

    @property
    def held(self) -> bool:
        """Whether this is the writer; a process that was forked off is not."""
        return self._lock.is_locked and os.getpid() == self._process

    @property
    def owner(self) -> str:
        """Who writes, in words."""
        return _said(self._owner) or "another process"

    def release(self) -> None:
        """Let others write."""
        if self.held:
            self._lock.release()


def writer_of(folder: Path) -> str:
    """Which process writes to a session now, in words, as far as can be known without taking its place; empty if none.

    A process of this machine is looked for by its number. What is said of one on another machine is only that it was
    the last: nobody here knows whether it still runs.
    """
    said = _said(folder / "writer.txt")
    found = _WRITER.fullmatch(said)
    if found is None:
        return ""
    process, host = int(found[1]), found[2]
    if host != socket.gethostname():
        return f"{said}, perhaps"
    return said if _runs(process) and _is_locked(folder / "writer.lock") else ""


def _said(file: Path) -> str:
    try:
        with file.open(encoding="utf-8") as text:
            return printable(text.read(_LONGEST))
    except (OSError, ValueError):
        return ""


def _runs(process: int) -> bool:
    """Whether there is such a process; where nobody can tell, there may be."""
    if os.name == "nt":  # a signal would end it there
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # another user's; no number of a process
        return True
    return True


def _is_locked(file: Path) -> bool:
    """Whether somebody holds a lock, which is found out by asking for it, and letting it go at once."""
    try:
        about = file.lstat()
    except OSError:
        return False
    if (
        not stat.S_ISREG(about.st_mode) or about.st_size or about.st_nlink > 1
    ):  # it may be another name of anything
        return False
    lock = FileLock(file, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except (Timeout, OSError, NotImplementedError):  # the last two: not for us
        return True
    lock.release()
    return False
