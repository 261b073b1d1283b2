"""Walking along the front from point to point."""

from paretonav.navigation.diagnosis import Checkup, Finding, checkup
from paretonav.navigation.navigator import Navigator
from paretonav.navigation.several import Processes, first_alone

__all__ = ["Checkup", "Finding", "Navigator", "Processes", "checkup", "first_alone"]
