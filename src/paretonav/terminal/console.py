"""The console: progress of training and steps, and the library's remarks."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from paretonav.objectives import Progress as Callback


def new_console(*, stderr: bool = False) -> Console:
    """A console that prints text as it is: names are no markup."""
    return Console(stderr=stderr, highlight=False, markup=False, emoji=False)


@contextmanager
def progress_on(console: Console) -> Iterator[Callback]:
    """A callback that draws a bar while the block runs, and nothing where no one watches."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        TextColumn("{task.fields[done]}"),
        TimeElapsedColumn(),
    )
    watched = console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=not watched) as bars:
        phases: dict[str, TaskID] = {}

        def report(phase: str, fraction: float) -> None:
            if phase not in phases:
                for earlier in phases.values():
                    bars.update(earlier, visible=False)
                phases[phase] = bars.add_task(phase, total=None, done="")
            if fraction > 0:
                bars.update(phases[phase], total=1.0, completed=fraction, done=f"{100 * fraction:3.0f} %")

        yield report


@contextmanager
def remarks_on(console: Console) -> Iterator[None]:
    """Print what the library logs while the block runs."""
    handler = _ConsoleHandler(console)
    logger = logging.getLogger("paretonav")
    before = logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = before


class _ConsoleHandler(logging.Handler):
    def __init__(self, console: Console) -> None:
        super().__init__(logging.WARNING)
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        self._console.print(Text(f"Note: {record.getMessage()}.", style="yellow"))
