"""The session's folder, as it is named on the command line."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from paretonav.session import Session
from paretonav.session.places import place
from paretonav.terminal.words import CommandError


class Stored(StrEnum):
    """How parameters are stored; see ``Session``."""

    FULL = "full"
    HALF = "half"
    DELTA = "delta"


Folder = Annotated[
    Path | None,
    typer.Option(
        "--session", metavar="PATH", help="Keep the points in this folder; go on where it was left."
    ),
]
Precision = Annotated[
    Stored | None,
    typer.Option(
        "--precision",
        help="How a new session stores parameters: in full; in half the space; or the difference from the first point "
        "in half the space. Only in full is a navigation gone on with bit for bit.",
        show_default=False,
    ),
]


def named(session: Path | None, precision: Stored | None) -> Path | None:
    """The folder that is meant now: what is run next may change the working directory.

    Raises:
        CommandError: there is a precision and no folder.
    """
    if session is None and precision is not None:
        raise CommandError("--precision goes with --session; name the folder, too")
    return None if session is None else place(session)


def session_in(folder: Path | None, precision: Stored | None) -> Session:
    """The session in a folder, or one in memory."""
    return Session(folder, write=True, precision=None if precision is None else precision.value)
