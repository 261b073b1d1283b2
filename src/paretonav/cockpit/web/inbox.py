"""What comes from a client, which may be anybody."""

from __future__ import annotations

import json
from typing import NoReturn

LARGEST = 64 * 1024
"""The most bytes of one message."""
UP = ("steer", "request")

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
        said = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise NonsenseError("messages are JSON") from None
    if not isinstance(said, dict):
        raise NonsenseError("messages are objects")
    for name, content in said.items():
        if name not in UP:
            raise NonsenseError("only steer and request can be set")
        if not isinstance(content, dict):
            raise NonsenseError(f"{name} is an object")
    return list(said.items())


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(constant)
