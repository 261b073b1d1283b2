"""What is checked of the settings of a method."""

from __future__ import annotations

from paretonav.errors import ProblemError


def require_integers(settings: object, **least: int) -> None:
    """Refuse attributes of ``settings`` that are no integers, or below their least value.

    Raises:
        ProblemError: naming the first of them.
    """
    for name, lowest in least.items():
        value = getattr(settings, name)
        if not isinstance(value, int) or isinstance(value, bool) or value < lowest:
            raise ProblemError(f"{name}={value!r} is not possible; give an integer of at least {lowest}")
