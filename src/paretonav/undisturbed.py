"""Work that no signal breaks off half-way: Ctrl-C comes before it or after it."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")


def undisturbed(work: Callable[[], T]) -> T:
    """Do some short work; what the handler of a signal that came meanwhile raises, comes out at its end.

    Python runs such handlers in the main thread alone, so in any other there is nothing to put off.
    """
    if threading.current_thread() is not threading.main_thread():
        return work()
    came: list[int] = []
    handlers: dict[int, Callable[[int, FrameType | None], Any]] = {}

    def put_off(number: int, frame: FrameType | None) -> None:
        if _is_at_work(frame):
            came.append(number)
        else:  # an exception that was no signal has kept the handler from being put back
            signal.signal(number, handlers[number])
            handlers[number](number, frame)

    try:
        for number in signal.valid_signals():
            handler = signal.getsignal(number)
            if callable(handler):
                handlers[number] = handler
                signal.signal(number, put_off)
        return work()
    finally:
        for taken, handler in handlers.items():
            signal.signal(taken, handler)
        for late in came:
            handlers[late](late, sys._getframe())


def _is_at_work(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code is undisturbed.__code__:
            return True
        frame = frame.f_back
    return False
