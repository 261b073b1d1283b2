"""From text to commands; no side effects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from os.path import splitext

from paretonav.plotting import FORMATS
from paretonav.terminal.commands import (
    Command,
    Compare,
    Cover,
    Explain,
    Export,
    Go,
    Help,
    Hold,
    Map,
    Name,
    Note,
    Options,
    Plot,
    Points,
    Preview,
    Quit,
    Release,
    Show,
    Star,
    Take,
    Title,
    Training,
    Undo,
)
from paretonav.terminal.spoken import DEFAULT_PERCENT
from paretonav.terminal.wishes import WISHES, allowed, values_of
from paretonav.terminal.words import CommandError, Words, statements, suggestion
from paretonav.text import in_quotes, listed, printable

EXPORT_FORMATS = (".safetensors",)
PAGE_FORMATS = (".html",)
PLOT_FORMATS = (*FORMATS, *PAGE_FORMATS)
PLOT_FILES = "FILE.png|.svg|.pdf|.html"


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
        >>> parse("hold east; improve west by 2%", ["west", "east"])
        [Hold(names=('east',)), Step(preference=Improve({'west': 1.0}), percent=2.0)]
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


def begins_a_command(text: str) -> bool:
    """Whether the first word of a line is that of a command, whatever follows."""
    first = text.split(maxsplit=1)[:1]
    name = first[0].lower().rstrip(";") if first else ""
    return _ALIASES.get(name, name) in VERBS


def _command(words: Words) -> Command:
    typed = words.take("a command")
    name = typed.text.lower()
    verb = VERBS.get(_ALIASES.get(name, name))
    if verb is None:
        guess = suggestion(name, VERBS)
        raise CommandError(f"there is no command {in_quotes(typed.text)}{guess}; help lists all of them")
    command = verb.parse(words)
    words.end(verb.usage)
    return command


def _preview(words: Words) -> Preview:
    kind = words.take("what to preview").text.lower()
    if kind not in WISHES:
        raise CommandError(f"{in_quotes(kind)} cannot be previewed; the command is: {VERBS['preview'].usage}")
    return Preview(WISHES[kind](words))


def _options(words: Words) -> Options:
    return Options(words.take_percent(DEFAULT_PERCENT))


def _cover(words: Words) -> Cover:
    count = words.take_count("points")
    words.stops = ("allow", "on")
    return Cover(count, allowed(words), words.take_on())


def _map(words: Words) -> Map:
    words.stops = ("on",)
    target = {} if words.at_stop() else values_of(words, "the value to come to")
    return Map(target, words.take_on())


def _explain(words: Words) -> Explain:
    return Explain(words.take_names() if words else ())


def _release(words: Words) -> Release:
    return Release() if not words or words.take_keyword("all") else Release(words.take_names())


def _compare(words: Words) -> Compare:
    points = [words.take_point(), words.take_point()]
    while words:
        points.append(words.take_point())
    return Compare(tuple(points))


def _rest(words: Words) -> str:
    """All that is left, as a text."""
    spoken = []
    while words:
        spoken.append(words.take("a word").text)
    return " ".join(spoken)


def _help(words: Words) -> Help:
    if not words:
        return Help()
    typed = words.take("a command").text
    name = _ALIASES.get(typed.lower(), typed.lower())
    if name not in VERBS:
        raise CommandError(
            f"there is no command {in_quotes(typed)}{suggestion(name, VERBS)}; help lists all of them"
        )
    return Help(name)


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
            f"{in_quotes(path)} does not end in {listed(suffixes, 'or')}; give a file name that does"
        )
    return path


def _path(words: Words, suffixes: Sequence[str]) -> str:
    return _path_alone(words, words.take("the name of a file").text, suffixes)


def _path_alone(words: Words, path: str, suffixes: Sequence[str]) -> str:
    if words:
        raise CommandError("only one file name can be given; put a name with spaces in quotes")
    return path_with(suffixes, path)


def _plain(command: Command) -> Callable[[Words], Command]:
    return lambda _: command


_ALIASES = {"?": "help", "exit": "quit", "q": "quit"}
VERBS = {
    "improve": Verb(
        "improve NAME [WEIGHT] ... [by N%] [allow NAME VALUE ...] [on DATA]",
        "better the loss or metric with the largest weight by N% (default 5%), the others in the proportion of the "
        "weights; none of those after allow may get worse than its value",
        WISHES["improve"],
    ),
    "direction": Verb(
        "direction NAME CHANGE ... [by N%] [allow NAME VALUE ...] [on DATA]",
        "the same with signed changes: -1 improves, +0.5 is to rise by half as much",
        WISHES["direction"],
    ),
    "aim": Verb(
        "aim NAME VALUE ... [by N%] [allow NAME VALUE ...] [on DATA]",
        "go to these values, or as near as the front comes; by 50% goes half the way",
        WISHES["aim"],
    ),
    "classify": Verb(
        "classify improve NAME ... [to NAME VALUE ...] [hold NAME ...] [allow NAME VALUE ...] [free NAME ...] [by N%] "
        "[on DATA]",
        "better the first by N% each, those after to only up to their values; keep, bound or free the others",
        WISHES["classify"],
    ),
    "prefer": Verb(
        "prefer N|NAME to N|NAME [by N%] [on DATA]",
        "go on in the direction in which one point differs from another",
        WISHES["prefer"],
    ),
    "preview": Verb(
        "preview improve|direction|aim|classify|prefer ...",
        "show what that step would do, without taking it",
        _preview,
    ),
    "options": Verb("options [by N%]", "show a few different steps that are possible here", _options),
    "take": Verb(
        "take N",
        "take the step with this number among the options",
        lambda w: Take(w.take_index("an option")),
    ),
    "cover": Verb(
        "cover N [allow NAME VALUE ...] [on DATA]",
        "spread N points evenly along the front, from one end to the other, or as far as what follows allow goes; what "
        "is there is used",
        _cover,
    ),
    "map": Verb(
        "map [NAME VALUE ...] [on DATA]",
        "show the front as all visited points know it, or go to these values from the point that comes nearest",
        _map,
    ),
    "training": Verb(
        "training",
        "measure by how much more training at the same weights would lower the losses; the model stays as it is",
        _plain(Training()),
    ),
    "explain": Verb(
        "explain [NAME ...]", "say what the last step was to do, what it did, and why they differ", _explain
    ),
    "hold": Verb(
        "hold NAME [NAME ...]",
        "keep these losses or metrics where they are in the steps that follow",
        lambda w: Hold(w.take_names()),
    ),
    "release": Verb("release [NAME ...|all]", "hold them no longer", _release),
    "undo": Verb("undo", "go back to the point this one was reached from", _plain(Undo())),
    "go": Verb("go N|NAME", "go to a point; the next step branches off there", lambda w: Go(w.take_point())),
    "points": Verb("points", "list the visited points", _plain(Points())),
    "compare": Verb("compare N|NAME N|NAME ...", "show how points differ from the first of them", _compare),
    "name": Verb(
        "name TEXT",
        "call this point something, by which it can be gone to; nothing takes its name away",
        lambda w: Name(_rest(w)),
    ),
    "title": Verb("title TEXT", "give the whole navigation a title", lambda w: Title(_rest(w))),
    "note": Verb(
        "note TEXT",
        "write something down about this point, in place of what was there",
        lambda w: Note(_rest(w)),
    ),
    "star": Verb("star [off]", "mark this point, or take the mark away", _star),
    "show": Verb("show", "show the current point, its trade-offs and how far one can go", _plain(Show())),
    "plot": Verb(
        f"plot {PLOT_FILES}",
        "draw how far the current point has come; as .html, a page to look around in",
        lambda words: Plot(_path(words, PLOT_FORMATS)),
    ),
    "export": Verb(
        "export FILE.safetensors [card]",
        "write the current model to a file, and a card that tells how it was chosen to FILE.md",
        _export,
    ),
    "help": Verb("help [COMMAND]", "this list, or what one command does", _help),
    "quit": Verb("quit", "leave (Ctrl-D does, too)", _plain(Quit())),
}
"""All commands, in the order in which help lists them."""
