"""Where something was computed."""

from __future__ import annotations

import weakref

from torch import Tensor


class Place:
    """A parameter vector as it is now, remembered weakly: it may go, and it is another place once it is written to."""

    def __init__(self, theta: Tensor) -> None:
        self._theta, self._version = weakref.ref(theta), theta._version

    def is_at(self, theta: Tensor) -> bool:
        """Whether ``theta`` is that very vector, unchanged."""
        return self._theta() is theta and self._version == theta._version
