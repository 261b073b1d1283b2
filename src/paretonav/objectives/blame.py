"""Which of the functions that a problem is made of has failed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

_MARK = "raised in "


@contextmanager
def blaming(kind: str, name: str) -> Iterator[None]:
    """Note on an exception that it came from the ``kind`` (a loss, say) of this name, and let it go on.

    It is turned into an error of ours further out, where it is known at which batch it came.
    """
    try:
        yield
    except Exception as error:
        error.add_note(f"{_MARK}{kind} {name!r}")
        raise


def blamed(error: BaseException) -> str | None:
    """What was noted on an exception, such as "loss 'read'"; None if nothing was."""
    notes = [note for note in getattr(error, "__notes__", []) if note.startswith(_MARK)]
    return notes[-1].removeprefix(_MARK) if notes else None
