"""Under which names a server is itself, so that no other page can speak in its name."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable
from ipaddress import ip_address

from paretonav.errors import ParetonavError

_AUTHORITY = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?")
_ORIGIN = re.compile(r"(https?)://(.+)")
_DEFAULT_PORTS = {"http": 80, "https": 443}

Place = tuple[str, int | None]


class AddressError(ParetonavError, ValueError):
    """Where the server should listen, or whom it should let in, makes no sense."""


class Hosts:
    """The names under which a server may be asked for.

    A page of somebody else can have its own name point at this machine (DNS rebinding): to the browser, it is the same
    page then, and may read what the server answers. But the browser says which name it asked for.

    Args:
        host: what the server was told to listen on.
        port: where it listens.
        others: further names, ``NAME`` or ``NAME:PORT``, such as those of a proxy in front of it.

    Raises:
        AddressError: one of the further names is none.
    """

    def __init__(self, host: str, port: int, others: Iterable[str] = ()) -> None:
        self._port = port
        self._anywhere = is_wildcard(host)
        self._others: set[Place] = set()
        for other in others:
            place = _place(other)
            if place is None:
                raise AddressError(
                    f"{other!r} is no name of a host; write it as NAME or NAME:PORT, without http://"
                )
            name, its_port = place
            self._others |= {(name, None), (name, port)} if its_port is None else _places(name, its_port)
        self._own = set(self._others)
        for name in ("localhost", "127.0.0.1", "[::1]", *([socket.gethostname()] if self._anywhere else [])):
            self._own |= _places(name.lower(), port)
        bound = _place(bracketed(host))
        if bound is not None and not self._anywhere:
            self._own |= _places(bound[0], port)

    def is_own(self, host: str | None) -> bool:
        """Whether a ``Host`` header names this server."""
        place = None if host is None else _place(host)
        if place is None:
            return False
        # A numeric address needs no DNS, so it cannot have been rebound.
        return place in self._own or (
            self._anywhere and _is_numeric(place[0]) and place in _places(place[0], self._port)
        )

    def is_own_origin(self, origin: str | None, host: str | None) -> bool:
        """Whether a request's ``Origin`` is the page that its ``Host`` has; a missing or opaque one is not."""
        match = None if origin is None else _ORIGIN.fullmatch(origin)
        place = None if match is None else _place(match[2])
        asked = None if host is None else _place(host)
        if match is None or place is None or asked is None:
            return False
        default = _DEFAULT_PORTS[match[1]]
        # Behind a proxy the two may differ, so that its name counts where it has been given.
        return (place[0], place[1] or default) == (asked[0], asked[1] or default) or place in self._others


def is_wildcard(host: str) -> bool:
    """Whether listening there is listening on every network."""
    return host in ("", "::", "0.0.0.0", "[::]")


def bracketed(host: str) -> str:
    """A host as it stands in an address."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def _places(name: str, port: int) -> set[Place]:
    """A name with its port, which goes unsaid where it is the usual one."""
    return {(name, port), *([(name, None)] if port in _DEFAULT_PORTS.values() else [])}


def _place(authority: str) -> Place | None:
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        return None
    name = match[1].lower()
    if name.startswith("["):
        try:
            name = f"[{ip_address(name[1:-1]).compressed}]"
        except ValueError:
            return None
    return name, None if match[2] is None else int(match[2])


def _is_numeric(name: str) -> bool:
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
