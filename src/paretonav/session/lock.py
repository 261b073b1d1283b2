"""One writer at a time."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from filelock import FileLock, Timeout

from paretonav.errors import SessionError, reason_of
from paretonav.text import printable


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
        try:
            return printable(self._owner.read_text("utf-8")[:200]) or "another process"
        except (OSError, ValueError):
            return "another process"

    def release(self) -> None:
        """Let others write."""
        if self.held:
            self._lock.release()
