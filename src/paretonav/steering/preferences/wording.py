"""Preferences as a person reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from paretonav.steering.preferences import Aim, Classify, Direction, Improve, Prefer, Preference
from paretonav.text import listed, number, printable


def describe(preference: Preference, amount: float) -> str:
    """A preference in words, with the data that it is about where these are not those that are asked for by default.

    Example:
        >>> describe(Improve({"age": 0.7, "marital": 0.3}, hold=["education"], units="relative"), 0.05)
        'improve age 0.7, marital 0.3 by 5%, holding education'
        >>> describe(Aim({"age": 0.52}, allow={"marital": 0.4}), 1.0)
        'aim at age 0.52, allowing marital 0.4'
        >>> describe(Improve({"age": 1.0}, on="train"), 0.05)
        'improve age by 5% on training data'
    """
    return _described(preference, amount) + (
        " on training data" if getattr(preference, "on", None) == "train" else ""
    )


def origin(parent: int | None, preference: Preference | None, amount: float | None) -> str:
    """How a point was reached, in words."""
    if parent is None:
        return "start"
    if preference is None or amount is None:
        return f"from point {parent}"
    return f"from point {parent}: {describe(preference, amount)}"


def _described(preference: Preference, amount: float) -> str:
    by = f" by {100 * amount:.3g}%"
    match preference:
        case Improve(weights, hold=hold, allow=allow):
            improved = [(name, weight) for name, weight in weights.items() if weight]
            return f"improve {_weighted(improved)}{by}{_kept(hold, allow)}"
        case Direction(changes, hold=hold, allow=allow):
            held = list(dict.fromkeys([*(name for name, change in changes.items() if not change), *hold]))
            moved = [f"{printable(n)} {number(change, '+')}" for n, change in changes.items() if change]
            return f"direction {', '.join(moved)}{by}{_kept(held, allow)}"
        case Aim(target, hold=hold, allow=allow):
            way = "" if amount == 1 else f" ({100 * amount:.3g}% of the way)"
            return f"aim at {_values(target)}{way}{_kept(hold, allow)}"
        case Classify(improve, improve_to, hold=hold, allow=allow):
            goals = [f"{printable(name)} (to {value:.4g} at most)" for name, value in improve_to.items()]
            return f"improve {listed([*map(printable, improve), *goals])}{by}{_kept(hold, allow)}"
        case Prefer(better, over, hold=hold, allow=allow):
            return f"prefer {_values(better)} to {_values(over)}{by}{_kept(hold, allow)}"
    return printable(f"{preference!r}{by}")


def _kept(held: Sequence[str], allow: Mapping[str, float]) -> str:
    holding = f", holding {listed(map(printable, held))}" if held else ""
    return holding + (f", allowing {_values(allow)}" if allow else "")


def _values(values: Mapping[str, float]) -> str:
    return listed(f"{printable(name)} {value:.4g}" for name, value in values.items())


def _weighted(weights: Sequence[tuple[str, float]]) -> str:
    if len({weight for _, weight in weights}) == 1:
        return listed([printable(name) for name, _ in weights])
    return ", ".join(f"{printable(name)} {number(weight)}" for name, weight in weights)
