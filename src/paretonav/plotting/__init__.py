"""Pictures of a navigation: ``save_plot(navigator, "way.html")`` or ``"way.png"``."""

from paretonav.plotting.save import FORMATS, save_plot

__all__ = ["FORMATS", "save_plot"]
