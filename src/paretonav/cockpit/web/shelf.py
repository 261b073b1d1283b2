"""A folder of sessions as pages: what is there, and each of them to look at, without the code of its model."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape
from importlib.resources import files
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from paretonav.cockpit.saved import page_of
from paretonav.cockpit.web.access import Access
from paretonav.cockpit.web.guard import Guard, refused
from paretonav.cockpit.web.hosts import Hosts
from paretonav.cockpit.web.refusal import Refusal
from paretonav.errors import ParetonavError
from paretonav.session import Session
from paretonav.session.overview import Glance, overview
from paretonav.text import percent, value

_NAMED = 4  # losses of a session: more are in it

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title} – paretonav</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="shelf.css">
</head>
<body>
<main>
<h1 dir="auto">{title}</h1>
{content}
</main>
</body>
</html>
"""


class Shelf:
    """The pages of a folder: looked through anew whenever somebody looks.

    Args:
        folder: that has sessions, or is one.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def application(self, hosts: Hosts, access: Access) -> ASGIApp:
        """All that a browser sees.

        Args:
            hosts: the names of the server.
            access: its token.
        """
        routes = [
            Route("/", self._contents),
            Route("/shelf.css", _style),
            Route("/session/{key}", self._session),
        ]
        return Guard(Starlette(routes=routes), hosts, access)

    async def _contents(self, _: Request) -> Response:
        try:
            found = await run_in_threadpool(overview, self.folder)
        except ParetonavError as error:
            return _failed(error)
        if [glance.path for glance in found] == [self.folder] and not found[0].fault:
            return RedirectResponse(f"./session/{key_of(found[0])}", status_code=303)
        return HTMLResponse(contents(self.folder, found))

    async def _session(self, request: Request) -> Response:
        try:
            return await run_in_threadpool(self._page, request.path_params["key"])
        except ParetonavError as error:
            return _failed(error)

    def _page(self, key: str) -> Response:
        for glance in overview(self.folder):  # so that no path comes from an address
            if key_of(glance) == key:
                with Session(glance.path) as session:
                    text, policy = page_of(session)
                own = {"Content-Security-Policy": f"{policy}; frame-ancestors 'none'"}
                return HTMLResponse(text, headers=own)
        missing = "It may have been moved or removed since; go back to the list and load it anew."
        return refused(Refusal(404, "There is no such session", missing))


def key_of(glance: Glance) -> str:
    """What a session is called in an address."""
    return hashlib.sha256(glance.where.encode("utf-8", "surrogateescape")).hexdigest()[:24]


def contents(folder: Path, found: Iterable[Glance]) -> str:
    """The list as HTML; whatever is somebody's text is escaped."""
    found = list(found)
    if not found:
        body = "<p>There are no sessions in this folder, nor in those below it.</p>"
    else:
        heads = ("Session", "Last point", "Points", "Where it is", "Losses, from the start to now", "")
        head = "".join(f'<th scope="col">{text}</th>' for text in heads[:-1])
        rows = "".join(_damaged(glance) if glance.fault else _row(glance) for glance in found)
        many = "1 session" if len(found) == 1 else f"{len(found)} sessions"
        body = (
            f"<p>{many}, the latest first. A click opens one to look at and to try things out; its model is not moved. "
            "To go on with one, with the code of its model: "
            "<code>paretonav cockpit MODULE:FUNCTION --session FOLDER</code></p>"
            f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        )
    return _PAGE.format(title=escape(f"Sessions in {_readable(folder.name or str(folder))}"), content=body)


def _row(glance: Glance) -> str:
    title = _readable(glance.title or glance.where)
    link = f'<a href="session/{key_of(glance)}">{escape(title)}</a>' if glance.points else escape(title)
    where = f"<p>{escape(_readable(glance.where))}</p>" if glance.title else ""
    writer = f"<p>{escape(glance.writer)} writes to it</p>" if glance.writer else ""
    stars = f", {glance.starred} starred" if glance.starred else ""
    many = "1 point" if glance.points == 1 else f"{glance.points} points"
    called = f' <b dir="auto">{escape(_readable(glance.name))}</b>' if glance.name else ""
    at = "not begun" if glance.current is None else f"point {glance.current}{called}"
    return (
        f'<tr><th scope="row" dir="auto">{link}{where}{writer}</th><td>{_time(glance.last)}</td>'
        f"<td>{many}{stars}</td><td>{at}</td><td>{_losses(glance)}</td></tr>"
    )


def _damaged(glance: Glance) -> str:
    return (
        f'<tr><th scope="row" dir="auto">{escape(_readable(glance.where))}</th>'
        f'<td colspan="4" class="fault"><b>Cannot be read:</b> {escape(_readable(glance.fault))}</td></tr>'
    )


def _losses(glance: Glance) -> str:
    told = [
        f"<li><bdi>{escape(_readable(name))}</bdi> {value(before, before)} → {value(now, before)}"
        f"{_change(before, now)}</li>"
        for name, (before, now) in list(glance.losses.items())[:_NAMED]
    ]
    left = len(glance.losses) - _NAMED
    more = f"<li>and {left} more</li>" if left > 0 else ""
    data = "<p>on validation data</p>" if glance.split == "validation" else ""
    return f"<ul>{''.join(told)}{more}</ul>{data}"


def _change(before: float, now: float) -> str:
    if not before or now == before:
        return ""
    share = (now - before) / abs(before)
    return f" ({percent(abs(share))} {'worse' if share > 0 else 'better'})"


def _time(when: datetime | None) -> str:
    if when is None:
        return ""
    utc = when.astimezone(UTC)
    return f'<time datetime="{utc.isoformat(timespec="seconds")}">{utc:%Y-%m-%d %H:%M} UTC</time>'


def _readable(text: str) -> str:
    """A name of a file may be no text at all."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _failed(error: ParetonavError) -> Response:
    return refused(Refusal(404, "This cannot be shown", _readable(str(error))))


async def _style(_: Request) -> Response:
    return Response(files(__package__).joinpath("shelf.css").read_bytes(), media_type="text/css")
