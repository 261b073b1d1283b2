"""The tree of visited points and where it is kept."""

from paretonav.session.record import Record, Unstorable
from paretonav.session.session import Session

__all__ = ["Record", "Session", "Unstorable"]
