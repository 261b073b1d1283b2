"""Where something was computed."""

from __future__ import annotations

import weakref

from torch import Tensor


def version(tensor: Tensor) -> int:
    """How often the tensor was written to; torch does not count that of those that were made in inference mode."""
    return 0 if tensor.is_inference() else tensor._version


class Place:
    """A parameter vector as it is now, remembered weakly: it may go, and it is another place once it is written to."""

    def __init__(self, theta: Tensor) -> None:
        self._theta, self._version = weakref.ref(theta), version(theta)

    def is_at(self, theta: Tensor) -> bool:
        """Whether ``theta`` is that very vector, unchanged."""
        return self._theta() is theta and self._version == version(theta)
