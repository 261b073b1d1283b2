"""Walking along the front from point to point."""

from paretonav.navigation.diagnosis import Checkup, Finding, checkup
from paretonav.navigation.navigator import Navigator
from paretonav.navigation.news import Callback, News
from paretonav.navigation.several import Processes, first_alone

__all__ = ["Callback", "Checkup", "Finding", "Navigator", "News", "Processes", "checkup", "first_alone"]
