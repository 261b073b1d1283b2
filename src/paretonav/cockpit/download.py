"""Files that a view offers to take away."""

from __future__ import annotations

import io
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from paretonav.cockpit.messages import MessageError
from paretonav.session import Session
from paretonav.session.table import csv

_TYPES = {
    "model": ("safetensors", "application/octet-stream"),
    "card": ("md", "text/markdown; charset=utf-8"),
    "csv": ("csv", "text/csv; charset=utf-8"),
    "json": ("json", "application/json"),
    "page": ("html", "text/html; charset=utf-8"),
}


@dataclass(frozen=True)
class Download:
    """A file made for somebody; its content is there until it has been read in a ``with`` block.

    Attributes:
        name: what to save it as: letters, digits, dots and dashes only.
        mime: its type.
        size: in bytes.
    """

    name: str
    mime: str
    size: int
    _content: BinaryIO

    def __enter__(self) -> BinaryIO:
        return self._content

    def __exit__(self, *_: object) -> None:
        self._content.close()


def download(session: Session, title: str, what: str, point: int | None, page: Callable[[], str]) -> Download:
    """Make a file of a session.

    Args:
        session: with the points.
        title: what the names of files begin with.
        what: "model" and "card" are of a point, "csv" and "json" of all, "page" is the cockpit as it is now.
        point: its number, None for the current one.
        page: makes the text of the page.

    Raises:
        MessageError: there is nothing of that name.
        SessionError: there is no such point, or it cannot be written.
    """
    if what not in _TYPES:
        raise MessageError(f"there is no download {what!r:.40}; there are {', '.join(_TYPES)}")
    ending, mime = _TYPES[what]
    stem = re.sub(r"[^A-Za-z0-9.]+", "-", title).strip("-.")[:60] or "paretonav"
    if what in ("model", "card"):
        record = session[session.current.id if point is None and session.current else point or 0]
        stem += f"-point-{record.id}"
        if what == "model":
            content = _model(session, record.id)
        else:
            content = io.BytesIO(session.card(record.id).encode("utf-8", errors="replace"))
    else:
        make = {"csv": lambda: csv(session.table()), "json": session.as_json, "page": page}
        text = make[what]()
        content = io.BytesIO(text.encode("utf-8", errors="replace"))
    size = content.seek(0, io.SEEK_END)
    content.seek(0)
    return Download(f"{stem}.{ending}", mime, size, content)


def _model(session: Session, point: int) -> BinaryIO:
    """The model's file, open; on disk it has gone already, so nothing is left behind however this ends."""
    with tempfile.TemporaryDirectory(prefix="paretonav-", ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "model.safetensors"
        session.export(path, point)
        return path.open("rb")
