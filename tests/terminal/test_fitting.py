"""However narrow a console is, tables keep their names and cut no number."""

import io
import re

import pytest
from rich.console import Console
from rich.text import Text

from paretonav.terminal.fitting import FittingTable


def table() -> FittingTable:
    made = FittingTable("objective")
    made.add_numbers("training\nloss", "since\nstart", "std.\nerror")
    made.add_row("a rather long name", "0.36014", Text("-2.00%", style="green"), "")
    made.add_row("b", "12.75401", Text("+1.53%", style="red"), "\u00b10.00023", style="bold")
    return made


def written(width: int, **options: object) -> str:
    console = Console(file=io.StringIO(), width=width, **options)  # type: ignore[arg-type]
    console.print(table())
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


@pytest.mark.parametrize("width", [20, 28, 33, 40, 60, 80])
def test_numbers_are_whole_and_beside_their_headings(width: int) -> None:
    text = written(width)
    assert max(map(len, text.splitlines())) <= width
    assert "\u2026" not in text
    flat = " ".join(text.split())
    for told in ("0.36014", "-2.00%", "12.75401", "+1.53%", "\u00b10.00023"):
        assert re.search(rf"(^|\s){re.escape(told)}(\s|$)", flat)
    if "\u2500" not in text:  # not as a table
        assert "a rather long name training loss 0.36014 since start -2.00% b training loss 12.75401" in flat


def test_a_wide_console_has_the_table_and_a_narrow_one_its_colours() -> None:
    assert "\u2500" in written(60)
    assert "\u2500" not in written(28)
    colours = written(28, force_terminal=True, color_system="standard")
    assert re.search(r"\x1b\[32m-2.00%", colours)
