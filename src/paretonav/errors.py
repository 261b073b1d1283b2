"""The exceptions of paretonav: each message names what was wrong and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


def reason_of(error: BaseException) -> str:
    """What went wrong, as a person says it: without the system's number for it."""
    said = getattr(error, "strerror", None)
    return str(said) if said else str(error)


class ParetonavError(Exception):
    """Base of every exception that paretonav raises on purpose."""


class ProblemError(ParetonavError, ValueError):
    """The problem itself cannot be steered: its losses, names, data, parameters or bounds."""


class NonFiniteError(ParetonavError, ArithmeticError):
    """A loss or a gradient is infinite or not a number."""


class OutOfMemoryError(ParetonavError, MemoryError):
    """Memory ran out in a pass over the data or in a curvature product; nothing was changed."""


class PreferenceError(ParetonavError, ValueError):
    """A preference makes no sense for this problem: unknown names, weights or amounts."""


class InfeasiblePreferenceError(PreferenceError):
    """The preference makes sense, but the local front does not allow it.

    Attributes:
        reason: what stands in the way, in words.
        reach: the largest amount that is possible along this preference (a fraction; 0 if none is).
    """

    def __init__(self, message: str, *, reason: str, reach: float) -> None:
        super().__init__(message)
        self.reason = reason
        self.reach = reach


class ReachedError(PreferenceError):
    """What a map is asked for is there already.

    Attributes:
        point: the visited point that is as good as that.
    """

    def __init__(self, point: int) -> None:
        super().__init__(f"point {point} is as good as that already; go to it")
        self.point = point


class NavigationError(ParetonavError, RuntimeError):
    """The navigator cannot do that now: nothing to undo, no such point, not started."""


class BusyError(NavigationError):
    """Another operation is under way on the problem, which does one at a time; afterwards it can be asked again."""


class Cancelled(NavigationError):  # noqa: N818 - no error: it was asked for
    """A long operation was stopped because that was asked for; the model is that of the last accepted point."""


class SessionError(NavigationError):
    """A session cannot be read or written: a file that is not one, a full disk, another writer."""


class ProcessesError(ParetonavError, RuntimeError):
    """Several processes cannot compute together (any more): one is gone, or has other data, another model or code."""


class MissingExtraError(ParetonavError, ImportError):
    """A library that only an optional part needs is not installed; the message says how to install it."""


@contextmanager
def needing(extra: str, what: str) -> Iterator[None]:
    """Around the import of a library that only an extra installs.

    Args:
        extra: its name in pyproject.toml.
        what: needs it, for people.

    Raises:
        MissingExtraError: the library is not installed.
    """
    try:
        yield
    except MissingExtraError:
        raise
    except ImportError as error:
        raise MissingExtraError(
            f"{what} needs a library that is not installed ({error}); install it with: "
            f'pip install "paretonav[{extra}]"'
        ) from error
