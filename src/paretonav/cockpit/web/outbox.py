"""What one client has still to be told."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Hashable, Mapping
from functools import cached_property
from typing import Any

_MOST = 64
_DEEPEST = 64  # levels of what is sent; the values of all traits have fewer


class Parcel:
    """A value of a trait on its way to all clients, written down once.

    Attributes:
        key: a newer parcel with the same key makes it obsolete.
    """

    def __init__(self, trait: str, value: object) -> None:
        self._message = {trait: value}
        self.key = _key(trait, value)

    @cached_property
    def text(self) -> str:
        """As it is sent."""
        return as_json(self._message)


class Outbox:
    """Keeps the newest value of each trait until it can be sent, however slow the client is.

    The last news of each job and each answer are kept beside each other: no client must miss that a job failed because
    another one has begun. There cannot be many of them; whoever lets more wait does not read.
    """

    def __init__(self) -> None:
        self._waiting: dict[Hashable, Parcel] = {}
        self._news = asyncio.Event()
        self._ended = False
        self._full = False

    @property
    def full(self) -> bool:
        """Whether more has come than is kept: something is lost, and the client has to begin anew."""
        return self._full

    @property
    def ended(self) -> bool:
        """Whether nothing will come any more."""
        return self._ended and not self._waiting

    def put(self, parcel: Parcel) -> None:
        """Add a value; what it makes obsolete goes, so that values are sent in the order of their last change."""
        self._waiting.pop(parcel.key, None)
        if len(self._waiting) >= _MOST:
            self._waiting.clear()
            self._full = True
        if not self._full:
            self._waiting[parcel.key] = parcel
        self._news.set()

    def end(self) -> None:
        """Nothing will come after this."""
        self._ended = True
        self._news.set()

    async def take(self) -> list[Parcel]:
        """Everything that waits, once something does; all at once, so that no trait that never rests hides another."""
        await self._news.wait()
        self._news.clear()
        taken = list(self._waiting.values())
        self._waiting.clear()
        return taken


def as_json(value: object) -> str:
    """JSON as browsers read it: a number that is none is null, and so is what no browser could have asked for.

    Everything else is sent all the same: one value that cannot be written down must not keep the others from anybody.
    """
    try:
        return _dumped(value)
    except (ValueError, TypeError, RecursionError):
        return _dumped(_writable(value, _DEEPEST))


def _dumped(value: object) -> str:
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def _writable(value: Any, levels: int) -> Any:
    """The same with null for what JSON has not, and for what lies too deep."""
    if isinstance(value, (Mapping, list, tuple)):
        if levels == 0:
            return None
        if isinstance(value, Mapping):
            return {str(key): _writable(item, levels - 1) for key, item in value.items()}
        return [_writable(item, levels - 1) for item in value]
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, float)):
        return value if abs(value) <= sys.float_info.max else None
    return None


def _key(trait: str, value: object) -> Hashable:
    about = value if isinstance(value, Mapping) else {}
    match trait:
        case "job":
            return trait, _hashed(about.get("id"))
        case "answer":
            return trait, _hashed(about.get("by")), _hashed(about.get("seq"))
        case "received":
            return trait, _hashed(about.get("what"))
    return trait


def _hashed(part: object) -> Hashable:
    return part if isinstance(part, (int, str)) else None
