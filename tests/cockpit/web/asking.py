"""A browser without a window: it asks a server what a test wants, with the headers that a test wants."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from tests.cockpit.watching import PATIENCE
from websockets.sync.client import ClientConnection, connect


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


class Browser:
    """Keeps the cookie of one server."""

    def __init__(self, server: Any, *, let_in: bool = True) -> None:
        self.server = server
        self.cookie = ""
        self.folder = ""  # of the page, once it is known
        if let_in:
            self.open(server.url)

    def open(self, url: str) -> Answer:
        """Go where an address leads, and keep the cookie that comes with it: the answer that brings it, or refuses."""
        self.folder, path = "", "/" + url.split("/", 3)[3]
        answer = self.get(path)
        while answer.status == 303 and not answer.headers["set-cookie"]:
            path = urljoin(path, answer.headers["location"])
            answer = self.get(path)
        if answer.headers["set-cookie"]:
            self.cookie = answer.headers["set-cookie"].split(";")[0]
            self.folder = path.rpartition("/")[0]
        return answer

    def get(self, path: str, *, method: str = "GET", **headers: str | None) -> Answer:
        """Ask for a path in the page's folder; a header of None is left out, underscores are dashes."""
        sent = {"Host": f"127.0.0.1:{self.server.port}", "Cookie": self.cookie or None}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=PATIENCE)
        try:
            connection.putrequest(method, self.folder + path, skip_host=True, skip_accept_encoding=True)
            for name, value in sent.items():
                if value is not None:
                    connection.putheader(name, value)
            connection.endheaders()
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def channel(
        self, *, origin: str | None = "own", host: str | None = None, **options: Any
    ) -> ClientConnection:
        """Open the channel."""
        place = f"127.0.0.1:{self.server.port}"
        headers = {"Cookie": self.cookie} if self.cookie else {}
        return connect(
            f"ws://{host or place}{self.folder}/channel",
            origin=f"http://{place}" if origin == "own" else origin,  # type: ignore[arg-type]
            additional_headers=headers,
            max_size=None,
            proxy=None,
            **{"sock": None, "open_timeout": PATIENCE} | options,
        )


def hear(channel: ClientConnection) -> dict[str, Any]:
    """The next message that says something."""
    while True:
        message = json.loads(channel.recv(PATIENCE))
        if message:
            return message


def say(channel: ClientConnection, name: str, **content: object) -> None:
    channel.send(json.dumps({name: content}))


def until(found: Callable[[], object]) -> None:
    """Wait for what another thread does."""
    deadline = time.monotonic() + PATIENCE
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.01)
