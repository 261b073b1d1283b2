"""From a navigator to a page in the browser, until Ctrl-C."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from paretonav.cockpit.controller import Controller
from paretonav.cockpit.web import browser
from paretonav.cockpit.web.hosts import is_wildcard
from paretonav.cockpit.web.server import Server
from paretonav.cockpit.web.shelf import Shelf
from paretonav.navigation import Navigator
from paretonav.session.overview import overview

_CANCELLING = "what runs is being cancelled at its next batch; Ctrl-C again does not wait for that."


class AtOnce(KeyboardInterrupt):
    """Somebody has said twice that it is enough; the model's thread still is in a batch that nothing can interrupt."""


def serve(
    navigator: Navigator | Controller,
    *,
    title: str = "",
    host: str = "127.0.0.1",
    port: int = 0,
    token: str | None = None,
    allow_hosts: Iterable[str] = (),
    open_browser: bool = True,
    start: bool = True,
    tell: Callable[[str], None] = print,
) -> bool:
    """Show the cockpit in the browser until Ctrl-C.

    The page is there at once, also where the first model is still to be trained. In the end, what runs is cancelled,
    and the navigator is at its last point, to be used on.

    Args:
        navigator: what is steered; or its controller, which then goes on in the end.
        title: shown above it; that of a controller stays.
        host, port, token, allow_hosts: see ``Server``.
        open_browser: whether to open one; the address is told in any case.
        start: whether a navigation that has no point yet is started.
        tell: what is said to the person at the terminal.

    Returns:
        Whether something was cut off in the end: a start or a step was under way.

    Raises:
        AddressError: it cannot listen there, or would let in people who cannot be meant.
        AtOnce: Ctrl-C has come again while what runs was being cancelled. A thread still is in the batch that was
            under way, and changes nothing any more.
    """
    own = isinstance(navigator, Navigator)
    controller = Controller(navigator, title) if isinstance(navigator, Navigator) else navigator
    server = Server(controller, host=host, port=port, token=token, allow_hosts=allow_hosts)
    hurry = False
    with _sigterm_as_ctrl_c():
        try:
            running = _until_ctrl_c(server, controller, tell, own=own, open_browser=open_browser, start=start)
            if own:
                controller.close()
        except KeyboardInterrupt as again:
            hurry = True
            raise AtOnce from again
        finally:
            if own:
                controller.close(wait=not hurry)
            server.stop(hurry=hurry)
    return running


def serve_folder(
    folder: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    token: str | None = None,
    allow_hosts: Iterable[str] = (),
    open_browser: bool = True,
    tell: Callable[[str], None] = print,
) -> None:
    """Show the sessions in a folder in the browser until Ctrl-C, to look at, without the code of their models.

    Args:
        folder: that has sessions, or is one itself.
        host, port, token, allow_hosts: see ``Server``.
        open_browser: whether to open one; the address is told in any case.
        tell: what is said to the person at the terminal.

    Raises:
        AddressError: it cannot listen there, or would let in people who cannot be meant.
        SessionError: it is no folder.
    """
    overview(folder)
    server = Server(Shelf(folder), host=host, port=port, token=token, allow_hosts=allow_hosts)
    with _sigterm_as_ctrl_c():
        try:
            server.start()
            _greet(server, tell, open_browser=open_browser)
            server.wait()
        except KeyboardInterrupt:
            tell("\nEnding.")
        finally:
            server.stop()


def _until_ctrl_c(
    server: Server,
    controller: Controller,
    tell: Callable[[str], None],
    *,
    own: bool,
    open_browser: bool,
    start: bool,
) -> bool:
    """Serve until the first Ctrl-C; whether a start or a step was under way then."""
    server.start()
    try:
        if start and not controller.navigator.started:
            controller.request({"cmd": "start"})
        _greet(server, tell, open_browser=open_browser)
        server.wait()
    except KeyboardInterrupt:
        job = controller.values()["job"]
        running = isinstance(job, dict) and job.get("status") == "running"
        tell(f"\nEnding: {_CANCELLING}" if running and own else "\nEnding.")
        return running
    return False


def _greet(server: Server, tell: Callable[[str], None], *, open_browser: bool) -> None:
    for line in _greeting(server, open_browser):
        tell(line)
    if open_browser and browser.can_open():
        browser.open_soon(server.url_once())


def _greeting(server: Server, open_browser: bool) -> Iterator[str]:
    yield f"The cockpit is at {server.url}"
    if is_wildcard(server.host):
        yield f"or, from elsewhere, at {server.url_at(socket.gethostname().lower())}"
    if not server.is_local:
        yield (
            "Others can reach it; the token keeps them out, but what is sent is not encrypted: in a network that you "
            "do not trust, let it listen on 127.0.0.1 and come by ssh -L."
        )
    if open_browser and not browser.can_open():
        yield "No browser can be opened here; open the address in one. Ctrl-C ends it."
    else:
        yield "Ctrl-C ends it."


@contextmanager
def _sigterm_as_ctrl_c() -> Iterator[None]:
    """Let whoever ends the process by a signal, such as a container, end it as cleanly as a person does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_: int, __: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)
