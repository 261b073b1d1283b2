"""What all loggers are: callbacks that put an entry where experiments are kept."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from paretonav.errors import NavigationError
from paretonav.loggers.entry import Entry
from paretonav.navigation import News
from paretonav.plotting.save import CHARTS, Kind
from paretonav.text import listed


class Logger(ABC):
    """A callback of a ``Navigator``, for one place where experiments are kept.

    Args:
        pictures: kinds of charts that are drawn at every point, as in ``plotting.save_plot``; each takes time.
    """

    def __init__(self, pictures: Sequence[Kind]) -> None:
        unknown = [kind for kind in pictures if kind not in CHARTS]
        if isinstance(pictures, str) or unknown:
            raise NavigationError(
                f"pictures={pictures!r} is not possible; give a list of {listed(map(repr, CHARTS), 'or')}"
            )
        self._kinds = tuple(pictures)

    def __call__(self, news: News) -> None:
        """Log a start or a step."""
        self.log(Entry.of(news, self._kinds))

    @abstractmethod
    def log(self, entry: Entry) -> None:
        """Put an entry where it belongs."""
