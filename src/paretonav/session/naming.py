"""What points and sessions can be called: a short line each, and no two points the same."""

from __future__ import annotations

import re
from collections.abc import Sequence

from paretonav.errors import SessionError
from paretonav.session.record import Record
from paretonav.text import in_quotes, printable

LONGEST_NAME = 60  # letters: what fits beside a mark in a chart and into a cell of a table
LONGEST_TITLE = 120  # letters: a line
_NUMBER = re.compile(r"#?[+-]?\d+")


def title_of(text: str) -> str:
    """``text`` as a title: on one line, without spaces around it.

    Raises:
        SessionError: it is no text, or too long.
    """
    return _line(text, "title", LONGEST_TITLE)


def name_of(text: str, point_id: int, records: Sequence[Record]) -> str:
    """``text`` as the name of a point among others.

    Raises:
        SessionError: it is no text, too long, a number, as which it would mean another point, or another point's name.
    """
    name = _line(text, "name", LONGEST_NAME)
    if _NUMBER.fullmatch(name):
        raise SessionError(
            f"{in_quotes(name)} would be taken for the number of a point; give a name with letters"
        )
    namesake = named(name, records) if name else None
    if namesake is not None and namesake.id != point_id:
        raise SessionError(
            f"point {namesake.id} is called {in_quotes(namesake.name)} already; give another name, or that one another"
        )
    return name


def named(name: str, records: Sequence[Record]) -> Record | None:
    """The point of this name; upper and lower case do not matter."""
    wanted = printable(" ".join(name.split())).casefold()
    return next((record for record in records if record.name and record.name.casefold() == wanted), None)


def _line(text: str, what: str, most: int) -> str:
    try:
        text.encode("utf-8")
    except (AttributeError, UnicodeEncodeError) as error:
        raise SessionError(f"{text!r} cannot be a {what}: {error}; give a text") from error
    line = printable(" ".join(text.split()))  # it stands in sentences, which nothing in it may turn round
    if len(line) > most:
        raise SessionError(
            f"a {what} has at most {most} letters, and this one {len(line)}; give a shorter one"
        )
    return line
