"""The whole front as far as it is known: the models around all visited points, side by side."""

from paretonav.atlas.cover import Cover, Unreached
from paretonav.atlas.front_map import FrontMap
from paretonav.atlas.route import Route

__all__ = ["Cover", "FrontMap", "Route", "Unreached"]
