"""Walking along the front from point to point."""

from paretonav.navigation.navigator import Navigator
from paretonav.navigation.leading import Processes, lead

__all__ = ["Navigator", "Processes", "lead"]
