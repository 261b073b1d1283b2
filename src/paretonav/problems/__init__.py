"""Ready problems: some whose front is known, one on real data."""

from paretonav.problems.digits import Digits, digits
from paretonav.problems.dtlz import dtlz
from paretonav.problems.fonseca import fonseca_fleming
from paretonav.problems.quadratic import quadratic
from paretonav.problems.zdt import zdt

__all__ = ["Digits", "digits", "dtlz", "fonseca_fleming", "quadratic", "zdt"]
