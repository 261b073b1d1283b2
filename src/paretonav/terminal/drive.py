"""The two ways to give commands: a script, and a person."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

from rich.console import Console
from rich.text import Text

from paretonav.errors import ParetonavError
from paretonav.session.wording import listed, printable, sentence
from paretonav.terminal.commands import Command, Quit
from paretonav.terminal.dialogue import Dialogue
from paretonav.terminal.parser import VERBS, parse


class ScriptError(ParetonavError):
    """A command of a script failed; the rest of it was not carried out."""


def run_script(dialogue: Dialogue, commands: Sequence[Command]) -> None:
    """Carry out all commands, or up to the first that fails."""
    for position, command in enumerate(commands, start=1):
        dialogue.console.print(Text(f"\n> {printable(str(command))}", style="bold cyan"))
        if isinstance(command, Quit):
            return
        try:
            dialogue.run(command)
        except ParetonavError as error:
            raise ScriptError(f"command {position} ({printable(str(command))}) failed: {error}") from error


def run_prompt(dialogue: Dialogue, read: Callable[[str], str]) -> None:
    """Ask for commands until there are no more.

    Args:
        dialogue: started.
        read: asks a question and returns a line, as ``input`` does; EOFError and KeyboardInterrupt end it.
    """
    console, navigator = dialogue.console, dialogue.navigator
    while True:
        try:
            line = read(_prompt(dialogue))
        except (EOFError, KeyboardInterrupt):
            console.print()
            return
        try:
            for command in parse(line, navigator.problem.names, navigator.problem.metric_names):
                if isinstance(command, Quit):
                    return
                dialogue.run(command)
        except ParetonavError as error:
            console.print(Text(sentence(str(error)), style="red"))
        except KeyboardInterrupt:
            navigator.go_to(navigator.here.id)
            console.print(
                Text(f"\nInterrupted; the model is that of point {navigator.here.id}.", style="yellow")
            )


def asking(read: Callable[[str], str], console: Console) -> Callable[[str], bool]:
    """A yes-or-no question on top of ``read``; the end of the input means no."""

    def ask(question: str) -> bool:
        while True:
            try:
                answer = read(question).strip().lower()
            except (EOFError, KeyboardInterrupt):
                console.print()
                return False
            if answer in ("y", "yes"):
                return True
            if answer in ("n", "no"):
                return False
            console.print("Please answer y or n.")

    return ask


def enable_editing(names: Sequence[str]) -> None:
    """Give ``input`` a history and completion on Tab, where the platform has them."""
    with suppress(ImportError):
        import readline

        words = [*VERBS, *names]

        def complete(text: str, state: int) -> str | None:
            matches = [f"{word} " for word in words if word.lower().startswith(text.lower())]
            return matches[state] if state < len(matches) else None

        readline.set_completer(complete)
        readline.set_completer_delims(" ;")
        readline.parse_and_bind("tab: complete")


def _prompt(dialogue: Dialogue) -> str:
    held = listed([printable(name) for name in dialogue.held])
    return f"\npoint {dialogue.navigator.here.id}{f' (holding {held})' if held else ''}> "
