"""What the library logs as a warning, given to somebody who tells it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def remarks_told(tell: Callable[[str], None]) -> Iterator[None]:
    """Have ``tell`` called with each remark while the block runs; it is logged no further then."""
    handler = _Telling(tell)
    logger = logging.getLogger("paretonav")
    before = logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = before


class _Telling(logging.Handler):
    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        self._tell(record.getMessage())
