"""What a person has given to a preference: checked, and put into arrays over all quantities.

All kinds of preferences check alike, so that the same mistake has the same message.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from numbers import Real

import numpy as np

from paretonav.errors import PreferenceError
from paretonav.steering.preferences.wish import Array, Fit, Situation, Units, Wish
from paretonav.text import in_quotes

DEFAULT_AMOUNT = 0.05
"""Of what a preference counts its amount in: a change that shows on any data, and that one leg covers as a rule."""


def numbers(given: Mapping[str, float], what: str, *, finite: bool = False) -> dict[str, float]:
    """The mapping as a dict name -> float.

    Args:
        given: name -> number.
        what: the argument's name, for messages.
        finite: whether infinite numbers and NaN are refused, too.
    """
    if not isinstance(given, Mapping):
        raise PreferenceError(f'{what}={given!r} is not a mapping; give a dict such as {{"age": 1.0}}')
    for name, value in given.items():
        if not isinstance(value, Real):
            raise PreferenceError(f"{value!r} for {in_quotes(name)} in {what} is not a number")
        if finite and not math.isfinite(value):
            raise PreferenceError(
                f"{value!r} for {in_quotes(name)} in {what} is not possible; give a finite number"
            )
    return {name: float(value) for name, value in given.items()}


def names(given: str | Iterable[str], what: str) -> tuple[str, ...]:
    """One name, or several, as a tuple; ``what`` is the argument's name, for messages."""
    found = (given,) if isinstance(given, str) else tuple(given)
    for name in found:
        if not isinstance(name, str):
            raise PreferenceError(f"{name!r} in {what} is not a name")
    return found


def disjoint(roles: Mapping[str, Iterable[str]]) -> None:
    """Raise ``PreferenceError`` where a quantity is named in two roles, such as improved and held.

    Args:
        roles: role, as it is said in a message ("is held"), -> the names that have it.
    """
    seen: dict[str, str] = {}
    for role, members in roles.items():
        for name in dict.fromkeys(members):
            if name in seen:
                raise PreferenceError(
                    f"{in_quotes(name)} {_both(seen[name], role)}; remove it from one of the two"
                )
            seen[name] = role


def rooms(at: Situation, allow: Mapping[str, float]) -> Array:
    """[q]: how much worse each quantity may get; infinite where nothing is said.

    Args:
        at: where the preference is expressed.
        allow: name -> worst value.
    """
    room = np.full(len(at.names), np.inf)
    for name, bound in allow.items():
        i = at.index(name)
        room[i] = at.sense(name) * (bound - at.values[i])
        if not room[i] >= 0:
            raise PreferenceError(
                f"{in_quotes(name)} is {at.values[i]:.4g} here, already beyond its bound of {bound:.4g}; improve it, "
                "or allow at least that"
            )
    return room


def proportional(
    at: Situation,
    changes: Mapping[str, float],
    units: Units,
    allow: Mapping[str, float] | None = None,
    caps: Mapping[str, float] | None = None,
    fit: Fit = Fit.EXACT,
) -> Wish:
    """The wish for changes in the given proportions, negative where a quantity is to fall.

    Args:
        at: where it is expressed.
        changes: name -> proportion, in ``units``.
        units: what proportions are counted in. The amount is counted by the quantity with the largest proportion: as
            its relative change, or in units of ranges as a part of its range.
        allow: name -> worst value.
        caps: name -> the largest magnitude of its change.
        fit: see Fit.
    """
    scale, sizes = at.scale(units), at.ranges if units == "range" else at.sizes
    lead = max(changes, key=lambda name: abs(changes[name]))
    direction, cap = np.full(len(at.names), np.nan), np.full(len(at.names), np.inf)
    for name, change in changes.items():
        i = at.index(name)
        if sizes[i] == 0 and (name == lead or (units != "absolute" and change != 0)):
            what = "has no range" if units == "range" else "is zero, so a relative change of it means nothing"
            raise PreferenceError(
                f"{in_quotes(name)} {what}; "
                + ("use units='absolute'" if name != lead else "give another objective the largest weight")
            )
        direction[i] = change * scale[i]
    for name, largest in (caps or {}).items():
        cap[at.index(name)] = largest
    i = at.index(lead)
    return Wish(
        at.names,
        direction / abs(direction[i]),
        float(sizes[i]),
        at.orientation,
        rooms(at, allow or {}),
        cap,
        comparable(at, units),
        fit,
    )


def comparable(at: Situation, units: Units) -> Array:
    """[q], positive sizes by which changes of quantities are compared: ranges if units are, else present values."""
    sizes = at.ranges if units == "range" else at.sizes
    return np.asarray(np.maximum(sizes, 1e-9 * sizes.max(initial=1e-300)))


def check_amount(amount: float) -> float:
    """Return ``amount`` as a float if it is a positive number."""
    if isinstance(amount, bool) or not (isinstance(amount, Real) and math.isfinite(amount) and amount > 0):
        raise PreferenceError(
            f"amount={amount!r} is not possible; give a positive fraction, such as 0.05 for a change of 5 %"
        )
    return float(amount)


def _both(first: str, second: str) -> str:
    if second.startswith("has "):
        first, second = second, first
    if first.startswith("has "):
        return f"{first} and {second} besides"
    return f"{'is both ' + first.removeprefix('is ')} and {second.removeprefix('is ')}"
