"""What processes must have in common before they compute together, compared in one place."""

from __future__ import annotations

import math
import pickle
from collections.abc import Sequence
from typing import Any, NamedTuple

from paretonav.errors import ProcessesError
from paretonav.processes.wire import Wire

# In parts of a loss: two processes may have different kernels, whose rounding differs.
_TOLERANCE = 1e-3


class Digest(int):
    """What stands for many numbers, and says nothing to people."""


class Premise(NamedTuple):
    """Something that all processes must have alike.

    Attributes:
        what: in words, such as "the names of the losses".
        value: what is compared; numbers up to rounding.
        remedy: what to do where it differs; may be empty.
    """

    what: str
    value: Any
    remedy: str = ""


def require_alike(wire: Wire, premises: Sequence[Premise]) -> None:
    """Compare what all processes have; all of them have to call it.

    Raises:
        ProcessesError: something differs, in all processes; names the first.
    """
    message = pickle.dumps([tuple(each) for each in premises])
    sizes = [size for (size,) in wire.words(len(message))]
    found = [[Premise(*each) for each in pickle.loads(m)] for m in wire.collect(message, sizes)]
    verdict = wire.tell("".join(_difference(found)).encode() if found else b"").decode()
    if verdict:
        raise ProcessesError(verdict)


def _difference(found: Sequence[Sequence[Premise]]) -> str:
    """What differs first, from the first process, in words; empty if nothing does."""
    first = found[0]
    for i, here in enumerate(first):
        for rank, premises in enumerate(found[1:], 1):
            there = premises[i] if i < len(premises) else Premise(here.what, None)
            if there.what != here.what or not _alike(here.value, there.value):
                values = f" ({_short(here.value)} in process 0, {_short(there.value)} in process {rank})"
                return (
                    f"process {rank} of {len(found)} differs from process 0 in {here.what}"
                    f"{'' if isinstance(here.value, Digest) else values}; "
                    f"{here.remedy or 'start all of them with the same code and arguments'}"
                )
    return ""


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=_TOLERANCE, abs_tol=1e-12) or (one != one and other != other)
    return bool(one == other)


def _short(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
