"""How wishes for a step are said."""

from __future__ import annotations

from collections.abc import Callable

from paretonav.steering import Aim, Classify, Direction, Improve
from paretonav.terminal.commands import Prefer, Step
from paretonav.terminal.spoken import DEFAULT_PERCENT, WHOLE
from paretonav.terminal.words import CommandError, Words, different
from paretonav.text import printable

_CLASSES = ("improve", "to", "hold", "allow", "free")


def improve(words: Words) -> Step:
    """Names, each with a weight or without."""
    entries: list[tuple[str, float]] = []
    while not entries or not words.at_stop():
        name, weight = words.take_name(), words.take_number()
        if weight is not None and weight < 0:
            shown = printable(name)
            raise CommandError(
                f"the weight of {shown} is negative; to let it rise, use: direction NAME -1 {shown} +1"
            )
        entries.append((name, 1.0 if weight is None else weight))
    if not any(weight for _, weight in entries):
        raise CommandError("no weight is positive; give at least one objective to improve")
    different([name for name, _ in entries])
    percent = words.take_percent(DEFAULT_PERCENT)
    return Step(Improve(dict(entries), allow=allowed(words), on=words.take_on()), percent)


def direction(words: Words) -> Step:
    """Names, each with a signed change."""
    entries: list[tuple[str, float]] = []
    while not entries or not words.at_stop():
        name, change = words.take_name(), words.take_number()
        if change is None:
            raise CommandError(
                f"the change of {printable(name)} is missing; give a signed number, negative to improve"
            )
        entries.append((name, change))
    # Which way a metric is better only the problem knows.
    if not any(change < 0 or (change and name not in words.objectives) for name, change in entries):
        raise CommandError("nothing is to improve; give at least one objective a negative change")
    different([name for name, _ in entries])
    percent = words.take_percent(DEFAULT_PERCENT)
    return Step(Direction(dict(entries), allow=allowed(words), on=words.take_on()), percent)


def allowed(words: Words) -> dict[str, float]:
    """What follows "allow": names, each with the worst value that is acceptable."""
    return values_of(words, "the worst value allowed") if words.take_keyword("allow") else {}


def aim(words: Words) -> Step:
    """Names, each with the value to arrive at."""
    entries = values_of(words, "the value to aim at")
    percent = words.take_percent(WHOLE)
    return Step(Aim(entries, allow=allowed(words), on=words.take_on()), percent)


def classify(words: Words) -> Step:
    """Classes in any order, each once."""
    words.stops = (*_CLASSES, "by", "on")
    names: dict[str, tuple[str, ...]] = {}
    values: dict[str, dict[str, float]] = {}
    while words and not words.at_keyword("by") and not words.at_keyword("on"):
        for part in _CLASSES:
            if words.take_keyword(part):
                break
        else:
            raise CommandError("a class is missing: improve, to, hold, allow or free")
        if part in names or part in values:
            raise CommandError(f"{part!r} is there more than once; name it once, with all of its names")
        if part == "to":
            values[part] = values_of(words, "the value to improve to")
        elif part == "allow":
            values[part] = values_of(words, "the worst value allowed")
        else:
            names[part] = _names(words)
    if not names.get("improve") and not values.get("to"):
        raise CommandError("nothing is to improve; say for example: classify improve NAME hold NAME")
    different([*(n for part in names.values() for n in part), *(n for v in values.values() for n in v)])
    percent = words.take_percent(DEFAULT_PERCENT)
    preference = Classify(
        names.get("improve", ()),
        values.get("to", {}),
        hold=names.get("hold", ()),
        allow=values.get("allow", {}),
        free=names.get("free", ()),
        on=words.take_on(),
    )
    return Step(preference, percent)


def prefer(words: Words) -> Prefer:
    """Two points with "to" between them."""
    words.stops = ("to", *words.stops)
    better = words.take_point()
    if not words.take_keyword("to"):
        raise CommandError("'to' is missing; say for example: prefer 3 to 1")
    return Prefer(better, words.take_point(), words.take_percent(DEFAULT_PERCENT), words.take_on())


WISHES: dict[str, Callable[[Words], Step | Prefer]] = {
    "improve": improve,
    "direction": direction,
    "aim": aim,
    "classify": classify,
    "prefer": prefer,
}
"""Their first words, and what reads the rest."""


def _names(words: Words) -> tuple[str, ...]:
    found = [words.take_name()]
    while not words.at_stop():
        found.append(words.take_name())
    return tuple(found)


def values_of(words: Words, what: str) -> dict[str, float]:
    """Names with a number each, at least one."""
    entries: list[tuple[str, float]] = []
    while not entries or not words.at_stop():
        name, value = words.take_name(), words.take_number()
        if value is None:
            raise CommandError(f"{what} of {printable(name)} is missing; give a number")
        entries.append((name, value))
    different([name for name, _ in entries])
    return dict(entries)
