"""From text to commands; no side effects."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from os.path import splitext
from typing import NamedTuple

from paretonav.errors import ParetonavError
from paretonav.plotting import FORMATS
from paretonav.session.wording import listed, printable
from paretonav.terminal.commands import (
    DEFAULT_PERCENT,
    Command,
    Compare,
    Direction,
    Export,
    Go,
    Help,
    Hold,
    Improve,
    Note,
    Plot,
    Points,
    Preview,
    Quit,
    Release,
    Show,
    Star,
    Trade,
    Undo,
)

EXPORT_FORMATS = (".safetensors",)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_TOKEN = re.compile(
    r"""(?P<end>[;\n])|"(?P<double>(?:[^"]|"")*)"|'(?P<single>(?:[^']|'')*)'|(?P<open>["'])|(?P<bare>[^\s;]+)"""
)


class CommandError(ParetonavError):
    """A command that makes no sense; the message says what would."""


class Token(NamedTuple):
    """A word, and whether it was in quotes."""

    text: str
    quoted: bool = False


@dataclass(frozen=True)
class Verb:
    """A command word: how it is used, what for, and the parser of the rest."""

    usage: str
    summary: str
    parse: Callable[[Words], Command]


def parse(text: str, names: Sequence[str], metrics: Sequence[str] = ()) -> list[Command]:
    """All commands in ``text``, separated by semicolons or line ends.

    Args:
        text: as typed.
        names: of the objectives.
        metrics: names of the metrics, which can be asked for as well.

    Raises:
        CommandError: naming everything that is wrong, command by command.

    Example:
        >>> parse("hold right; improve left by 2%", ["left", "right"])
        [Hold(names=('right',)), Improve(entries=(('left', 1.0),), percent=2.0, allow=())]
    """
    commands, problems = [], []
    spoken = list(statements(text))
    for position, tokens in enumerate(spoken, start=1):
        try:
            commands.append(_command(Words(tokens, names, metrics)))
        except CommandError as error:
            where = f"command {position} ({printable(' '.join(token.text for token in tokens))}): "
            problems.append(f"{where if len(spoken) > 1 else ''}{error}")
    if problems:
        raise CommandError("\n".join(problems))
    return commands


def statements(text: str) -> Iterator[list[Token]]:
    """The words of each command that has any."""
    tokens: list[Token] = []
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind == "open":
            raise CommandError(
                f"the quote in {printable(text[match.start() :])} is not closed; add another {match[0]}"
            )
        if kind == "end":
            if tokens:
                yield tokens
            tokens = []
        elif kind == "bare":
            tokens.append(Token(match[0]))
        else:
            mark = match[0][0]
            tokens.append(Token(match[str(kind)].replace(2 * mark, mark), quoted=True))
    if tokens:
        yield tokens


class Words:
    """The words of one command, read from left to right."""

    def __init__(self, tokens: Sequence[Token], names: Sequence[str], metrics: Sequence[str] = ()) -> None:
        self._left = list(tokens)
        self._names = (*names, *metrics)
        self.objectives = tuple(names)

    def __bool__(self) -> bool:
        return bool(self._left)

    def take(self, expected: str) -> Token:
        """The next word; ``expected`` says what is missing if there is none."""
        if not self._left:
            raise CommandError(f"{expected} is missing")
        return self._left.pop(0)

    def at_keyword(self, keyword: str) -> bool:
        """Whether the next word is this one."""
        return bool(self._left) and not self._left[0].quoted and self._left[0].text.lower() == keyword

    def take_keyword(self, keyword: str) -> bool:
        """The same; if so it is taken."""
        found = self.at_keyword(keyword)
        if found:
            self._left.pop(0)
        return found

    def take_number(self) -> float | None:
        """The next word if it is a number."""
        if not self._left or self._left[0].quoted or not _NUMBER.fullmatch(self._left[0].text):
            return None
        value = float(self._left.pop(0).text)
        if not math.isfinite(value):
            raise CommandError("the number is too large")
        return value

    def take_name(self) -> str:
        """The next word as the name of an objective or a metric; upper and lower case need not match."""
        for keyword in ("by", "allow"):
            if self.at_keyword(keyword):
                raise CommandError(f"the name of an objective is missing before {keyword!r}")
        token = self.take("the name of an objective")
        if not token.quoted and _NUMBER.fullmatch(token.text):
            raise CommandError(f"the name of an objective is expected where {token.text} stands")
        alike = [name for name in self._names if name.casefold() == token.text.casefold()]
        if token.text in alike:
            return token.text
        if len(alike) == 1:
            return alike[0]
        raise CommandError(
            f"there is no objective {printable(token.text)!r}{_suggestion(token.text, self._names)}; "
            f"the objectives are {listed([printable(name) for name in self._names])}"
        )

    def take_names(self) -> tuple[str, ...]:
        """The remaining words as different names, at least one."""
        found = [self.take_name()]
        while self:
            found.append(self.take_name())
        return _different(found)

    def end(self, usage: str) -> None:
        """Nothing may be left."""
        if self._left:
            raise CommandError(f"{printable(self._left[0].text)!r} is too much; the command is: {usage}")


def _command(words: Words) -> Command:
    typed = words.take("a command")
    name = typed.text.lower()
    verb = VERBS.get(_ALIASES.get(name, name))
    if verb is None:
        guess = _suggestion(name, VERBS)
        raise CommandError(f"there is no command {printable(typed.text)!r}{guess}; help lists all of them")
    command = verb.parse(words)
    words.end(verb.usage)
    return command


def _improve(words: Words) -> Improve:
    entries: list[tuple[str, float]] = []
    while not entries or (words and not words.at_keyword("by") and not words.at_keyword("allow")):
        name, weight = words.take_name(), words.take_number()
        if weight is not None and weight < 0:
            shown = printable(name)
            raise CommandError(
                f"the weight of {shown} is negative; to let it rise, use: direction NAME -1 {shown} +1"
            )
        entries.append((name, 1.0 if weight is None else weight))
    if not any(weight for _, weight in entries):
        raise CommandError("no weight is positive; give at least one objective to improve")
    _different([name for name, _ in entries])
    percent = _percent(words)
    return Improve(tuple(entries), percent, _allowed(words))


def _direction(words: Words) -> Direction:
    entries: list[tuple[str, float]] = []
    while not entries or (words and not words.at_keyword("by")):
        name, change = words.take_name(), words.take_number()
        if change is None:
            raise CommandError(
                f"the change of {printable(name)} is missing; give a signed number, negative to improve"
            )
        entries.append((name, change))
    # Which way a metric is better only the problem knows.
    if not any(change < 0 or (change and name not in words.objectives) for name, change in entries):
        raise CommandError("nothing is to improve; give at least one objective a negative change")
    _different([name for name, _ in entries])
    return Direction(tuple(entries), _percent(words))


def _allowed(words: Words) -> tuple[tuple[str, float], ...]:
    """What follows "allow": names, each with the worst value that is acceptable."""
    entries: list[tuple[str, float]] = []
    if words.take_keyword("allow"):
        while not entries or words:
            name, value = words.take_name(), words.take_number()
            if value is None:
                raise CommandError(f"the worst value allowed of {printable(name)} is missing; give a number")
            entries.append((name, value))
    _different([name for name, _ in entries])
    return tuple(entries)


def _percent(words: Words) -> float:
    """What follows "by"; the default if nothing follows."""
    if not words.take_keyword("by"):
        return DEFAULT_PERCENT
    text = words.take("the amount").text
    if words.take_keyword("%"):
        text += "%"
    if not text.endswith("%") or not _NUMBER.fullmatch(text[:-1]):
        raise CommandError(f"{printable(text)!r} is not a percentage; write the amount like this: by 5%")
    percent = float(text[:-1])
    if not (0 < percent < math.inf):
        raise CommandError(f"the amount is {text}; it must be more than 0% and finite")
    return percent


def _preview(words: Words) -> Preview:
    kind = words.take("improve or direction").text.lower()
    trades: dict[str, Callable[[Words], Trade]] = {"improve": _improve, "direction": _direction}
    if kind not in trades:
        raise CommandError(
            f"{printable(kind)!r} cannot be previewed; the command is: {VERBS['preview'].usage}"
        )
    return Preview(trades[kind](words))


def _release(words: Words) -> Release:
    return Release() if not words or words.take_keyword("all") else Release(words.take_names())


def _point(words: Words) -> int:
    text = words.take("the number of a point").text
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
        raise CommandError(f"{printable(text)!r} is not the number of a point; points lists them")
    return int(text)


def _compare(words: Words) -> Compare:
    points = [_point(words), _point(words)]
    while words:
        points.append(_point(words))
    return Compare(tuple(points))


def _note(words: Words) -> Note:
    spoken = []
    while words:
        spoken.append(words.take("a word").text)
    return Note(" ".join(spoken))


def _star(words: Words) -> Star:
    return Star(not words.take_keyword("off"))


def _export(words: Words) -> Export:
    path = words.take("the name of a file").text
    card = words.take_keyword("card")
    return Export(_path_alone(words, path, EXPORT_FORMATS), card)


def path_with(suffixes: Sequence[str], path: str) -> str:
    """``path`` if it ends in one of ``suffixes``."""
    if splitext(path)[1].lower() not in suffixes:
        raise CommandError(
            f"{printable(path)!r} does not end in {listed(suffixes, 'or')}; give a file name that does"
        )
    return path


def _path(words: Words, suffixes: Sequence[str]) -> str:
    return _path_alone(words, words.take("the name of a file").text, suffixes)


def _path_alone(words: Words, path: str, suffixes: Sequence[str]) -> str:
    if words:
        raise CommandError("only one file name can be given; put a name with spaces in quotes")
    return path_with(suffixes, path)


def _different(names: Sequence[str]) -> tuple[str, ...]:
    for name in names:
        if names.count(name) > 1:
            raise CommandError(f"{printable(name)!r} is named more than once; name it once")
    return tuple(names)


def _suggestion(word: str, known: Sequence[str] | dict[str, Verb]) -> str:
    close = get_close_matches(word, list(known), n=1)
    return f" (did you mean {printable(close[0])}?)" if close else ""


def _plain(command: Command) -> Callable[[Words], Command]:
    return lambda _: command


_ALIASES = {"?": "help", "exit": "quit", "q": "quit"}
VERBS = {
    "improve": Verb(
        "improve NAME [WEIGHT] ... [by N%] [allow NAME VALUE ...]",
        "better the loss or metric with the largest weight by N% (default 5%), the others in the proportion of the "
        "weights; none of those after allow may get worse than its value",
        _improve,
    ),
    "direction": Verb(
        "direction NAME CHANGE ... [by N%]",
        "the same with signed changes: -1 improves, +0.5 is to rise by half as much",
        _direction,
    ),
    "preview": Verb(
        "preview improve|direction ...", "show what that step would do, without taking it", _preview
    ),
    "hold": Verb(
        "hold NAME [NAME ...]",
        "keep these losses or metrics where they are in the steps that follow",
        lambda w: Hold(w.take_names()),
    ),
    "release": Verb("release [NAME ...|all]", "hold them no longer", _release),
    "undo": Verb("undo", "go back to the point this one was reached from", _plain(Undo())),
    "go": Verb("go N", "go to point N; the next step branches off there", lambda w: Go(_point(w))),
    "points": Verb("points", "list the visited points", _plain(Points())),
    "compare": Verb("compare N N ...", "show how points differ from the first of them", _compare),
    "note": Verb("note TEXT", "write something down about this point, in place of what was there", _note),
    "star": Verb("star [off]", "mark this point, or take the mark away", _star),
    "show": Verb("show", "show the current point, its trade-offs and how far one can go", _plain(Show())),
    "plot": Verb(
        "plot FILE.html|FILE.png",
        "draw the points and the front around the current one",
        lambda words: Plot(_path(words, tuple(FORMATS))),
    ),
    "export": Verb(
        "export FILE.safetensors [card]",
        "write the current model to a file, and a card that tells how it was chosen to FILE.md",
        _export,
    ),
    "help": Verb("help", "this list", _plain(Help())),
    "quit": Verb("quit", "leave (Ctrl-D does, too)", _plain(Quit())),
}
"""All commands, in the order in which help lists them."""
