"""One chart per module: what it shows, and how either library draws it."""

from paretonav.plotting.charts.bars import Bars
from paretonav.plotting.charts.front import Front
from paretonav.plotting.charts.parallel import Parallel
from paretonav.plotting.charts.radar import Radar
from paretonav.plotting.charts.trajectory import Trajectory

__all__ = ["Bars", "Front", "Parallel", "Radar", "Trajectory"]
