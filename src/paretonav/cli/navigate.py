"""Commands that steer: ``demo`` and ``run``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from paretonav import problems
from paretonav.cli.app import errors_told
from paretonav.cli.cockpit import NoBrowser, Port, WebOptions, save_page, show_cockpit
from paretonav.cli.folder import Folder, Precision, named, session_in
from paretonav.cli.launched import first_alone
from paretonav.cli.target import problem_of
from paretonav.errors import MissingExtraError
from paretonav.navigation import Navigator
from paretonav.objectives import Problem
from paretonav.session.places import place
from paretonav.steering import ppe
from paretonav.terminal.commands import Command, Export, Plot
from paretonav.terminal.console import new_console, remarks_on
from paretonav.terminal.dialogue import Dialogue
from paretonav.terminal.drive import (
    Piped,
    ScriptError,
    asking,
    enable_editing,
    run_prompt,
    run_script,
)
from paretonav.terminal.parser import EXPORT_FORMATS, PLOT_FILES, PLOT_FORMATS, parse, path_with
from paretonav.terminal.words import CommandError, quoted
from paretonav.text import in_quotes, sentence

_WELCOME = (
    "Which digit is in the west of a small picture, which in the east, which in the south? Three tasks share a network "
    "that is too small for all of them: on its Pareto front, improving one costs another.\n"
)
_HINT = "Say what to improve, for example: improve {} by 5%. The commands are listed by: help"
_PPE_NOTE = "Method ppe: its steps have a length of their own, so amounts and holds have no effect.\n"

Script = Annotated[
    str | None,
    typer.Option(metavar='"COMMAND; ..."', help="Carry out these commands instead of asking for them."),
]
PlotFile = Annotated[
    Path | None,
    typer.Option(
        "--plot",
        metavar=PLOT_FILES,
        help="Draw the navigation at the end; as .html, a page to look around in.",
    ),
]
ExportFile = Annotated[
    Path | None,
    typer.Option("--export", metavar="FILE.safetensors", help="Write the last model at the end."),
]
WithCard = Annotated[
    bool, typer.Option("--card", help="Write the exported model's card next to it, as FILE.md.")
]


class Method(StrEnum):
    """How steps are made."""

    DEFAULT = "default"
    PPE = "ppe"


def demo(
    script: Script = None,
    session: Folder = None,
    precision: Precision = None,
    plot: PlotFile = None,
    export: ExportFile = None,
    card: WithCard = False,
    seed: Annotated[int, typer.Option(min=0, help="Of the data and the first weights.")] = 0,
    epochs: Annotated[int, typer.Option(min=1, help="Of training the first model.")] = 60,
    method: Annotated[
        Method, typer.Option(help="ppe is Preference Pareto Exploration as published.")
    ] = Method.DEFAULT,
    terminal: Annotated[
        bool, typer.Option("--terminal", help="Navigate at a prompt instead of in the browser.")
    ] = False,
    port: Port = 0,
    no_browser: NoBrowser = False,
) -> None:
    """Train a network on three competing tasks in seconds, then navigate between them, in the browser.

    It is navigated in the terminal with --terminal, with a script, where something is to be written at the end, and
    where the commands are piped in; then every step is taken, unless the next line is "n". A script has the commands of
    the prompt, separated by semicolons, such as "improve west 0.7 east 0.3 by 5%; hold south; improve east; undo".
    The exit status is 0 if all of them were carried out, 1 if one failed, 2 if one makes no sense.
    """
    with errors_told():
        published, folder = method is Method.PPE, named(session, precision)

        def navigator(problem: Problem) -> Navigator:
            if published:
                return Navigator(
                    problem, **ppe(initial_epochs=epochs, seed=seed), session=session_in(folder, precision)
                )
            return Navigator(problem, session=session_in(folder, precision))

        last = _last_commands(plot, export, card)
        problem = problems.digits(seed=seed, epochs=epochs)
        welcome = _WELCOME + ("\n" + _PPE_NOTE if published else "")
        piped = not (has_a_person() or port or no_browser)
        if not (terminal or piped or script is not None or last):
            console = new_console()
            try:
                console.print(welcome)
                show_cockpit(
                    lambda: navigator(problem), "digits", WebOptions(port=port, browser=not no_browser)
                )
                return
            except MissingExtraError as error:
                console.print(Text(f"{sentence(str(error))} Going on in the terminal.\n", style="yellow"))
                welcome = ""
        _navigate(problem, navigator, script, last, welcome)


def run(
    target: Annotated[
        str,
        typer.Argument(metavar="MODULE:FUNCTION", help="Returns the problem; takes no arguments."),
    ],
    script: Script = None,
    session: Folder = None,
    precision: Precision = None,
    plot: PlotFile = None,
    export: ExportFile = None,
    card: WithCard = False,
    train_on: Annotated[
        bool,
        typer.Option("--train-on", help="Train a model that comes trained on first, as long as that pays."),
    ] = False,
) -> None:
    """Navigate a problem of your own.

    MODULE is looked for in the working directory, too; a file does as well, such as ./mine.py:problem. With --session,
    a navigation that was left is gone on with.
    The script and the exit status are as in the demo.
    Several processes share the work by torchrun --nproc-per-node 2 -m paretonav run MODULE:FUNCTION; the first of them
    is the one to talk to.
    """
    with errors_told():
        last, folder = _last_commands(plot, export, card), named(session, precision)
        problem = problem_of(target)
        first_alone(problem)
        _navigate(
            problem,
            lambda it: Navigator(it, session=session_in(folder, precision)),
            script,
            last,
            "",
            train_on=train_on,
        )


def has_a_person() -> bool:
    """Whether somebody sits at the terminal, rather than commands being piped in."""
    return sys.stdin.isatty()


def _navigate(
    problem: Problem,
    navigator_of: Callable[[Problem], Navigator],
    script: str | None,
    last: Sequence[Command],
    welcome: str,
    *,
    train_on: bool = False,
) -> None:
    console = new_console()
    all_done = True
    commands = None if script is None else parse(script, problem.names, problem.metric_names)
    if welcome:
        console.print(welcome)
    with remarks_on(console):
        navigator = navigator_of(problem)
        with navigator.session:
            if commands is None:
                all_done = _converse(navigator, console, train_on=train_on)
            else:
                dialogue = Dialogue(navigator, console, train_on=train_on, save_page=save_page)
                dialogue.start()
                run_script(dialogue, commands)
            for command in last:
                Dialogue(navigator, console, save_page=save_page).run(command)
    if not all_done:
        raise ScriptError(
            "not all of the commands that were piped in were carried out; see what is said of them above"
        )


def _converse(navigator: Navigator, console: Console, *, train_on: bool) -> bool:
    """Carry out what a person types, or a pipe brings; False if something of a pipe could not be carried out."""
    problem = navigator.problem
    hint = f"\n{_HINT.format(quoted(problem.names[0]))}"
    if has_a_person():
        ask = asking(input, console)
        dialogue = Dialogue(navigator, console, ask, train_on=train_on, save_page=save_page)
        enable_editing((*problem.names, *problem.metric_names))
        dialogue.start()
        console.print(hint)
        run_prompt(dialogue, input)
        return True
    lines = Piped(input, console)
    dialogue = Dialogue(navigator, console, lines.ask, train_on=train_on, save_page=save_page)
    dialogue.start()
    console.print(hint)
    return run_prompt(dialogue, lines.read) and lines.understood


def _last_commands(plot: Path | None, export: Path | None, card: bool) -> list[Command]:
    """What is to be written at the end; a place that cannot be is noticed before the work is done."""
    commands: list[Command] = []
    if plot is not None:
        commands.append(Plot(path_with(PLOT_FORMATS, str(place(plot)))))
    if export is not None:
        commands.append(Export(path_with(EXPORT_FORMATS, str(place(export))), card))
    elif card:
        raise CommandError("--card goes with --export; name the file of the model, too")
    for path in (plot, export):
        if path is not None and not path.expanduser().parent.is_dir():
            raise CommandError(
                f"there is no folder {in_quotes(str(path.parent))} to write {path.name} to; make it first"
            )
    return commands
