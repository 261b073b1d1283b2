"""Preferences as they are typed."""

from __future__ import annotations

from collections.abc import Mapping

from paretonav.steering import Aim, Classify, Direction, Improve
from paretonav.steering.preferences import On
from paretonav.terminal.words import quoted
from paretonav.text import number

DEFAULT_PERCENT = 5.0  # where no amount is said: the size of a step that one leg usually takes
WHOLE = 100.0  # per cent: an aim is meant to be reached
Said = Improve | Direction | Aim | Classify
"""The preferences that can be typed; ``prefer`` names points, so it needs those to become one."""


def spoken(preference: Said, percent: float) -> str:
    """The command that parses to this preference, and this much of it.

    Example:
        >>> spoken(Improve({"west": 1.0}, allow={"east": 0.5}), 2.5)
        'improve west by 2.5% allow east 0.5'
    """
    by = f" by {number(percent)}%"
    tail = f"{allowing(preference.allow)}{on_data(preference.on)}"
    match preference:
        case Improve(weights):
            alone = list(weights.values()) == [1.0]
            return f"improve {' '.join(map(quoted, weights)) if alone else numbers(weights)}{by}{tail}"
        case Direction(changes):
            moves = (f"{quoted(name)} {number(change, '+')}" for name, change in changes.items())
            return f"direction {' '.join(moves)}{by}{tail}"
        case Aim(target):
            return f"aim {numbers(target)}{'' if percent == WHOLE else by}{tail}"
        case Classify(improve, improve_to, hold=hold, allow=allow, free=free, on=on):
            classes = {
                "improve": " ".join(map(quoted, improve)),
                "hold": " ".join(map(quoted, hold)),
                "free": " ".join(map(quoted, free)),
                "to": numbers(improve_to),
                "allow": numbers(allow),
            }
            said = " ".join(f"{word} {members}" for word, members in classes.items() if members)
            return f"classify {said}{by}{on_data(on)}"


def moved(preference: Said) -> tuple[str, ...]:
    """What a preference lets move by name, which contradicts a hold."""
    match preference:
        case Improve(entries) | Direction(entries):
            named = tuple(name for name, entry in entries.items() if entry)
        case Aim(target):
            named = tuple(target)
        case Classify(improve, improve_to, free=free):
            named = (*improve, *improve_to, *free)
    return (*named, *preference.allow)


def on_data(on: On | None) -> str:
    """What says of which data the losses are meant."""
    return {None: "", "train": " on training data", "validation": " on validation data"}[on]


def numbers(entries: Mapping[str, float]) -> str:
    """Names with a number each."""
    return " ".join(f"{quoted(name)} {number(value)}" for name, value in entries.items())


def allowing(allow: Mapping[str, float]) -> str:
    """What says which values are the worst that are acceptable."""
    return f" allow {numbers(allow)}" if allow else ""
