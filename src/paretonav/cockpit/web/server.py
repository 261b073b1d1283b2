"""A server for one cockpit, in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
import threading
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Any, Self
from urllib.parse import quote

import uvicorn
from starlette.types import ASGIApp

from paretonav.cockpit.seldom import Seldom
from paretonav.cockpit.web.access import Access
from paretonav.cockpit.web.app import application
from paretonav.cockpit.web.doors import BACKLOG, MOST, Doors
from paretonav.cockpit.web.hosts import AddressError, Hosts, bracketed, is_wildcard
from paretonav.cockpit.web.hub import Hub, Source
from paretonav.cockpit.web.inbox import LARGEST
from paretonav.cockpit.web.shelf import Shelf
from paretonav.errors import reason_of

logger = logging.getLogger(__name__)

_SCARCE = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_FAREWELL = 2.0  # seconds to tell all clients that this is the end
_HURRIED = 0.5  # seconds for each of both where somebody waits for the end
_LATEST = 10.0  # seconds for the thread to end


class Server:
    """Shows a controller as a web page while it runs; the controller is there before and after.

    Args:
        controller: what is shown; or a folder of sessions to look at.
        host: where to listen: the name or the address of a network interface of this machine.
        port: 0 takes a free one.
        token: what the address ends in, None for one that nobody can guess; "" lets in whoever reaches the port, which
            is for this machine only.
        allow_hosts: further names that the page is reached under, ``NAME`` or ``NAME:PORT``.
        patience: seconds after which a client that does not read is dropped.
        deadline: seconds after which one is dropped that is connected and asks for nothing.
        connections: at once, at most; one that asks for nothing makes room for the next.

    Example:
        >>> import paretonav as pn
        >>> from paretonav.cockpit.controller import Controller
        >>> controller = Controller(pn.Navigator(pn.problems.quadratic(n=10, m=3)))
        >>> with Server(controller) as server:
        ...     server.url.split("?")[1][:6]
        'token='
        >>> controller.close()
    """

    def __init__(
        self,
        controller: Source | Shelf,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        token: str | None = None,
        allow_hosts: Iterable[str] = (),
        patience: float = 20.0,
        deadline: float = 10.0,
        connections: int = MOST,
    ) -> None:
        self.host = host.strip("[]")
        self._wanted_port = port
        self._token = token
        self._allow_hosts = tuple(allow_hosts)
        self._patience = patience
        self._deadline = deadline
        self._connections = connections
        self._shelf = controller if isinstance(controller, Shelf) else None
        self._hub = None if isinstance(controller, Shelf) else Hub(controller)
        self._access: Access | None = None
        self._port = 0
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def port(self) -> int:
        """Where it listens."""
        self._running()
        return self._port

    @property
    def is_local(self) -> bool:
        """Whether only this machine reaches it."""
        return not is_wildcard(self.host) and all(ip_address(a).is_loopback for a in _addresses(self.host))

    @property
    def is_running(self) -> bool:
        """Whether it answers."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def url(self) -> str:
        """The address to open, with the token."""
        return self.url_at("127.0.0.1" if is_wildcard(self.host) else self.host)

    def url_at(self, host: str) -> str:
        """The address to open from where this machine has that name."""
        return self._address(host, self._running().token)

    def url_once(self) -> str:
        """The address to open once, which is no secret afterwards."""
        access = self._running()
        host = "127.0.0.1" if is_wildcard(self.host) else self.host
        return self._address(host, "" if access.is_open else access.once())

    def start(self) -> None:
        """Listen, and answer in another thread.

        Raises:
            AddressError: it cannot listen there, or would let in people who cannot be meant.
        """
        if self._thread is not None:
            raise AddressError("a server starts once; make a new one")
        listening = _listen(self.host, self._wanted_port)
        try:
            self._port = listening.getsockname()[1]
            if self._token == "" and not self.is_local:
                raise AddressError(
                    f"others can reach {self.host or 'every address of this machine'}, so there has to be a token; "
                    "give none for one that is made up"
                )
            access = Access(self._token, self._port)
            hosts = Hosts(self.host, self._port, self._allow_hosts)
        except BaseException:
            listening.close()
            raise
        self._access = access
        config = uvicorn.Config(
            self._application(hosts, access),
            http=Doors(self._connections, self._deadline, self._patience).protocol(),
            backlog=BACKLOG,
            ws="websockets-sansio",
            ws_max_size=LARGEST,
            loop="asyncio",
            lifespan="on",
            log_config=None,
            log_level="critical",  # what goes wrong here is logged by the application; the rest is others' nonsense
            access_log=False,  # the token is in the address
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._run, args=(listening,), name="paretonav-web", daemon=True
        )
        self._thread.start()

    def wait(self) -> None:
        """Return when it has ended, which is when another thread says ``stop``; Ctrl-C interrupts this."""
        while self._thread is not None and self._thread.is_alive():
            self._thread.join(0.5)  # on some systems Ctrl-C waits for the end of a wait

    def stop(self, *, hurry: bool = False) -> None:
        """Tell all pages that this is the end, and end. The controller goes on.

        Args:
            hurry: do not wait for pages that are slow to hear of it.
        """
        server, thread, loop = self._server, self._thread, self._loop
        if server is None or thread is None:
            return
        if loop is not None and self._hub is not None and thread.is_alive():
            with contextlib.suppress(RuntimeError, TimeoutError):
                asyncio.run_coroutine_threadsafe(self._hub.end(), loop).result(
                    _HURRIED if hurry else _FAREWELL
                )
        server.should_exit = True
        server.force_exit = hurry
        thread.join(_HURRIED if hurry else _LATEST)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self, listening: socket.socket) -> None:
        async def serve(server: uvicorn.Server) -> None:
            self._loop = asyncio.get_running_loop()
            self._loop.set_exception_handler(_Remarks().handle)
            await server.serve(sockets=[listening])

        if self._server is not None:
            with listening, asyncio.Runner() as runner:
                runner.run(serve(self._server))

    def _application(self, hosts: Hosts, access: Access) -> ASGIApp:
        if self._shelf is not None:
            return self._shelf.application(hosts, access)
        assert self._hub is not None  # it is one or the other
        return application(self._hub, hosts, access, self._patience)

    def _running(self) -> Access:
        if self._access is None:
            raise AddressError("the server has not started, so it has no address yet")
        return self._access

    def _address(self, host: str, token: str) -> str:
        return f"http://{bracketed(host)}:{self._port}/" + (
            f"?token={quote(token, safe='')}" if token else ""
        )


class _Remarks:
    """What the event loop has to complain of, said once a minute: strangers can cause it as often as they like."""

    def __init__(self) -> None:
        self._seldom = Seldom()

    def handle(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error, message = context.get("exception"), context.get("message", "")
        if isinstance(error, OSError) and error.errno in _SCARCE:
            if self._seldom.may_say("scarce"):
                logger.warning(
                    "the cockpit's page takes no further connections for a moment: %s; end what holds so many files "
                    "or connections open, or raise the limit (ulimit -n)",
                    error.strerror,
                )
        elif self._seldom.may_say("failed"):
            logger.error("the cockpit's page failed: %s", message, exc_info=error)


def _listen(host: str, port: int) -> socket.socket:
    """A socket that accepts connections from now on, so that a browser may come before the server is ready."""
    if not 0 <= port < 2**16:
        raise AddressError(f"there is no port {port}; ports are 0 (a free one) to 65535")
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, _, _, _, (name, number, *_) in found[:-1]:
            with contextlib.suppress(OSError):  # such as IPv6 where there is none
                return socket.create_server((str(name), int(number)), family=family)
        family, _, _, _, (name, number, *_) = found[-1]
        return socket.create_server((str(name), int(number)), family=family)
    except (OSError, UnicodeError) as error:
        raise AddressError(
            f"cannot listen on {host or 'any address'}, port {port}: {reason_of(error)}; choose another --port (0 "
            "takes a free one) or --host"
        ) from error


def _addresses(host: str) -> list[str]:
    try:
        return [str(found[4][0]).split("%")[0] for found in socket.getaddrinfo(host, None)]
    except (OSError, UnicodeError):
        return ["0.0.0.0"]
