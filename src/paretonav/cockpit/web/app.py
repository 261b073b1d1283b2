"""The application: a page, its files, one channel, downloads."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import CancelledError
from contextlib import asynccontextmanager
from importlib.resources import files
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from paretonav.cockpit import assets
from paretonav.cockpit.download import Download
from paretonav.cockpit.web.access import Access
from paretonav.cockpit.web.channel import Channel
from paretonav.cockpit.web.guard import Guard
from paretonav.cockpit.web.hosts import Hosts
from paretonav.cockpit.web.hub import Hub
from paretonav.errors import ParetonavError

_NUMBER = re.compile(r"[0-9]{1,9}")
_CHUNK = (
    256 * 1024
)  # bytes of a download at a time: little memory, and few turns of the loop; chosen, not measured


def application(hub: Hub, hosts: Hosts, access: Access, patience: float) -> ASGIApp:
    """All that a browser sees.

    Args:
        hub: of the controller.
        hosts: the names of the server.
        access: its token.
        patience: seconds after which a client that does not read is dropped.
    """

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with hub.listening():
            yield

    async def channel(websocket: WebSocket) -> None:
        await Channel(websocket, hub, patience).run()

    def download(what: str) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            number = request.path_params.get("point")
            if number is not None and _NUMBER.fullmatch(number) is None:
                return PlainTextResponse("Points have numbers.\n", 404)
            return await _download(hub, what, None if number is None else int(number))

        return answer

    zipped = [Middleware(GZipMiddleware, minimum_size=1000)]
    routes = [
        Route("/", _page),
        Route("/cockpit.js", _module, middleware=zipped),
        Route("/cockpit.css", _style, middleware=zipped),
        Route("/host.js", _host_module),
        Route("/host.css", _host_style),
        Route("/download/model/{point}", download("model")),
        Route("/download/card/{point}", download("card")),
        Route("/download/csv", download("csv")),
        Route("/download/json", download("json")),
        Route("/download/page", download("page")),
        WebSocketRoute("/channel", channel),
    ]
    starlette = Starlette(routes=routes, lifespan=lifespan)
    return Guard(starlette, hosts, access)


async def _page(_: Request) -> Response:
    return _file("page.html", "text/html")


async def _host_module(_: Request) -> Response:
    return _file("host.js", "text/javascript")


async def _host_style(_: Request) -> Response:
    return _file("host.css", "text/css")


async def _module(_: Request) -> Response:
    return Response(assets.module(), media_type="text/javascript")


async def _style(_: Request) -> Response:
    return Response(assets.style(), media_type="text/css")


def _file(name: str, media_type: str) -> Response:
    return Response(files(__package__).joinpath(name).read_bytes(), media_type=media_type)


async def _download(hub: Hub, what: str, point: int | None) -> Response:
    try:
        made = await run_in_threadpool(hub.source.download, what, point)
    except ParetonavError as error:
        return PlainTextResponse(f"{error}\n", 404)
    except (CancelledError, RuntimeError):  # the controller takes nothing any more
        return PlainTextResponse("The cockpit is ending.\n", 503)
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(made.name, safe='')}",
        "Content-Length": str(made.size),
    }
    return StreamingResponse(_content(made), media_type=made.mime, headers=headers)


async def _content(made: Download) -> AsyncIterator[bytes]:
    with made as content:
        while chunk := await run_in_threadpool(content.read, _CHUNK):
            yield chunk
