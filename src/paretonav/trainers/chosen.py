"""One of several data sets of a trainer, by its name or number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from paretonav.errors import ProblemError
from paretonav.text import listed


def chosen(found: Any, which: str | int | None, who: str) -> Any:
    """What is meant for validation: one of several sets, or the only one; None if there are none.

    Args:
        found: a set; or several, by name or number.
        which: the name or number of one, if several are expected.
        who: has them, for messages: "the trainer".

    Raises:
        ProblemError: there are several, and nobody says which; or there is none of that name.
    """
    several = isinstance(found, Mapping)
    sets: dict[Any, Any] = dict(found) if several else {}
    if which is not None and which not in sets:
        there = f"there are {listed(map(repr, sets))}" if sets else "it has no named ones"
        raise ProblemError(f"{who} has no set {which!r} for validation: {there}")
    if not several:
        return found
    if which is None and len(sets) > 1:
        raise ProblemError(
            f"{who} has several sets for validation, {listed(map(repr, sets))}; say by which one steps are to be "
            f"judged, validation={next(iter(sets))!r}"
        )
    return sets[next(iter(sets)) if which is None else which] if sets else None
