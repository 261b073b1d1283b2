"""Pictures of a session: as Matplotlib figures, and by ``save_plot(session, "way.png")`` as files."""

from paretonav.plotting.figures import bars, front, parallel, radar, steps, trajectory
from paretonav.plotting.save import CHARTS, FORMATS, Kind, save_plot

__all__ = [
    "CHARTS",
    "FORMATS",
    "Kind",
    "bars",
    "front",
    "parallel",
    "radar",
    "save_plot",
    "steps",
    "trajectory",
]
