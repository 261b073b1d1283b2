"""Walking along the front from point to point."""

from paretonav.navigation.navigator import Navigator

__all__ = ["Navigator"]
