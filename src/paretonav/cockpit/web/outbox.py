"""What one client has still to be told."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Hashable, Mapping
from functools import cached_property
from typing import Any

_MOST = 64


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
    """JSON as browsers read it: a number that is none is null."""
    try:
        return json.dumps(value, allow_nan=False, separators=(",", ":"))
    except ValueError:
        return json.dumps(_finite(value), allow_nan=False, separators=(",", ":"))


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value


def _key(trait: str, value: object) -> Hashable:
    about = value if isinstance(value, Mapping) else {}
    match trait:
        case "job":
            return trait, about.get("id")
        case "answer":
            return trait, about.get("by"), about.get("seq")
        case "received":
            return trait, about.get("what")
    return trait
