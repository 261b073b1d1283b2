"""A check-up, as a table at the prompt."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from paretonav.navigation import Checkup

_MARKS = {"fine": ("ok", "green"), "mind": ("mind", "yellow"), "stop": ("stop", "bold red")}


def checkup_view(found: Checkup) -> RenderableType:
    """All findings, and a line below that says whether the problem can be navigated."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in found.findings:
        mark, style = _MARKS[finding.verdict]
        table.add_row(Text(mark, style), Text(finding.about), Text(finding.words))
    minded = sum(finding.verdict == "mind" for finding in found.findings)
    if not found.ok:
        end = Text("It cannot be navigated as it is.", "bold red")
    elif minded:
        end = Text(f"It can be navigated; {minded} thing{'' if minded == 1 else 's'} to mind.", "yellow")
    else:
        end = Text("It can be navigated.", "green")
    return Group(table, Text(), end)
