"""From the controller's threads to the one place where a widget may be touched."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

logger = logging.getLogger(__name__)

_PERIOD = 0.05  # seconds between two messages about the progress of one job


class Courier:
    """Delivers what is published, one at a time, on the event loop that the front end's messages come in on.

    A loop takes callbacks from any thread. It runs them with the context variables of the message that it was last
    told to ``follow``: in one of them ipykernel has the request that an answer belongs to (marimo has its session in
    the thread of its loop). Where no loop runs, such as in a script, delivery happens in the thread that publishes.

    What has become obsolete before it was delivered is left out: progress that was followed by progress of the same
    job, and an earlier value of any trait but ``job`` and ``answer``, of which each one is for somebody.

    Args:
        deliver: called with a trait and its value, never twice at a time, and never while a ``turn`` is taken.
    """

    def __init__(self, deliver: Callable[[str, object], None]) -> None:
        self._deliver = deliver
        # Of all that follows; held for moments only, and never while something is delivered.
        self._guard = threading.Lock()
        self._waiting: list[tuple[str, object]] = []
        self._loop: asyncio.AbstractEventLoop | None = None  # followed now
        self._before: asyncio.AbstractEventLoop | None = None  # followed before that
        self._context = contextvars.copy_context()
        self._arranged: asyncio.AbstractEventLoop | None = None  # has been given ``_arrive`` to call
        self._progress: tuple[object, float] = (None, 0.0)  # the job that was last told of, and when
        self._closed = False
        self._turn = threading.Lock()

    def follow(self) -> None:
        """Deliver on the loop that runs now, in this context, from now on; as before if there is none."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        with self._guard:
            if loop is not self._loop:
                self._loop, self._before = loop, self._loop
            self._context = contextvars.copy_context()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Nothing is delivered in this block, but right after it."""
        with self._turn:
            yield
        self._hand_over()

    def put(self, trait: str, value: object) -> None:
        """Have a value delivered. It may be called from any thread, does not wait, and does not fail."""
        with self._guard:
            if self._closed or self._too_soon(trait, value):
                return
            self._waiting = [old for old in self._waiting if not _obsolete(*old, trait, value)]
            self._waiting.append((trait, value))
            if self._arranged_for():
                return
        self._hand_over()

    def close(self) -> None:
        """Deliver nothing any more."""
        with self._guard:
            self._closed = True
            self._waiting.clear()

    def _arranged_for(self) -> bool:
        """Whether a running loop will deliver what waits: one that was told to before, or is told to now."""
        # A loop that has stopped since, as those of subshells do, will not deliver what it was given.
        if self._arranged is not None and self._arranged.is_running():
            return True
        candidates = (self._loop, self._before)
        self._arranged = next((loop for loop in candidates if loop is not None and loop.is_running()), None)
        if self._arranged is None:
            return False
        try:
            self._arranged.call_soon_threadsafe(self._arrive, context=self._context)
        except RuntimeError:  # it was closed this very moment
            self._arranged = None
            return False
        return True

    def _arrive(self) -> None:
        """The callback of the loop."""
        with self._guard:
            self._arranged = None
        self._hand_over()

    def _hand_over(self) -> None:
        """Deliver what waits. Whoever has the turn does that when it ends, so nobody waits for it."""
        while self._waiting:
            if not self._turn.acquire(blocking=False):
                return
            try:
                self._deliver_all()
            finally:
                self._turn.release()

    def _deliver_all(self) -> None:
        while True:
            with self._guard:
                if not self._waiting:
                    return
                trait, value = self._waiting.pop(0)
            try:
                self._deliver(trait, value)
            except Exception:  # of a front end that is gone; the controller's threads have other things to do
                logger.exception("the cockpit could not show its %s", trait)

    def _too_soon(self, trait: str, value: object) -> bool:
        job = _progress_of(trait, value)
        if job is None:
            return False
        now = time.monotonic()
        if self._progress[0] == job and now - self._progress[1] < _PERIOD:
            return True
        self._progress = (job, now)
        return False


def _progress_of(trait: str, value: object) -> object:
    """The job that this is progress of, or None."""
    running = trait == "job" and isinstance(value, dict) and value.get("status") == "running"
    return value.get("id") if running and isinstance(value, dict) else None


def _obsolete(old_trait: str, old: object, trait: str, value: object) -> bool:
    """Whether nobody needs ``old`` any more when ``value`` comes."""
    if trait != old_trait or trait == "answer":
        return False
    if trait == "job":
        job = _progress_of(old_trait, old)
        return job is not None and isinstance(value, dict) and value.get("id") == job
    return True
