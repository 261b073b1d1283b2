"""What every request has to pass, and what every answer says of itself."""

from __future__ import annotations

import logging
from urllib.parse import parse_qs

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from paretonav.cockpit.web.access import Access
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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        try:
            await self._call(scope, receive, send)
        except Exception:
            logger.exception("the cockpit's page failed at %s", scope.get("path"))
            raise

    async def _call(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        asked = HTTPConnection(scope)
        answer = self._answer(asked)
        if answer is None:
            await self._app(scope, receive, _with_headers(send))
        elif scope["type"] == "websocket":
            await WebSocketClose()(scope, receive, send)  # 403, before it has been opened
        else:
            await answer(scope, receive, _with_headers(send))

    def _answer(self, asked: HTTPConnection) -> Response | None:
        """What is answered instead of what was asked for, if anything is."""
        if asked.scope["type"] == "http" and asked.scope["method"] != "GET":
            return _page(ONLY_GET, {"Allow": "GET"})
        if not self._has_own_host(asked):
            return _page(OTHER_HOST)
        if not self._is_from_here(asked):
            return _page(OTHER_SITE)
        if _is_page(asked) and self._access.opens(_token(asked)):
            return self._welcome(asked)
        if not self._access.admits(asked.cookies):
            return _page(NO_TOKEN)
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
        return (
            _is_page(asked)
            and headers.get("sec-fetch-mode") == "navigate"
            and headers.get("sec-fetch-dest") == "document"
        )

    def _welcome(self, asked: HTTPConnection) -> Response:
        """The token for a cookie, and the page without the token in its address."""
        response = RedirectResponse("./", status_code=303)
        response.set_cookie(
            self._access.cookie,
            self._access.secret,
            httponly=True,
            samesite="strict",
            secure=asked.url.scheme == "https",
        )
        return response


def _is_page(asked: HTTPConnection) -> bool:
    return asked.scope["type"] == "http" and bool(asked.scope["path"] == "/")


def _token(asked: HTTPConnection) -> str | None:
    try:
        given = parse_qs(asked.scope["query_string"].decode("ascii"), max_num_fields=8).get("token")
    except ValueError:
        return None
    return given[0] if given else None


def _page(refusal: Refusal, headers: dict[str, str] | None = None) -> Response:
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
