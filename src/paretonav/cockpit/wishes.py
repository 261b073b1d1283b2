"""From what stands in a view to a preference."""

from __future__ import annotations

import math
from collections.abc import Mapping

from paretonav.cockpit.messages import Mode
from paretonav.errors import PreferenceError
from paretonav.geometry import FrontModel
from paretonav.steering import Aim, Improve, Preference
from paretonav.text import in_quotes, printable

_IN_WORDS = {
    "improve": "improve {0} by {1:.4g}%",
    "aim": "aim for {0} at {1:.4g}",
    "hold": "hold {0}",
    "limit": "allow {0} {2} to {1:.4g}",
}
_AT_ITS_BOUND = 1e-3  # of the value: a bound that is typed with four digits may fall short of it by that


def preference_of(modes: Mapping[str, Mode], front: FrontModel) -> tuple[Preference, float] | None:
    """The preference that modes stand for, and how much of it; None if they ask for nothing yet.

    Per cent to improve by are what is asked for, each of its own value; once one quantity is aimed at, the others'
    per cent are aims, too.

    Raises:
        PreferenceError: an improvement is below zero.
    """
    for name, mode in modes.items():
        if mode.kind == "improve" and mode.number < 0:
            raise PreferenceError(
                f"{in_quotes(name)} cannot improve by {mode.number:.6g}%: an improvement is 0% or more; to let it get "
                "worse, say how far by a bound, or aim for a value"
            )
    values = dict(zip(front.steerable, front.values.tolist(), strict=True))
    senses = dict(zip(front.steerable, front.orientation.tolist(), strict=True))
    improved = {
        name: mode.number for name, mode in modes.items() if mode.kind == "improve" and mode.number > 0
    }
    aims = {name: mode.number for name, mode in modes.items() if mode.kind == "aim"}
    # An improvement by nothing holds, as the next bit of a slider's way improves: without a jump in between.
    hold = [
        name
        for name, mode in modes.items()
        if mode.kind == "hold" or (mode.kind == "improve" and mode.number == 0)
    ]
    allow = {
        name: _bound(mode.number, values[name], senses[name])
        for name, mode in modes.items()
        if mode.kind == "limit"
    }
    if aims:
        for name, percent in improved.items():
            aims[name] = values[name] - senses[name] * abs(values[name]) * percent / 100
        return Aim(aims, hold=hold, allow=allow), 1.0
    if improved:
        most = max(improved.values())
        shares = {name: percent / most for name, percent in improved.items()}
        return Improve(shares, hold=hold, units="relative", allow=allow), most / 100
    return None


def bounds_of(modes: Mapping[str, Mode], front: FrontModel) -> dict[str, float]:
    """Name -> the worst value that is allowed, of what is held or bounded."""
    told = zip(front.steerable, front.values.tolist(), front.orientation.tolist(), strict=True)
    return {
        name: now if modes[name].kind == "hold" else _bound(modes[name].number, now, sense)
        for name, now, sense in told
        if sense and name in modes and modes[name].kind in ("hold", "limit")
    }


def in_words(modes: Mapping[str, Mode], front: FrontModel) -> str:
    """Modes as a person would say them; empty if nothing is asked for."""
    higher = {name for name, sense in zip(front.steerable, front.orientation, strict=True) if sense < 0}
    if not any(mode.kind == "aim" or (mode.kind == "improve" and mode.number) for mode in modes.values()):
        return ""
    parts = [
        _IN_WORDS[mode.kind].format(printable(name), mode.number, "down" if name in higher else "up")
        for name, mode in modes.items()
    ]
    return "; ".join(
        part
        for part, mode in zip(parts, modes.values(), strict=True)
        if mode.kind != "improve" or mode.number
    )


def possible_instead(
    modes: Mapping[str, Mode], front: FrontModel, reach: float | None
) -> dict[str, Mode] | None:
    """The same wish with the bounds and the amounts that the model of what is around has; None if that is the same.

    Args:
        modes: what is asked for, and is not possible.
        front: at the point.
        reach: how much of it is possible, as a fraction of the values, if it is known.
    """
    values = dict(zip(front.steerable, front.values.tolist(), strict=True))
    senses = dict(zip(front.steerable, front.orientation.tolist(), strict=True))
    most = max((mode.number for mode in modes.values() if mode.kind == "improve"), default=0.0)
    share = 1.0 if reach is None or most <= 0 else min(1.0, 100 * reach / most)
    instead = dict(modes)
    for name, mode in modes.items():
        if mode.kind == "limit" and senses[name] * (values[name] - mode.number) > 0:
            instead[name] = Mode("limit", _rounded(values[name], senses[name]))
        elif mode.kind == "improve" and share < 1:
            instead[name] = Mode("improve", _rounded(mode.number * share, -1.0))
    return None if instead == modes else instead


def _rounded(x: float, side: float) -> float:
    """With four digits, rounded up where ``side`` is positive, else down."""
    if x == 0:
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(abs(x))) - 3)
    parts = math.ceil(x / unit - 1e-9) if side > 0 else math.floor(x / unit + 1e-9)
    return float(f"{parts * unit:.4g}")


def _bound(bound: float, value: float, sense: float) -> float:
    """A bound that was meant to be the present value is that."""
    short = sense * (value - bound)
    return value if 0 < short <= _AT_ITS_BOUND * abs(value) else bound
