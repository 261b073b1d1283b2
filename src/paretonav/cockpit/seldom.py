"""Saying something once where it could be said a thousand times."""

from __future__ import annotations

import threading
import time

_PAUSE = 60.0  # seconds


class Seldom:
    """Lets a remark of each kind through once a minute: what others cause must not fill a disk.

    Args:
        pause: seconds between two remarks of a kind.
    """

    def __init__(self, pause: float = _PAUSE) -> None:
        self._pause = pause
        self._turn = threading.Lock()
        self._said: dict[str, float] = {}

    def may_say(self, kind: str) -> bool:
        """Whether it is time for a remark of this kind; if so, it counts as made."""
        now = time.monotonic()
        with self._turn:
            last = self._said.get(kind)
            if last is not None and now - last < self._pause:
                return False
            self._said[kind] = now
            return True
