"""One at a time: what threads share."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar


class HasTurn(Protocol):
    """What only one thread may use at a time."""

    _turn: threading.RLock


P = ParamSpec("P")
T = TypeVar("T")
S = TypeVar("S", bound=HasTurn)


def one_at_a_time(method: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
    """While a step runs in one thread, another may note something down or look at a point."""

    @wraps(method)
    def locked(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with self._turn:
            return method(self, *args, **kwargs)

    return locked
