"""What comes from a client, which may be anybody."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from paretonav.declared import DeclaredError, parts_of

LARGEST = 64 * 1024
"""The most bytes of one message."""
UP = ("steer", "request")
_DEEPEST = 8  # levels of lists and objects: those of a view have five
_MOST_DIGITS = 16  # of a whole number that a browser knows exactly

Json = dict[str, object]


class NonsenseError(ValueError):
    """A message that no view sends; the text says why, to whoever writes one."""


def messages_of(text: str | None) -> list[tuple[str, Json]]:
    """What a message says: pairs of "steer" or "request" and its content, which is checked by the controller.

    Raises:
        NonsenseError: it is too large, no JSON, or something else.
    """
    if text is None:
        raise NonsenseError("messages are text")
    if len(text) > LARGEST:
        raise NonsenseError(f"messages have up to {LARGEST} characters")
    try:
        said = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite_float, parse_int=_number)
    except (ValueError, RecursionError):
        raise NonsenseError("messages are JSON, of numbers that are finite") from None
    if _is_deeper(said, _DEEPEST):
        raise NonsenseError(f"messages have up to {_DEEPEST} levels")
    try:
        names = said if isinstance(said, dict) else ()
        if not set(names) <= set(UP):
            raise NonsenseError("only steer and request can be set")
        return list(parts_of(said, dict.fromkeys(names, dict[str, Any]), "message").items())
    except DeclaredError as error:
        raise NonsenseError(f"this is {error}") from None


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(constant)


def _finite_float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _number(text: str) -> int | float:
    return int(text) if len(text) <= _MOST_DIGITS else _finite_float(text)


def _is_deeper(said: object, levels: int) -> bool:
    """Whether lists and objects lie in each other more than so many levels deep."""
    if not isinstance(said, (dict, list)):
        return False
    inside = said.values() if isinstance(said, dict) else said
    return levels == 0 or any(_is_deeper(item, levels - 1) for item in inside)
