"""What is typed, word by word."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import NamedTuple

from paretonav.errors import ParetonavError
from paretonav.steering.preferences import On
from paretonav.text import in_quotes, listed, printable

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_DATA: dict[str, On] = {"train": "train", "training": "train", "validation": "validation"}
_BARE = re.compile(r"[^\W\d]\w*")
KEYWORDS = frozenset({"by", "all", "allow", "improve", "to", "hold", "free", "on"})
"""Words that are no names unless they are quoted."""
_TOKEN = re.compile(
    r"""(?P<end>[;\n])|"(?P<double>(?:[^"]|"")*)"|'(?P<single>(?:[^']|'')*)'|(?P<open>["'])|(?P<bare>[^\s;]+)"""
)


class CommandError(ParetonavError):
    """A command that makes no sense; the message says what would."""


class Token(NamedTuple):
    """A word, and whether it was in quotes."""

    text: str
    quoted: bool = False


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
        self.stops: tuple[str, ...] = ("by", "allow", "on")

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
        for keyword in self.stops:
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
            f"there is no objective or metric {in_quotes(token.text)}{suggestion(token.text, self._names)}; "
            f"there are {listed([printable(name) for name in self._names])}"
        )

    def at_stop(self) -> bool:
        """Whether there are no more words, or the next one begins another part."""
        return not self or any(self.at_keyword(keyword) for keyword in self.stops)

    def take_percent(self, default: float) -> float:
        """What follows "by"; the default if nothing follows."""
        if not self.take_keyword("by"):
            return default
        text = self.take("the amount").text
        if self.take_keyword("%"):
            text += "%"
        if not text.endswith("%") or not _NUMBER.fullmatch(text[:-1]):
            raise CommandError(f"{in_quotes(text)} is not a percentage; write the amount like this: by 5%")
        percent = float(text[:-1])
        if not (0 < percent < math.inf):
            raise CommandError(f"the amount is {text}; it must be more than 0% and finite")
        return percent

    def take_on(self) -> On | None:
        """The data that follow "on"; None if nothing follows."""
        if not self.take_keyword("on"):
            return None
        text = self.take("training or validation data").text
        found = _DATA.get(text.lower())
        if found is None:
            raise CommandError(
                f"{in_quotes(text)} are no data to ask on; say: on training data, or: on validation data"
            )
        self.take_keyword("data")
        return found

    def take_index(self, what: str) -> int:
        """The next word as the number of something."""
        text = self.take(f"the number of {what}").text
        if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
            raise CommandError(
                f"{in_quotes(text)} is not the number of {what}; {what.split()[-1]}s lists them"
            )
        return int(text)

    def take_count(self, of: str) -> int:
        """The next word as a number of things, at least one."""
        text = self.take(f"the number of {of}").text
        if not re.fullmatch(r"\d{1,4}", text, re.ASCII) or int(text) == 0:
            raise CommandError(f"{in_quotes(text)} is no number of {of}; give one from 1 to 9999")
        return int(text)

    def take_point(self) -> int | str:
        """The next word as the number of a point, or as its name."""
        for keyword in self.stops:
            if self.at_keyword(keyword):
                raise CommandError(f"the number or the name of a point is missing before {keyword!r}")
        if self._left and not self._left[0].quoted and self._left[0].text[0] in "+-.#0123456789":
            return self.take_index("a point")
        text = self.take("the number or the name of a point").text
        if not text.strip():
            raise CommandError("a name of nothing but spaces is none; give the number or the name of a point")
        return text

    def take_names(self) -> tuple[str, ...]:
        """The remaining words as different names, at least one."""
        found = [self.take_name()]
        while self:
            found.append(self.take_name())
        return different(found)

    def end(self, usage: str) -> None:
        """Nothing may be left."""
        if self._left:
            raise CommandError(f"{in_quotes(self._left[0].text)} is too much; the command is: {usage}")


def different(names: Sequence[str]) -> tuple[str, ...]:
    """The names, each of which may be there once."""
    for name in names:
        if names.count(name) > 1:
            raise CommandError(f"{in_quotes(name)} is named more than once; name it once")
    return tuple(names)


def quoted(word: str) -> str:
    """``word`` as it must be typed: bare if that is clear, else in double quotes (its own are doubled)."""
    if _BARE.fullmatch(word) and word.lower() not in KEYWORDS:
        return word
    return '"' + word.replace('"', '""') + '"'


def suggestion(word: str, known: Iterable[str]) -> str:
    """The known word that was meant, perhaps, as a remark in brackets."""
    close = get_close_matches(word, list(known), n=1)
    return f" (did you mean {printable(close[0])}?)" if close else ""
