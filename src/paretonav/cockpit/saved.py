"""The cockpit as one file that works offline: everything to look at, and what-if, but no steps."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from html import escape
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from paretonav.cockpit import assets
from paretonav.cockpit.ending import EXPORT
from paretonav.cockpit.here import options_of, state_of
from paretonav.cockpit.isolated import isolating
from paretonav.cockpit.points import columns
from paretonav.cockpit.saved_outlooks import saved_outlooks
from paretonav.errors import NavigationError, SessionError
from paretonav.session import Session
from paretonav.session.export import write_text

if TYPE_CHECKING:
    from paretonav.cockpit.controller import Controller

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main></main>
<noscript>This page draws its content by a script, which your browser does not run.</noscript>
<script type="application/json" id="saved">{data}</script>
<script type="module">{script}</script>
</body>
</html>
"""
_BODY = "body { margin: 0; }\n"
_WHY_NOT = "This is a saved page: look around and try out, but steps need the navigation itself."
_NO_CODE = "This is a session alone: look around and try out, but steps need the code of its model, too."


def save(controller: Controller, path: str | PathLike[str]) -> None:
    """Write what a controller publishes as a page, whole or not at all.

    Args:
        controller: of a navigation that has started.
        path: of the file, ending in ".html"; an existing one is replaced.

    Raises:
        SessionError: the name ends otherwise, or the file cannot be written.
        NavigationError: the navigation has not started.
        ParetonavError: this copy of the package has no view.
    """
    if Path(path).suffix.lower() not in (".html", ".htm"):
        raise SessionError(f"cannot save to {str(path)!r}: give a file name that ends in .html")
    write_text(path, page(controller))


class Page(NamedTuple):
    """A page that needs nothing else.

    Attributes:
        text: of the file.
        policy: its Content-Security-Policy, which is in it, too: for a server that would say a stricter one.
    """

    text: str
    policy: str


def page(controller: Controller) -> str:
    """The same page as text."""
    return _written(controller.values(), controller.outlooks(), _WHY_NOT).text


def page_of(session: Session) -> Page:
    """The same page of a session alone, without the code of its model: where it is, all points, and what-if.

    Raises:
        NavigationError: it has no point.
        SessionError: its current point is damaged.
    """
    if session.current is None:
        raise NavigationError("there is nothing to see yet: the session has no point")
    here = session.point(session.current.id)
    title = session.title or (session.path.name if session.path else "")
    values: dict[str, object] = {
        "state": state_of(session, here, None, options_of(here), title, 1),
        "points": columns(session, 1),
        "steer": None,
        "outlook": None,
    }
    told = isolating(here.front.steerable)
    if told is not None:
        values = {name: told(value) for name, value in values.items()}
    return _written(values, saved_outlooks(here.front), _NO_CODE)


def _written(values: Mapping[str, object], outlooks: Mapping[str, object], why_not: str) -> Page:
    """The page of what a controller publishes, or would publish.

    Args:
        values: of the traits that a page keeps.
        outlooks: by ``saved_outlooks.key``.
        why_not: why no step can be taken from it, in words.
    """
    state = values["state"]
    if not isinstance(state, dict) or state.get("current") is None:
        raise NavigationError("there is nothing to save yet: the navigation has no point; call start() first")
    traits = {
        "state": state | {"live": False, "writable": False, "why_not": why_not, "downloads": ""},
        "points": values["points"],
        "job": {"id": 0, "what": "", "status": "idle", "by": None, "seq": None, "message": ""},
        # What somebody was looking at stays on the screen, as long as it is about this point.
        **{
            name: values[name] if _is_about(values[name], state["current"]) else None
            for name in ("steer", "outlook")
        },
        "trial": None,
        "answer": None,
        "kept": values.get("kept") or [],
        "spread": None,
    }
    # By their parsed keys, so that nobody depends on how JSON is spaced.
    answers = [[json.loads(key), outlook] for key, outlook in outlooks.items()]
    module = assets.module()
    if not module.endswith(EXPORT):
        raise AssertionError("a bundle ends with its export")
    behind = (Path(__file__).parent / "saved.js").read_text(encoding="utf-8")
    script = _script(f"\n{module.removesuffix(EXPORT)}{{\n{behind}}}\n")
    style = _style(f"\n{_BODY}{assets.style()}")
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src {_hash(script)}",
            f"style-src {_hash(style)}",
            "img-src data: blob:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    text = _PAGE.format(
        policy=policy,
        title=escape(str(state.get("title") or "paretonav")),
        style=style,
        data=_data({"traits": traits, "outlooks": answers}),
        script=script,
    )
    return Page(text, policy)


def _is_about(value: object, point: object) -> bool:
    return isinstance(value, dict) and value.get("point") == point


def _data(value: object) -> str:
    """JSON in ASCII that is text to HTML, too: without "<", no name can end the element or begin a comment."""
    return json.dumps(value, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def _script(source: str) -> str:
    """A script that HTML takes as one: in strings, templates and regular expressions, an escape changes nothing."""
    return re.sub(r"<(?=/script|script|!--)", r"\\x3C", _lines(source), flags=re.IGNORECASE)


def _style(source: str) -> str:
    """The same of a style sheet, where it can only be in a string."""
    return re.sub(r"<(?=/style)", r"\\3C ", _lines(source), flags=re.IGNORECASE)


def _lines(source: str) -> str:
    """Line breaks as HTML reads them, or the hash would be another."""
    return source.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")


def _hash(source: str) -> str:
    digest = base64.b64encode(hashlib.sha256(source.encode("utf-8")).digest()).decode("ascii")
    return f"'sha256-{digest}'"
