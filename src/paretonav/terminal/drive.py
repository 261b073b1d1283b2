"""The two ways to give commands: a script, and a person."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

from rich.console import Console
from rich.text import Text

from paretonav.errors import ParetonavError, ProcessesError
from paretonav.terminal.commands import Command, Quit
from paretonav.terminal.dialogue import Dialogue
from paretonav.terminal.parser import VERBS, begins_a_command, parse
from paretonav.text import in_quotes, listed, printable, sentence

_PLEASE = "Please answer y or n."
_TAKEN = "yes, as the commands are piped in"
_ANSWERS = {"y": True, "yes": True, "n": False, "no": False}


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


def run_prompt(dialogue: Dialogue, read: Callable[[str], str]) -> bool:
    """Ask for commands until there are no more.

    Args:
        dialogue: started.
        read: asks a question and returns a line, as ``input`` does; EOFError ends it, and so does a KeyboardInterrupt
            after another one.

    Returns:
        Whether all commands were carried out.
    """
    console, navigator = dialogue.console, dialogue.navigator
    all_done, warned = True, False
    while True:
        try:
            line = read(_prompt(dialogue))
        except EOFError:
            console.print()
            return all_done
        except KeyboardInterrupt:
            console.print()
            if warned:
                return all_done
            warned = True
            console.print(Text(_stay(dialogue), style="yellow"))
            continue
        warned = False
        try:
            for command in parse(line, navigator.problem.names, navigator.problem.metric_names):
                if isinstance(command, Quit):
                    return all_done
                dialogue.run(command)
        except ProcessesError:  # nothing works any more
            raise
        except ParetonavError as error:
            all_done = False
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
                answer = _answer(read(question))
            except (EOFError, KeyboardInterrupt):
                console.print()
                return False
            if answer is not None:
                return answer
            console.print(_PLEASE)

    return ask


class Piped:
    """Lines that come through a pipe: whoever wrote them may have answered questions, or not have known of any.

    A line after a question is its answer if it is one. If it is a command, or there is none, the answer is yes, as in a
    script: the step was asked for, and nobody is there who could take it.

    Args:
        read: asks a question and returns a line, as ``input`` does.
        console: to write on.

    Attributes:
        understood: whether every question has got an answer.
    """

    def __init__(self, read: Callable[[str], str], console: Console) -> None:
        self._read, self._console = read, console
        self._kept: list[str] = []
        self.understood = True

    def read(self, prompt: str) -> str:
        """The next line."""
        return self._kept.pop() if self._kept else self._read(prompt)

    def ask(self, question: str) -> bool:
        """The answer to a question."""
        tried = False
        while True:
            try:
                line = self._read(question)
            except EOFError:
                self.understood &= not tried
                self._console.print("" if tried else _TAKEN)
                return not tried
            except KeyboardInterrupt:
                return False
            answer = _answer(line)
            if answer is not None:
                return answer
            if begins_a_command(line):
                self._kept.append(line)
                self._console.print(_TAKEN)
                return True
            tried = True
            self._console.print(_PLEASE)


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


def _answer(line: str) -> bool | None:
    return _ANSWERS.get(line.strip().lower())


def _stay(dialogue: Dialogue) -> str:
    """What Ctrl-C at the prompt says instead of ending at once."""
    points = len(dialogue.navigator.records)
    lost = dialogue.navigator.session.path is None and points > 1
    kept = (
        f"; its {points} points are in memory only, and are lost then: export FILE keeps a model"
        if lost
        else ""
    )
    return f"Nothing is running. Ctrl-C again, or quit, ends the navigation{kept}."


def _prompt(dialogue: Dialogue) -> str:
    held = listed([printable(name) for name in dialogue.held])
    record = dialogue.navigator.session[dialogue.navigator.here.id]
    called = f" {in_quotes(record.name)}" if record.name else ""
    return f"\npoint {record.id}{called}{f' (holding {held})' if held else ''}> "
