"""How values show themselves at a prompt and in a notebook: a line, and a small table."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from paretonav.text import change, printable, value

_MOST_ROWS = 10
_MOST_LETTERS = (24, 48)  # of the first cell of a row and of the others, as text
_DUST = 0.1  # of the largest change: of one that is smaller no further digits are shown
_MOST_TITLE = 110  # letters: a line of a usual terminal or notebook


@dataclass(frozen=True)
class Display:
    """A title and a table below it; of many rows the first ten.

    Attributes:
        title: a line.
        headings: of the columns, the first of which is words; the others are numbers.
        rows: a cell for each column.
        note: a line below it, if there is something to add.
    """

    title: str
    headings: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    note: str = ""

    def __str__(self) -> str:
        shown = [
            [_short(cell, _MOST_LETTERS[i > 0]) for i, cell in enumerate(row)]
            for row in (self.headings, *self._shown)
        ]
        widths = [max(map(len, column)) for column in zip(*shown, strict=True)] if self.rows else []
        lines = ["  ".join(_aligned(row, widths)).rstrip() for row in shown] if self.rows else []
        ends = [f"... and {self._left} more"] if self._left else []
        return "\n".join(
            [
                _short(self.title, _MOST_TITLE),
                *(f"  {line}" for line in (*lines, *ends)),
                *([_short(self.note, _MOST_TITLE)] if self.note else []),
            ]
        )

    @property
    def html(self) -> str:
        """The same for a notebook; every word is escaped."""
        body = "".join(html_row("td", map(_brief, row)) for row in self._shown)
        more = f"<p>... and {self._left} more</p>" if self._left else ""
        table = (
            f"<table><thead>{html_row('th', map(_brief, self.headings))}</thead><tbody>{body}</tbody></table>"
        )
        note = f"<p>{escape(_brief(self.note))}</p>" if self.note else ""
        return f"<div><p>{escape(_brief(self.title))}</p>{table if self.rows else ''}{more}{note}</div>"

    @property
    def _shown(self) -> Sequence[Sequence[str]]:
        return self.rows[:_MOST_ROWS]

    @property
    def _left(self) -> int:
        return len(self.rows) - len(self._shown)


class Shown(ABC):
    """What shows itself so: numbers, and none of the tensors behind them."""

    @abstractmethod
    def _display(self) -> Display:
        """The title and the table."""

    def __repr__(self) -> str:
        return str(self._display())

    def _repr_html_(self) -> str:
        return self._display().html


def values_shown(
    title: str,
    values: Mapping[str, float],
    errors: Mapping[str, float],
    beside: Mapping[str, Mapping[str, float]],
    note: str = "",
) -> Display:
    """Losses and metrics with their standard errors.

    Args:
        title: what they are of.
        values: name -> value.
        errors: name -> standard error, as far as it is known.
        beside: heading -> what else there is of them; of what is empty there is no column.
        note: what is to be added.
    """
    columns = {"s.e.": errors, **beside}
    columns = {heading: numbers for heading, numbers in columns.items() if numbers}
    rows = [
        [name, value(x, x), *(_cell(numbers, name, x) for numbers in columns.values())]
        for name, x in values.items()
    ]
    return Display(title, ["", "value", *columns], rows, note)


def changes_shown(
    title: str,
    kinds: Mapping[str, Mapping[str, float]],
    errors: Mapping[str, float],
    requested: Mapping[str, float] | None = None,
    like: Mapping[str, float] | None = None,
    note: str = "",
) -> Display:
    """Changes side by side.

    Args:
        title: what they are of.
        kinds: heading -> changes; of those that were not measured there is no column.
        errors: name -> standard error of the last of them, as far as it is known.
        requested: name -> the change that was asked for; None where nobody has asked.
        like: name -> value, whose decimals the changes get; by default they have their own.
        note: what is to be added.
    """
    known = {heading: changes for heading, changes in kinds.items() if changes}
    sizes = {name: abs(x) for changes in known.values() for name, x in changes.items()}
    least = _DUST * max(sizes.values(), default=0.0)
    rows = []
    for name in _telling(sizes, requested or {}):
        size = max(sizes[name], least) if like is None else like[name]
        asked = [] if requested is None else [_asked(requested, name, size)]
        changes = [change(each[name], size) if name in each else "" for each in known.values()]
        rows.append([name, *asked, *changes, *([_cell(errors, name, size)] if errors else [])])
    heads = ["", *([] if requested is None else ["requested"]), *known, *(["s.e."] if errors else [])]
    return Display(title, heads, rows, note)


def _telling(names: Iterable[str], requested: Mapping[str, float]) -> list[str]:
    """In their order, but where not all are shown, those that were to change before all others."""
    names = list(names)
    return names if len(names) <= _MOST_ROWS else sorted(names, key=lambda name: not requested.get(name))


def _asked(requested: Mapping[str, float], name: str, like: float) -> str:
    if name not in requested:
        return "free"
    return "hold" if requested[name] == 0 else change(requested[name], like)


def _cell(numbers: Mapping[str, float], name: str, like: float) -> str:
    return value(numbers[name], like) if name in numbers else ""


def _aligned(row: Sequence[str], widths: Sequence[int]) -> Iterable[str]:
    """Words to the left, numbers to the right."""
    for i, (cell, width) in enumerate(zip(row, widths, strict=True)):
        yield cell.rjust(width) if i else cell.ljust(width)


def _short(text: str, most: int) -> str:
    """On one line, and without its middle where it is too long."""
    text = printable(text)
    half = (most - 3) // 2
    return text if len(text) <= most else f"{text[:half]}...{text[-half:]}"


def _brief(text: str) -> str:
    return _short(text, 4 * _MOST_TITLE)


def html_row(tag: str, texts: Iterable[str], attributes: str = "") -> str:
    """A row of a table, of "td" or "th" cells. Texts are escaped, and each runs in its own direction."""
    return (
        "<tr>" + "".join(f'<{tag}{attributes} dir="auto">{escape(text)}</{tag}>' for text in texts) + "</tr>"
    )
