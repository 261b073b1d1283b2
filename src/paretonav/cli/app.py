"""What all commands have in common: the application, and how errors end them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.text import Text

from paretonav.cli.target import TargetError
from paretonav.errors import ParetonavError
from paretonav.session.wording import sentence
from paretonav.terminal.console import new_console
from paretonav.terminal.words import CommandError

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)

INTERRUPTED = 130
"""The exit status after Ctrl-C."""


@app.callback()
def _root() -> None:
    """Steer a trained model along its Pareto front."""


@contextmanager
def errors_told() -> Iterator[None]:
    """End with a sentence on standard error: status 2 for what makes no sense, 1 for what failed, 130 for Ctrl-C."""
    complaints = new_console(stderr=True)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        yield
    except ParetonavError as error:
        if isinstance(error, TargetError):
            complaints.print(Text(error.told), soft_wrap=True)
        complaints.print(Text(sentence(str(error)), style="red"))
        raise typer.Exit(2 if isinstance(error, CommandError) else 1) from None
    except KeyboardInterrupt:
        complaints.print("\nInterrupted.")
        raise typer.Exit(INTERRUPTED) from None
