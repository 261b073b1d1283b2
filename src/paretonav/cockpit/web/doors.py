"""How many may be connected at once, and how long somebody may take to say what they want."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from enum import IntEnum

from uvicorn.protocols.http.h11_impl import H11Protocol

MOST = 128
"""Connections at once; a browser opens about six for a page, and keeps one of them."""
BACKLOG = 64
"""Connections that wait to be accepted, and so the most that are accepted in one go."""
ADMITTED = "admitted"
"""What is in the state of a request that has shown who it is."""
_RESERVE = BACKLOG + 32  # descriptors that are left to others: sessions, data loaders, the interpreter
_SHARE = 4  # the reserve and the connections are each at most this part of all descriptors
_NO_ROOM = b"The cockpit has no room for another connection; try again in a moment.\n"
_CROWDED = (
    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Type: text/plain\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(_NO_ROOM), _NO_ROOM)
)


class _Rank(IntEnum):
    """Who makes room for others: lower ones first."""

    STRANGER = 0
    KNOWN = 1
    BUSY = 2


class Doors:
    """The connections of a server: whoever asks for nothing makes room for whoever comes, strangers first.

    A port of this machine is open to all of its programs, with a token, too, since a token is asked for only once there
    is a request. Every connection takes one of the process's file descriptors, without which no session can
    write a point. So there are only so many, and the last descriptors are never taken.

    Args:
        most: connections at once; fewer where the process may have few descriptors.
        deadline: seconds for a request to be there, once a connection is, or the answer before has ended.
        patience: seconds for which a client may read nothing of its answer.
    """

    def __init__(self, most: int = MOST, deadline: float = 10.0, patience: float = 20.0) -> None:
        limit = _descriptors()
        self._most = most if limit is None else max(1, min(most, limit // _SHARE))
        self._reserved = None if limit is None else limit - min(_RESERVE, limit // _SHARE)
        self.deadline = deadline
        self.patience = patience
        self._inside: dict[asyncio.Transport, _Rank] = {}  # in the order in which they came

    def enter(self, transport: asyncio.Transport) -> bool:
        """Whether there is room for one more, perhaps in place of another that is waited for."""
        self._inside = {one: rank for one, rank in self._inside.items() if not one.is_closing()}
        if len(self._inside) >= self._most or self._is_reserved(transport):
            least = min(self._inside, key=self._inside.__getitem__, default=None)  # of several the oldest
            if least is None or self._inside[least] is _Rank.BUSY:
                return False
            del self._inside[least]
            least.abort()
        self._inside[transport] = _Rank.STRANGER
        return True

    def ranks(self, transport: asyncio.Transport, *, busy: bool, known: bool) -> None:
        """Whether this one is being answered or has become a channel, and whether it has shown the token before."""
        if transport in self._inside:
            self._inside[transport] = _Rank.BUSY if busy else _Rank.KNOWN if known else _Rank.STRANGER

    def leave(self, transport: asyncio.Transport) -> None:
        """It has gone."""
        self._inside.pop(transport, None)

    def _is_reserved(self, transport: asyncio.Transport) -> bool:
        """Whether its descriptor, which is the lowest that was free, is one of the last."""
        wire = transport.get_extra_info("socket")
        return self._reserved is not None and wire is not None and wire.fileno() >= self._reserved

    def protocol(self) -> type[asyncio.Protocol]:
        """The class of this server's connections, for uvicorn."""

        class Door(_Connection):
            doors = self

        return Door


class _Connection(H11Protocol):
    """A connection that is closed if no request comes over it, or no answer can be sent.

    uvicorn itself has a time only for the next request of a connection, as long as nothing of it has come.
    """

    doors: Doors
    _late: asyncio.TimerHandle | None = None
    _stuck: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if not self.doors.enter(transport):
            transport.write(_CROWDED)
            transport.close()
            return
        self._mind()

    def connection_lost(self, exc: Exception | None) -> None:
        self.doors.leave(self.transport)
        for timer in (self._late, self._stuck):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        super().data_received(data)
        self._mind()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._mind()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._stuck is None:
            self._stuck = self.loop.call_later(self.doors.patience, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None

    def _mind(self) -> None:
        """See whether something is waited for, and not for longer than the deadline."""
        became_a_channel = self.transport.get_protocol() is not self
        answering = self.cycle is not None and not self.cycle.response_complete
        idle = not (became_a_channel or answering)
        known = self.cycle is not None and ADMITTED in self.cycle.scope["state"]
        self.doors.ranks(self.transport, busy=not idle, known=known)
        if idle and self._late is None and not self.transport.is_closing():
            self._late = self.loop.call_later(self.doors.deadline, self.transport.abort)
        elif not idle and self._late is not None:
            self._late.cancel()
            self._late = None


def _descriptors() -> int | None:
    """How many files the process may have open; None if nobody says so."""
    if sys.platform == "win32":
        return None
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return None if soft == resource.RLIM_INFINITY else int(soft)
    return None
