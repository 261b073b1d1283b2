"""Just enough of JavaScript's lexical grammar to find the imports and exports of a module.

Imports nothing but the standard library: the build of a wheel uses it, too (see ``bundle``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_NAME = re.compile(r"[\w$#]+")
_NUMBER = re.compile(r"\.?\d[\w.]*")
_COMMENT = re.compile(r"//[^\n\r\u2028\u2029]*|/\*[\s\S]*?\*/")
_ALONE = re.compile(r"[ \t]*(?:\n|\Z)")
_BLANK = re.compile(rf"(?:\s|{_COMMENT.pattern})+")
_STRING = re.compile(r'"(?:[^"\\\n\r]|\\[\s\S])*"|\'(?:[^\'\\\n\r]|\\[\s\S])*\'')
_TEXT = re.compile(r"(?:[^`\\$]|\\[\s\S]|\$(?!\{))*")  # of a template, up to its end or a value in it
_REGEX = re.compile(r"/(?:[^/\\\[\n\r]|\\.|\[(?:[^\]\\\n\r]|\\.)*\])+/\w*")
_PUNCTUATOR = re.compile(r"=>|\+\+|--|\?\.(?!\d)|\.\.\.|[\s\S]")
_CLOSED_BY = {"(": ")", "[": "]", "{": "}", "${": "}"}

# A slash after one of these begins a regular expression, as one after a punctuator does; after other names and after
# literals and these punctuators it divides.
_BEFORE_REGEX = frozenset(
    [
        "await",
        "case",
        "delete",
        "do",
        "else",
        "in",
        "instanceof",
        "new",
        "of",
        "return",
        "throw",
        "typeof",
        "void",
        "yield",
    ]
)
_BEFORE_DIVISION = frozenset((")", "]", "++", "--"))


class Token(NamedTuple):
    """A piece of source.

    Attributes:
        kind: "name" (keywords and numbers, too), "string", "template", "regex" or "punctuator".
        text: as it is written.
        start: where in the source.
        end: behind it.
        depth: how many brackets it is in.
    """

    kind: str
    text: str
    start: int
    end: int
    depth: int


class JavaScriptError(ValueError):
    """The source makes no sense at ``position``."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


def tokens(source: str) -> Iterator[Token]:
    """The tokens of a module, without blanks and comments.

    Raises:
        JavaScriptError: a bracket, string, comment or regular expression has no end or no beginning.
    """
    position, divides = 0, False
    brackets: list[tuple[str, int]] = []
    while True:
        if blank := _BLANK.match(source, position):
            position = blank.end()
        if position == len(source):
            break
        character = source[position]
        in_template = character == "}" and bool(brackets) and brackets[-1][0] == "${"
        if character == "`" or in_template:
            if in_template:
                brackets.pop()
            end = _match(_TEXT, source, position + 1, "this template").end()
            if source.startswith("${", end):
                yield Token("template", source[position : end + 2], position, end + 2, len(brackets))
                brackets.append(("${", end))
                position, divides = end + 2, False
                continue
            if end == len(source):
                raise JavaScriptError("this template has no end", position)
            kind, end = "template", end + 1
        elif character in "\"'":
            kind, end = "string", _match(_STRING, source, position, "this string").end()
        elif number := _NUMBER.match(source, position):
            kind, end = "name", number.end()
        elif name := _NAME.match(source, position):
            kind, end = "name", name.end()
        elif source.startswith("/*", position):
            raise JavaScriptError("this comment has no end", position)
        elif character == "/" and not divides:
            kind, end = "regex", _match(_REGEX, source, position, "this regular expression").end()
        else:
            kind, end = "punctuator", _match(_PUNCTUATOR, source, position, "this").end()
        text = source[position:end]
        if text in (")", "]", "}") and kind == "punctuator":
            if not brackets or _CLOSED_BY[brackets[-1][0]] != text:
                raise JavaScriptError(f"{text!r} closes nothing", position)
            brackets.pop()
        yield Token(kind, text, position, end, len(brackets))
        if text in ("(", "[", "{") and kind == "punctuator":
            brackets.append((text, position))
        divides = text in _BEFORE_DIVISION if kind == "punctuator" else text not in _BEFORE_REGEX
        position = end
    if brackets:
        bracket, where = brackets[-1]
        raise JavaScriptError(f"{bracket!r} is never closed", where)


def without_comments(source: str) -> str:
    """A module without the comments that have lines of their own, and everything else where it was.

    A comment beside code stays: where one begins depends there on whether a slash divides, which a few statements that
    nobody writes would hide from ``tokens``.

    Raises:
        JavaScriptError: as for ``tokens``.
    """
    kept, behind = [], 0
    found = list(tokens(source))
    ends = [*(token.start for token in found), len(source)]
    for start, end in zip([0, *(token.end for token in found)], ends, strict=True):
        for comment in _COMMENT.finditer(source, start, end):
            line = source.rfind("\n", 0, comment.start()) + 1
            if _ALONE.match(source, comment.end()) and not source[line : comment.start()].strip():
                kept += [source[behind:line], "\n" * comment.group().count("\n")]
                behind = comment.end()
    return "".join(kept) + source[behind:]


def _match(pattern: re.Pattern[str], source: str, position: int, what: str) -> re.Match[str]:
    found = pattern.match(source, position)
    if found is None:
        raise JavaScriptError(f"{what} has no end", position)
    return found
