"""What a start or a step has come to, told to those who follow a navigator."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from paretonav.errors import NavigationError
from paretonav.objectives import Cost
from paretonav.session import Session
from paretonav.steering.reporting.point import Point, Step

logger = logging.getLogger(__name__)

Callback = Callable[["News"], object]


@dataclass(frozen=True, eq=False)
class News:
    """What a start or a step has come to.

    Attributes:
        point: where the navigation is now: a new point, or where it was, if the step was rejected.
        step: what was asked, predicted and achieved; None for the start.
        cost: what it took.
        epochs: about how much work that was, in forward and backward passes over the training data; None of a function.
        session: where the points are kept, the new one among them.
    """

    point: Point
    step: Step | None
    cost: Cost
    epochs: float | None
    session: Session


class Callbacks:
    """Functions that are told the news, one after the other, in the thread that computes.

    What is told has happened: a callback that fails takes nothing of it back, and keeps no other from being told.

    Args:
        callbacks: the functions.

    Raises:
        NavigationError: one of them cannot be called.
    """

    def __init__(self, callbacks: Sequence[Callback]) -> None:
        if callable(callbacks):
            raise NavigationError("callbacks are given as a list: callbacks=[callback]")
        for callback in callbacks:
            if not callable(callback):
                raise NavigationError(f"callbacks={[callback]!r}; a callback is a function that is told News")
        self._callbacks = tuple(callbacks)

    def tell(self, news: News) -> None:
        """Call each; what it raises is logged as a warning."""
        for callback in self._callbacks:
            try:
                callback(news)
            except Exception as error:
                name = getattr(callback, "__name__", type(callback).__name__)
                logger.warning(
                    "the callback %s failed at point %d, which stays as it is: %s: %s",
                    name,
                    news.point.id,
                    type(error).__name__,
                    error,
                    exc_info=True,
                )
