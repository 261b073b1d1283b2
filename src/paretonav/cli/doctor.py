"""``doctor``: a problem of one's own, looked at before it is navigated."""

from __future__ import annotations

from typing import Annotated

import typer

from paretonav.cli.app import errors_told
from paretonav.cli.target import TargetError, problem_of
from paretonav.errors import ParetonavError
from paretonav.navigation import checkup
from paretonav.objectives import Problem
from paretonav.terminal.checkup_view import checkup_view
from paretonav.terminal.console import new_console


def doctor(
    target: Annotated[
        str, typer.Argument(metavar="MODULE:FUNCTION", help="Returns the problem; takes no arguments.")
    ],
) -> None:
    """Look at a problem of your own before it is navigated: what is amiss, and what it will take.

    Model, data, losses, gradients and curvature are tried, and time and memory estimated; nothing is changed. The exit
    status is 0 if it can be navigated, 1 if not.
    """
    with errors_told():

        def make() -> Problem:
            try:
                return problem_of(target)
            except TargetError as error:
                if isinstance(error.__cause__, ParetonavError):  # a problem that is refused
                    raise error.__cause__ from None
                raise

        found = checkup(make)
        new_console().print(checkup_view(found))
    if not found.ok:
        raise typer.Exit(1)
