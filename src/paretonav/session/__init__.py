"""The tree of visited points and where it is kept."""

from paretonav.session.compare import Comparison, Difference
from paretonav.session.journal import Journal
from paretonav.session.record import Record, Unstorable
from paretonav.session.session import Session

__all__ = ["Comparison", "Difference", "Journal", "Record", "Session", "Unstorable"]
