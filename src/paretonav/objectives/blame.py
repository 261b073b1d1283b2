"""Which of the functions that a problem is made of has failed, and errors of ours that say so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from paretonav.errors import ParetonavError, ProblemError
from paretonav.objectives.memory import memory_advice
from paretonav.text import in_quotes

_MARK = "raised in "


@contextmanager
def blaming(kind: str, name: str) -> Iterator[None]:
    """Note on an exception that it came from the ``kind`` (a loss, say) of this name, and let it go on.

    It is turned into an error of ours further out, where it is known at which batch it came.
    """
    try:
        yield
    except Exception as error:
        error.add_note(f"{_MARK}{kind} {in_quotes(name)}")
        raise


@contextmanager
def ours(told: Callable[[Exception], str]) -> Iterator[None]:
    """Make of whatever is raised inside an error of ours, which keeps its cause.

    Args:
        told: what the error says, from what was raised.

    Raises:
        OutOfMemoryError: memory ran out.
        ProblemError: anything else but our own errors, which come out as they are.
    """
    try:
        with memory_advice():
            yield
    except ParetonavError:
        raise
    except Exception as error:
        raise ProblemError(told(error)) from error


def blamed(error: BaseException) -> str | None:
    """What was noted on an exception, such as "loss 'read'"; None if nothing was."""
    notes = [note for note in getattr(error, "__notes__", []) if note.startswith(_MARK)]
    return notes[-1].removeprefix(_MARK) if notes else None
