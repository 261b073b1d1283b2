"""What can be asked for at a point, in words, and the wish in numbers that each of these becomes.

Planning knows wishes only, so a preference of another kind needs nothing but a method ``wish``.
"""

from paretonav.steering.preferences.aim import Aim
from paretonav.steering.preferences.checks import DEFAULT_AMOUNT, check_amount
from paretonav.steering.preferences.classify import Classify
from paretonav.steering.preferences.direction import Direction
from paretonav.steering.preferences.improve import Improve
from paretonav.steering.preferences.prefer import Prefer
from paretonav.steering.preferences.wish import Fit, On, Preference, Situation, Units, Wish

KINDS: tuple[type[Preference], ...] = (Aim, Classify, Direction, Improve, Prefer)
"""All classes of preferences: a session can store these."""

__all__ = [
    "DEFAULT_AMOUNT",
    "KINDS",
    "Aim",
    "Classify",
    "Direction",
    "Fit",
    "Improve",
    "On",
    "Prefer",
    "Preference",
    "Situation",
    "Units",
    "Wish",
    "check_amount",
]
