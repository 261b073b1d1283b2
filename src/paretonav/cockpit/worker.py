"""A thread that does one thing after the other."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")

_GLANCE = 0.2  # seconds: on some systems Ctrl-C waits for the end of a wait


class Worker:
    """Carries out what it is given, in the order in which that comes.

    It is like an executor of one thread, but for one thing: the interpreter does not wait for this thread when it ends.
    A batch of a model cannot be interrupted and may take minutes, and who says a second time that it is enough must
    not have to wait for it.

    Args:
        name: of the thread.
        first: what the thread does first.
    """

    def __init__(self, name: str, first: Callable[[], None] = lambda: None) -> None:
        self._first = first
        self._due: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._turn = threading.Lock()
        self._ended = False
        self._dropping = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def submit(self, work: Callable[..., T], *args: object) -> Future[T]:
        """Have ``work(*args)`` done, and get what will come of it.

        Raises:
            RuntimeError: it takes nothing any more.
        """
        future: Future[T] = Future()
        with self._turn:
            if self._ended:
                raise RuntimeError("this worker takes nothing any more")
            self._due.put((future, lambda: work(*args)))
        return future

    def end(self, *, wait: bool = True) -> None:
        """Take nothing any more, drop what has not been begun, and by default wait for the end of what has."""
        with self._turn:
            if not self._ended:
                self._ended = self._dropping = True
                self._due.put(None)
        while wait and self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(_GLANCE)

    def _work(self) -> None:
        self._first()
        while (due := self._due.get()) is not None:
            future, work = due
            if self._dropping:
                future.cancel()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                done = work()
            except BaseException as error:  # whoever waits for it is told
                future.set_exception(error)
            else:
                future.set_result(done)
            del future, work, due  # what has been done keeps nothing alive
