"""Markdown in which the words of others stay words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from paretonav.text import printable

_MARKUP = re.compile(r"([\\`*_\[\](){}|~#$!])")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_STARTS = re.compile(r"^([-+=]|\d(?=\d*[.)]))")  # a list, a rule, or the underlining of a heading


def escaped(text: str) -> str:
    """``text`` on one line, in which nothing is markup or HTML, unless it begins a line (see ``quote``)."""
    safe = _MARKUP.sub(r"\\\1", printable(text)).translate(_ENTITIES)
    return safe.strip()


def quote(text: str) -> list[str]:
    """The lines of a block quotation; its own line ends are kept."""
    lines = (_STARTS.sub(_spelled, escaped(line)) for line in text.splitlines())
    return "  \n".join(f"> {line}" for line in lines).split("\n")


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table whose first column is words and whose others are numbers; cells are escaped already."""
    rules = ["---", *["---:"] * (len(headings) - 1)]
    return [f"| {' | '.join(cells)} |" for cells in (headings, rules, *rows)]


def _spelled(match: re.Match[str]) -> str:
    return f"&#{ord(match[0])};"
