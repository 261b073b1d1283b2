"""One chart per module: what it shows, and how it is drawn."""

from paretonav.plotting.charts.changed import Changed
from paretonav.plotting.charts.choice import bars, first
from paretonav.plotting.charts.front import Front
from paretonav.plotting.charts.parallel import Parallel
from paretonav.plotting.charts.prices import Prices
from paretonav.plotting.charts.radar import Radar
from paretonav.plotting.charts.steps import Steps
from paretonav.plotting.charts.trajectory import Trajectory

__all__ = ["Changed", "Front", "Parallel", "Prices", "Radar", "Steps", "Trajectory", "bars", "first"]
