"""Commands about a session's folder itself: ``prune`` frees space in it, ``copy`` copies it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from paretonav.cli.app import errors_told
from paretonav.errors import SessionError
from paretonav.session import Session
from paretonav.session.places import place
from paretonav.terminal.console import new_console
from paretonav.text import in_quotes, listed, printable

Place = Annotated[Path, typer.Argument(metavar="PATH", help="The session's folder.", show_default=False)]


def prune(
    path: Place,
    keep: Annotated[
        list[int] | None, typer.Option("--keep", metavar="N", help="Keep this point, too; again for more.")
    ] = None,
) -> None:
    """Free space: let go of the models of all points but the first, the current one, and those with a star.

    It cannot be undone. The numbers of all points stay.
    """
    with errors_told():
        if not (place(path) / "session.db").is_file():  # else one would be made
            raise SessionError(f"there is no session in {in_quotes(str(path))}; is that the right folder?")
        with Session(path, write=True) as session:
            before = session.pruned
            freed = session.prune(keep or ())
            gone = [str(i) for i in session.pruned if i not in before]
            all_of_them = len(session)
        which = f" ({listed(gone)})" if 0 < len(gone) <= 10 else ""
        new_console().print(
            f"Pruned {len(gone)} of {all_of_them} points{which}; that has freed {freed / 1e6:.3g} MB."
        )


def copy(
    path: Place,
    to: Annotated[Path, typer.Argument(metavar="NEW", help="The folder of the copy.", show_default=False)],
) -> None:
    """Copy a session as it is at this moment, also while it is in use."""
    with errors_told(), Session(path) as session:
        session.copy(to)
        new_console().print(f"The copy of {len(session)} points is in {printable(str(to))}.")
