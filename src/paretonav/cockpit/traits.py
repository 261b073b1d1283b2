"""What there is to see, published as named values."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

Listener = Callable[[str, object, str | None], None]


class Traits:
    """Plain JSON values by name, each replaced as a whole and never changed, and who listens to that.

    Args:
        names: of the traits.
        told: what becomes of each value before it is published; None leaves it as it is.

    Attributes:
        turn: a lock; with it, nothing is published in between.
    """

    def __init__(self, names: Sequence[str], told: Callable[[object], object] | None = None) -> None:
        self._told = told
        self.turn = threading.RLock()
        self._values: dict[str, object] = dict.fromkeys(names)
        self._listeners: list[Listener] = []

    def values(self) -> dict[str, object]:
        """The present value of each trait."""
        with self.turn:
            return dict(self._values)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener(trait, value, by)`` at every change, in the thread that publishes: it must not wait.

        Returns:
            What ends it.
        """
        with self.turn:
            self._listeners.append(listener)

        def end() -> None:
            with self.turn:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return end

    def publish(self, trait: str, value: object, by: str | None = None) -> None:
        """Set a value; ``by`` is the view that it comes from, which need not be told."""
        if self._told is not None:
            value = self._told(value)
        with self.turn:
            self._values[trait] = value
            for listener in tuple(self._listeners):
                listener(trait, value, by)
