"""Where a pass over data is, for the messages of what goes wrong in the middle of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import wraps
from itertools import count
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from paretonav.errors import ProblemError
from paretonav.objectives.blame import blamed, ours
from paretonav.objectives.data import Batch
from paretonav.objectives.modes import differentiable
from paretonav.objectives.untouched import versions

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", bound="_HasWhereabouts")
_EITHER = "the model or a loss"


class Whereabouts:
    """Follows passes, and explains what is raised in them."""

    def __init__(self) -> None:
        self._place = "reading the data failed"
        self._advice = ""

    def follow(
        self, pairs: Iterator[tuple[Batch, int]], split: str, turn: tuple[int, int] = (0, 1)
    ) -> Iterator[tuple[Batch, int]]:
        """The same batches, remembered by their numbers from 1.

        Args:
            pairs: of a batch and a length.
            split: that they are of.
            turn: the first batch that is among them, and every so many-th after it.
        """
        first, every = turn[0] + 1, turn[1]
        for number in count(first, every):
            self._advice = (
                "; the batches before it did not, so compare shapes, dtypes and values"
                if number > first
                else ""
            )
            self._place = f"reading batch {number} of the {split} data failed"
            pair = next(pairs, None)
            if pair is None:
                return
            self._place = f"{_EITHER} failed on batch {number} of the {split} data, a {_kind(pair[0])}"
            before = versions(pair[0])
            yield pair
            if versions(pair[0]) != before:
                raise ProblemError(
                    f"the model, a loss or a metric writes into batch {number} of the {split} data, which changes "
                    "your data and all that is computed of them next; let it work on a copy (labels = "
                    "labels.clone()), or use torch.where"
                )

    def explained(self, place: str = "") -> AbstractContextManager[None]:
        """Say of exceptions from the user's code at which batch they came.

        Args:
            place: what failed, if it is not a batch of the pass that is followed.

        Raises:
            OutOfMemoryError: memory ran out.
            ProblemError: anything else but our own errors.
        """

        def told(error: Exception) -> str:
            where = (place or self._place).replace(_EITHER, blamed(error) or _EITHER)
            return f"{where}: {type(error).__name__}: {error}{_hint(error, where) or self._advice}"

        return ours(told)


class _HasWhereabouts(Protocol):
    _whereabouts: Whereabouts


def explained(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """A method that makes passes: its exceptions are explained, and the caller's modes of torch do not matter."""

    @wraps(method)
    def run(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with self._whereabouts.explained(), differentiable():
            return method(self, *args, **kwargs)

    return run


def _hint(error: Exception, place: str) -> str:
    """What to do about an error of torch that does not say so; "" where it may be anything."""
    if "does not require grad and does not have a grad_fn" in str(error):
        return (
            "; losses are also measured without gradients, so what takes derivatives itself "
            "(a residual of a differential equation, say) should do so under torch.enable_grad()"
        )
    if isinstance(error, IndexError | KeyError) and place.startswith("reading"):
        return "; let the dataset give every example that its length promises, the same ones in every pass"
    if "meta tensor" in str(error) and place.startswith("reading"):
        return "; give tensors with data in them, on the CPU or another device"
    return ""


def _kind(batch: Batch) -> str:
    return type(batch).__name__
