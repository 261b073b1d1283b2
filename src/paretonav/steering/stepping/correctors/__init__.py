"""Back to the front: what makes a predicted point Pareto-critical again."""

from paretonav.steering.stepping.correctors.aligned_descent import AlignedDescent
from paretonav.steering.stepping.correctors.base import Correction, Corrector, Guide
from paretonav.steering.stepping.correctors.mgda import MGDA
from paretonav.steering.stepping.correctors.newton import Newton
from paretonav.steering.stepping.correctors.stay import Stay

__all__ = ["MGDA", "AlignedDescent", "Correction", "Corrector", "Guide", "Newton", "Stay"]
