"""The pages that people read, as Markdown files: their headings, links and blocks of code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    page
    for pattern in ("*.md", "docs/*.md", "bench/results/**/*.md")
    for page in (path.relative_to(ROOT).as_posix() for path in ROOT.glob(pattern))
    if not page.startswith("bench/results/quick/")
)
"""Of the repository, by their paths in it."""


def tokens(page: str) -> list[Token]:
    """What a page consists of, one after the other."""
    return MarkdownIt().enable("table").parse((ROOT / page).read_text("utf-8"))


def links(page: str) -> Iterator[str]:
    """Where a page leads to: files and places in them, not other sites; pictures, too."""
    for token in tokens(page):
        for inner in token.children or ():
            to = inner.attrs.get("href") or inner.attrs.get("src")
            if to and not re.match(r"\w+:", str(to)):
                yield str(to)


def anchors(page: str) -> set[str]:
    """The places in a page that a link can lead to: its headings, named as on the pages of repositories."""
    found: list[str] = []
    parts = tokens(page)
    for opening, inline in pairwise(parts):
        if opening.type == "heading_open":
            text = "".join(inner.content for inner in inline.children or ())
            name = named(text)
            found.append(f"{name}-{found.count(name)}" if name in found else name)
    return set(found)


def named(heading: str) -> str:
    """As a heading's link is made on the pages of repositories."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def code(page: str) -> list[str]:
    """The blocks of Python in a page."""
    return [token.content for token in tokens(page) if token.type == "fence" and token.info == "python"]
