"""Back to the front: what makes a predicted point Pareto-critical again."""

from paretonav.steering.correctors.aligned_descent import AlignedDescent
from paretonav.steering.correctors.base import Correction, Corrector, Guide
from paretonav.steering.correctors.mgda import MGDA
from paretonav.steering.correctors.newton import Newton
from paretonav.steering.correctors.stay import Stay

__all__ = ["MGDA", "AlignedDescent", "Correction", "Corrector", "Guide", "Newton", "Stay"]
