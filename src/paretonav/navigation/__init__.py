"""Walking along the front from point to point."""

from paretonav.navigation.navigator import Navigator
from paretonav.navigation.several import Processes, first_alone

__all__ = ["Navigator", "Processes", "first_alone"]
