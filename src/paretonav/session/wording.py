"""Names, numbers and preferences as a person reads them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from paretonav.session.record import Record
from paretonav.steering import Direction, Improve, Point, Preference


def printable(text: str) -> str:
    """``text`` with everything that would move a cursor or start an escape sequence spelled out."""
    return "".join(ch if ch.isprintable() else ch.encode("unicode_escape").decode("ascii") for ch in text)


def number(value: float, sign: str = "") -> str:
    """The shortest decimal that reads back as ``value``, with a leading plus if ``sign`` is "+"."""
    short = format(value, f"{sign}g")
    return short if float(short) == value else format(value, f"{sign}")


def listed(words: Sequence[str], last: str = "and") -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return f" {last} ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def describe(preference: Preference, amount: float) -> str:
    """A preference in words.

    Example:
        >>> describe(Improve({"age": 0.7, "marital": 0.3}, hold=["education"], units="relative"), 0.05)
        'improve age 0.7, marital 0.3 by 5%, holding education'
    """
    bounds = ""
    if isinstance(preference, Improve):
        allowed = [f"{printable(name)} {number(value)}" for name, value in preference.allow.items()]
        bounds = f", allowing {listed(allowed)}" if allowed else ""
        weights = [(name, weight) for name, weight in preference.weights.items() if weight]
        held: Iterable[str] = preference.hold
        words = "improve " + _weighted(weights)
    elif isinstance(preference, Direction):
        held = [name for name, change in preference.changes.items() if change == 0]
        moved = [(name, change) for name, change in preference.changes.items() if change]
        words = "direction " + ", ".join(f"{printable(name)} {number(change, '+')}" for name, change in moved)
    else:
        return printable(f"{preference!r} by {100 * amount:.3g}%")
    words += f" by {100 * amount:.3g}%"
    holding = listed([printable(name) for name in held])
    return (f"{words}, holding {holding}" if holding else words) + bounds


def origin(point: Point | Record) -> str:
    """How a point was reached, in words."""
    if point.parent is None:
        return "start"
    if point.preference is None or point.amount is None:
        return f"from point {point.parent}"
    return f"from point {point.parent}: {describe(point.preference, point.amount)}"


def _weighted(weights: Sequence[tuple[str, float]]) -> str:
    if len({weight for _, weight in weights}) == 1:
        return listed([printable(name) for name, _ in weights])
    return ", ".join(f"{printable(name)} {number(weight)}" for name, weight in weights)
