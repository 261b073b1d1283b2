"""The console: how far training and steps are, Ctrl-C, and the library's remarks."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.text import Text

from paretonav.errors import Cancelled
from paretonav.objectives import Event
from paretonav.remarks import remarks_told
from paretonav.text import printable, seconds, shortened, value

_MOST_LETTERS = 12  # of a name beside a bar
_WIDE = 110  # a console that has room for a long bar


def new_console(*, stderr: bool = False) -> Console:
    """A console that prints text as it is: names are no markup."""
    return Console(stderr=stderr, highlight=False, markup=False, emoji=False)


@contextmanager
def watched_on(console: Console) -> Iterator[tuple[Callable[[Event], None], threading.Event]]:
    """What a long operation takes: a callback that draws a bar where someone watches, and what Ctrl-C sets.

    Raises:
        KeyboardInterrupt: in place of Cancelled, or at once where Ctrl-C comes a second time.
    """
    bar_width = 20 if console.width >= _WIDE else 6
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=bar_width),
        TaskProgressColumn(),
        TextColumn("{task.fields[left]}", style="dim"),
        TextColumn("{task.fields[losses]}", style="dim", markup=False),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        bar = bars.add_task("", total=1.0, left="", losses="", visible=False)

        def show(event: Event) -> None:
            left = "" if event.seconds_left is None else f"(about {seconds(event.seconds_left)} to go)"
            taken = f"{event.phase} {'-' * bar_width} 100% {left} "
            bars.update(
                bar,
                visible=True,
                description=event.phase,
                completed=event.fraction,
                left=left,
                losses=_in_short(event, console.width - len(taken)),
            )

        try:
            with _cancelled_by_ctrl_c() as cancel:
                yield show, cancel
        except Cancelled:
            raise KeyboardInterrupt from None


def _in_short(event: Event, room: int) -> str:
    """As many losses as so many letters have room for."""
    said = [
        f"{shortened(printable(name), _MOST_LETTERS)} {value(loss, loss)}"
        for name, loss in (event.losses or {}).items()
    ]
    for many in range(len(said), 0, -1):
        text = ", ".join([*said[:many], *(["\u2026"] if many < len(said) else [])])
        if len(text) <= room:
            return text
    return ""


@contextmanager
def _cancelled_by_ctrl_c() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C sets, so that nothing is torn; the second one interrupts."""
    cancel = threading.Event()

    def interrupt(*_: object) -> None:
        if cancel.is_set():
            raise KeyboardInterrupt
        cancel.set()

    if threading.current_thread() is not threading.main_thread():  # there are no signals elsewhere
        yield cancel
        return
    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield cancel
    finally:
        signal.signal(signal.SIGINT, before or signal.SIG_DFL)  # None: not one of Python's


def remarks_on(console: Console) -> AbstractContextManager[None]:
    """Print what the library logs while the block runs."""
    return remarks_told(lambda remark: console.print(Text(f"Note: {remark}.", style="yellow")))
