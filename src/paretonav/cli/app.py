"""What all commands have in common: the application, and how errors end them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Annotated, Any

import typer
from rich.text import Text

from paretonav.cli.target import TargetError
from paretonav.errors import ParetonavError
from paretonav.terminal.console import new_console
from paretonav.terminal.words import CommandError, suggestion
from paretonav.text import in_quotes, sentence

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)

INTERRUPTED = 130
"""The exit status after Ctrl-C."""


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"paretonav {version('paretonav')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Steer a trained model along its Pareto front."""


def help_of(
    context: typer.Context,
    command: Annotated[str | None, typer.Argument(metavar="COMMAND", show_default=False)] = None,
) -> None:
    """Show what a command does, or list all of them."""
    with errors_told():
        root = context.find_root()
        group: Any = root.command
        if command is None:
            typer.echo(root.get_help())
            return
        found = group.get_command(root, command)
        if found is None:
            guess = suggestion(command, group.list_commands(root))
            raise CommandError(
                f"there is no command {in_quotes(command)}{guess}; paretonav help lists all of them"
            )
        with found.make_context(command, [], parent=root, resilient_parsing=True) as asked:
            typer.echo(found.get_help(asked))


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
