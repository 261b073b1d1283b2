"""The command ``paretonav``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from paretonav import problems
from paretonav.errors import ParetonavError
from paretonav.navigation import Navigator
from paretonav.plotting import FORMATS
from paretonav.steering import ppe
from paretonav.terminal.commands import Command, Export, Plot
from paretonav.terminal.console import new_console, remarks_on
from paretonav.terminal.dialogue import Dialogue
from paretonav.terminal.drive import asking, enable_editing, run_prompt, run_script, sentence
from paretonav.terminal.parser import EXPORT_FORMATS, CommandError, parse, path_with

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)

_INTERRUPTED = 130
_WELCOME = (
    "Which digit is on the left, on the right, in the middle? Three tasks share a network "
    "that is too small for all of them: on its Pareto front, improving one costs another.\n"
)
_HINT = "Say what to improve, for example: improve left by 5%. The commands are listed by: help"
_PPE_NOTE = "Method ppe: its steps have a length of their own, so amounts and holds have no effect.\n"


class Method(StrEnum):
    """How steps are made."""

    DEFAULT = "default"
    PPE = "ppe"


@app.callback()
def _root() -> None:
    """Steer a trained model along its Pareto front."""


@app.command()
def demo(
    script: Annotated[
        str | None,
        typer.Option(metavar='"COMMAND; ..."', help="Carry out these commands instead of asking for them."),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE.html|FILE.png", help="Draw the navigation at the end.")
    ] = None,
    export: Annotated[
        Path | None, typer.Option(metavar="FILE.safetensors", help="Write the last model at the end.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the data and the first weights.")] = 0,
    epochs: Annotated[int, typer.Option(min=1, help="Of training the first model.")] = 60,
    method: Annotated[
        Method, typer.Option(help="ppe is Preference Pareto Exploration as published.")
    ] = Method.DEFAULT,
) -> None:
    """Train a network on three competing tasks in seconds, then navigate between them.

    A script has the commands of the prompt, separated by semicolons, such as
    "improve left 0.7 right 0.3 by 5%; hold middle; improve right; undo".
    The exit status is 0 if all of them were carried out, 1 if one failed, 2 if one makes no sense.
    """
    console, complaints = new_console(), new_console(stderr=True)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        problem = problems.digits(seed=seed, epochs=epochs)
        commands = None if script is None else parse(script, problem.names, problem.metric_names)
        last = _last_commands(plot, export)
        console.print(_WELCOME)
        if method is Method.PPE:
            console.print(_PPE_NOTE)
            navigator = Navigator(problem, **ppe(initial_epochs=epochs, seed=seed))
        else:
            navigator = Navigator(problem)
        with remarks_on(console):
            _navigate(navigator, console, commands, last)
    except CommandError as error:
        complaints.print(Text(sentence(error), style="red"))
        raise typer.Exit(2) from None
    except ParetonavError as error:
        complaints.print(Text(sentence(error), style="red"))
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        complaints.print("\nInterrupted.")
        raise typer.Exit(_INTERRUPTED) from None


def main() -> None:
    """Run the command line."""
    app()


def _navigate(
    navigator: Navigator, console: Console, commands: Sequence[Command] | None, last: Sequence[Command]
) -> None:
    if commands is None:
        dialogue = Dialogue(navigator, console, asking(input, console))
        enable_editing((*navigator.problem.names, *navigator.problem.metric_names))
        dialogue.start()
        console.print(f"\n{_HINT}")
        run_prompt(dialogue, input)
    else:
        dialogue = Dialogue(navigator, console)
        dialogue.start()
        run_script(dialogue, commands)
    for command in last:
        dialogue.run(command)


def _last_commands(plot: Path | None, export: Path | None) -> list[Command]:
    """What is to be written at the end; a place that cannot be is noticed before the work is done."""
    commands: list[Command] = []
    if plot is not None:
        commands.append(Plot(path_with(tuple(FORMATS), str(plot))))
    if export is not None:
        commands.append(Export(path_with(EXPORT_FORMATS, str(export))))
    for path in (plot, export):
        if path is not None and not path.expanduser().parent.is_dir():
            raise CommandError(
                f"there is no folder {str(path.parent)!r} to write {path.name} to; make it first"
            )
    return commands
