"""What every request has to pass, and what every answer says of itself."""

from __future__ import annotations

import logging
from urllib.parse import parse_qs

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from paretonav.cockpit.seldom import Seldom
from paretonav.cockpit.web.access import Access
from paretonav.cockpit.web.doors import ADMITTED
from paretonav.cockpit.web.hosts import Hosts
from paretonav.cockpit.web.refusal import NO_TOKEN, ONLY_GET, OTHER_HOST, OTHER_SITE, STYLE_HASH, Refusal

logger = logging.getLogger(__name__)

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src {styles}; connect-src 'self'; img-src 'self' blob: data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY.format(styles="'self'"),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


class Guard:
    """Around an application: refuses what does not come from its own page, and who has no token.

    Args:
        app: what is guarded.
        hosts: the names of the server.
        access: its token.
    """

    def __init__(self, app: ASGIApp, hosts: Hosts, access: Access) -> None:
        self._app = app
        self._hosts = hosts
        self._access = access
        self._seldom = Seldom()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        try:
            await self._call(scope, receive, send)
        except Exception:
            if self._seldom.may_say("failed"):
                logger.exception(
                    "the cockpit's page failed at %s", self._access.inside(scope.get("path", ""))
                )
            raise

    async def _call(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        asked = HTTPConnection(scope)
        answer = self._answer(asked)
        if answer is None:
            path = self._access.inside(scope["path"]) or "/"
            scope.setdefault("state", {})[ADMITTED] = True
            await self._app({**scope, "path": path, "raw_path": path.encode()}, receive, _with_headers(send))
        elif scope["type"] == "websocket":
            await WebSocketClose()(scope, receive, send)  # 403, before it has been opened
        else:
            await answer(scope, receive, _with_headers(send))

    def _answer(self, asked: HTTPConnection) -> Response | None:
        """What is answered instead of what was asked for, if anything is."""
        if asked.scope["type"] == "http" and asked.scope["method"] != "GET":
            return refused(ONLY_GET, {"Allow": "GET"})
        if not self._has_own_host(asked):
            return refused(OTHER_HOST)
        if not self._is_from_here(asked):
            return refused(OTHER_SITE)
        http, path = asked.scope["type"] == "http", self._access.inside(asked.scope["path"])
        if http and asked.scope["path"] == "/" and self._access.opens(_token(asked)):
            return RedirectResponse(f"./{self._access.folder}/{self._access.entry}", status_code=303)
        if http and self._access.is_entry(path):
            return self._welcome(asked)
        if path is None or not self._access.admits(asked.cookies):
            return refused(NO_TOKEN)
        return None

    def _has_own_host(self, asked: HTTPConnection) -> bool:
        hosts = asked.headers.getlist("host")
        return len(hosts) == 1 and self._hosts.is_own(hosts[0])

    def _is_from_here(self, asked: HTTPConnection) -> bool:
        """Whether it is the cockpit's own page that asks, or somebody who opens it."""
        headers = asked.headers
        if (
            asked.scope["type"] == "websocket"
        ):  # browsers let every page open one anywhere, and always tell the origin
            return self._hosts.is_own_origin(headers.get("origin"), headers.get("host"))
        if "origin" in headers and not self._hosts.is_own_origin(headers["origin"], headers.get("host")):
            return False
        # Another port of this machine is another server, but the same site, to which strict cookies are sent.
        if headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
            return True
        path = self._access.inside(asked.scope["path"])
        return (
            ("/" in (asked.scope["path"], path) or self._access.is_entry(path))
            and headers.get("sec-fetch-mode") == "navigate"
            and headers.get("sec-fetch-dest") == "document"
        )

    def _welcome(self, asked: HTTPConnection) -> Response:
        """The cookie, and the page without the token in its address.

        Without a path of its own, a cookie is for the folder of where it was given, under the name that this folder has
        in the browser, which a proxy may have changed.
        """
        response = RedirectResponse("./", status_code=303)
        response.set_cookie(
            self._access.cookie,
            self._access.secret,
            path=None,
            httponly=True,
            samesite="strict",
            secure=asked.url.scheme == "https",
        )
        return response


def _token(asked: HTTPConnection) -> str | None:
    try:
        given = parse_qs(asked.scope["query_string"].decode("ascii"), max_num_fields=8).get("token")
    except ValueError:
        return None
    return given[0] if given else None


def refused(refusal: Refusal, headers: dict[str, str] | None = None) -> Response:
    """A refusal as an answer, whose style its policy lets in."""
    policy = {"Content-Security-Policy": _POLICY.format(styles=STYLE_HASH)}
    return HTMLResponse(refusal.page(), refusal.status, policy | (headers or {}))


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending
