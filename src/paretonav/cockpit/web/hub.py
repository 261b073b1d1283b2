"""Between one controller and all clients: values go out to each, what they say comes in once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Protocol

from paretonav.cockpit.download import Download
from paretonav.cockpit.web.outbox import Outbox, Parcel

_REMEMBERED = 256  # requests


class Source(Protocol):
    """What the page shows and steers: a ``Controller``, or something like it."""

    def values(self) -> dict[str, object]:
        """The present value of each trait."""

    def subscribe(self, listener: Callable[[str, object, str | None], None]) -> Callable[[], None]:
        """Call the listener at every change; returns what ends it."""

    def steer(self, message: object) -> None:
        """Take what a view wants."""

    def request(self, message: object) -> None:
        """Take a command."""

    def download(self, what: str, point: int | None = None) -> Download:
        """Make a file."""


class Hub:
    """The clients of a controller. All of it happens in the event loop, but for what the controller publishes.

    Args:
        source: the controller.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self._clients: set[Outbox] = set()
        self._requests: deque[tuple[str, int]] = deque(maxlen=_REMEMBERED)
        self._ended = False

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """While the block runs, clients are told what the controller publishes."""
        loop = asyncio.get_running_loop()

        def heard(trait: str, value: object, by: str | None) -> None:  # noqa: ARG001 - views know their own
            with suppress(RuntimeError):  # the loop has been closed just now
                loop.call_soon_threadsafe(self._spread, trait, value)

        end = self.source.subscribe(heard)
        try:
            yield
        finally:
            end()

    def join(self) -> Outbox:
        """A new client, to which everything will be sent."""
        outbox = Outbox()
        self._clients.add(outbox)
        if self._ended:
            outbox.end()
        return outbox

    def leave(self, outbox: Outbox) -> None:
        """The client has gone."""
        self._clients.discard(outbox)

    def values(self) -> dict[str, object]:
        """What a new client is told first."""
        return {trait: _for_a_page(trait, value) for trait, value in self.source.values().items()}

    def take(self, name: str, content: Mapping[str, object]) -> None:
        """Pass on what a client says; a request that comes again, since a connection broke, counts once."""
        if name == "steer":
            self.source.steer(content)
            return
        by, seq = content.get("by"), content.get("seq")
        if isinstance(by, str) and isinstance(seq, int):
            if (by, seq) in self._requests:
                return
            self._requests.append((by, seq))
        self.source.request(content)

    async def end(self) -> None:
        """Tell all clients that this is the end, and wait until they know."""
        self._ended = True
        for outbox in self._clients:
            outbox.end()
        while self._clients:
            await asyncio.sleep(0.01)

    def _spread(self, trait: str, value: object) -> None:
        parcel = Parcel(trait, _for_a_page(trait, value))
        for outbox in self._clients:
            outbox.put(parcel)


def _for_a_page(trait: str, value: object) -> object:
    """In a page, downloads are links."""
    if trait == "state" and isinstance(value, Mapping):
        return {**value, "downloads": "download"}
    return value
