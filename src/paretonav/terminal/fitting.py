"""Tables that fit: where a console is too narrow for all columns, a block for each row instead of cut numbers."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.padding import Padding
from rich.style import Style
from rich.table import Table
from rich.text import Text

_ROOM = 10_000  # characters: more than any table takes
_INDENT = 2


class FittingTable(Table):
    """A table whose first column names its rows; in a narrow console, a name per line and its numbers below it.

    Args:
        first: the heading of the names.
    """

    def __init__(self, first: str) -> None:
        super().__init__(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), header_style="dim")
        self.add_column(first, overflow="fold", min_width=len(first))

    def add_numbers(self, *headings: str) -> None:
        """Columns of numbers, which are never cut."""
        for heading in headings:
            self.add_column(heading, justify="right", no_wrap=True)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        needed = Measurement.get(console, options.update(width=_ROOM, max_width=_ROOM), self).minimum
        if needed <= options.max_width:
            yield from super().__rich_console__(console, options)
        else:
            yield from self._blocks(options.max_width)

    def _blocks(self, width: int) -> Iterator[Text | Padding]:
        names, *others = self.columns
        headings = [_line(column.header) for column in others]
        rows = zip(self.rows, names.cells, *(column.cells for column in others), strict=True)
        for row, name, *cells in rows:
            yield Text(_line(name), style=f"bold {row.style or ''}".strip())
            items = [
                Text.assemble((heading, "dim"), " " if heading else "", (_line(cell), _style(cell)))
                for heading, cell in zip(headings, cells, strict=True)
                if _line(cell)
            ]
            for line in _packed(items, width - _INDENT):
                yield Padding(line, (0, 0, 0, _INDENT))


def _packed(items: list[Text], width: int) -> Iterator[Text]:
    """As many beside each other as fit, so that no number is parted from its heading."""
    line = Text()
    for item in items:
        if line and line.cell_len + 2 + item.cell_len > width:
            yield line
            line = Text()
        line.append("  " if line else "")
        line.append_text(item)
    if line:
        yield line


def _line(cell: RenderableType) -> str:
    return " ".join((cell.plain if isinstance(cell, Text) else str(cell)).split())


def _style(cell: RenderableType) -> str | Style:
    return cell.style if isinstance(cell, Text) else ""
