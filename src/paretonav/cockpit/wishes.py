"""From what stands in a view to a preference."""

from __future__ import annotations

from collections.abc import Mapping

from paretonav.cockpit.messages import Mode
from paretonav.geometry import FrontModel
from paretonav.steering import Aim, Improve, Preference
from paretonav.steering.wording import printable

_IN_WORDS = {
    "improve": "improve {0} by {1:.3g}%",
    "aim": "aim for {0} at {1:.4g}",
    "hold": "hold {0}",
    "limit": "allow {0} up to {1:.4g}",
}
_AT_ITS_BOUND = 1e-3  # of the value: a bound that is typed with four digits may fall short of it by that


def preference_of(modes: Mapping[str, Mode], front: FrontModel) -> tuple[Preference, float] | None:
    """The preference that modes stand for, and how much of it; None if they ask for nothing yet.

    Per cent to improve by are what is asked for, each of its own value; once one quantity is aimed at, the others'
    per cent are aims, too.
    """
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


def in_words(modes: Mapping[str, Mode]) -> str:
    """Modes as a person would say them; empty if nothing is asked for."""
    if not any(mode.kind == "aim" or (mode.kind == "improve" and mode.number > 0) for mode in modes.values()):
        return ""
    parts = [_IN_WORDS[mode.kind].format(printable(name), mode.number) for name, mode in modes.items()]
    return "; ".join(
        part
        for part, mode in zip(parts, modes.values(), strict=True)
        if mode.kind != "improve" or mode.number
    )


def _bound(bound: float, value: float, sense: float) -> float:
    """A bound that was meant to be the present value is that."""
    short = sense * (value - bound)
    return value if 0 < short <= _AT_ITS_BOUND * abs(value) else bound
