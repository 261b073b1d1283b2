"""The sessions in a folder, as a table."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from paretonav.session.overview import Glance
from paretonav.text import in_quotes, printable


def overview_view(found: Sequence[Glance]) -> RenderableType:
    """Where each is, what it is called, how large it is, and what keeps it from being read or written to."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("session", ratio=1)
    table.add_column("points", justify="right")
    table.add_column("at", ratio=1)
    table.add_column("last point (UTC)", no_wrap=True)
    for glance in found:
        names = Text(printable(glance.where), style="bold")
        for said in (glance.title, f"{glance.writer} writes to it" if glance.writer else ""):
            if said:
                names.append(f"\n{printable(said)}", style="not bold")
        if glance.fault:
            names.append(f"\n{printable(glance.fault)}", style="not bold red")
        at = "" if glance.current is None else f"{glance.current}"
        at += f" {in_quotes(glance.name)}" if glance.name else ""
        when = "" if glance.last is None else f"{glance.last:%Y-%m-%d %H:%M}"
        table.add_row(names, "" if glance.fault else str(glance.points), at, when)
    hint = Text(
        "\nparetonav show FOLDER shows one; paretonav cockpit FOLDER all of them, in the browser.",
        style="dim",
    )
    return Group(table, hint)
