"""The way to a point, step by step: what each step was to bring, and what it brought."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from paretonav.objectives.problem import Split
from paretonav.session.record import Record
from paretonav.steering import Estimates
from paretonav.steering.outcome import Outcome

Array = NDArray[np.float64]
_E = TypeVar("_E", bound=Estimates)


@dataclass(frozen=True, eq=False)
class Way:
    """Losses and metrics on the way to a point.

    All arrays are [quantities, points], NaN where something is not known: of the first point there is no step.

    Attributes:
        records: of the points, from the first to the one that is led to.
        names: of the losses, then of the metrics.
        values: at each point.
        errors: the standard error of the change from the point before, as it was measured.
        predicted: the value that the step to this point was predicted to lead to.
        predicted_errors: the standard error of that.
    """

    records: tuple[Record, ...]
    names: tuple[str, ...]
    values: Array
    errors: Array
    predicted: Array
    predicted_errors: Array


def way_through(records: Sequence[Record], split: Split | None = None) -> Way:
    """The way through points, each of which was reached from the one before.

    Args:
        records: of the points; the step to the first of them is told, too, if it was one.
        split: the data of the losses; None is what people look at.
    """
    on = split or records[0].values.split
    names = (*records[0].values.on(on), *records[0].metrics)

    def of(number: Callable[[Record, str], float | None]) -> Array:
        found = [[number(record, name) for record in records] for name in names]
        return np.array([[np.nan if x is None else x for x in row] for row in found], dtype=np.float64)

    values = of(lambda r, name: _value(r.values, on, name))
    achieved = of(lambda r, name: _value(r.achieved, on, name))
    expected = of(lambda r, name: _value(r.predicted, on, name))
    return Way(
        tuple(records),
        names,
        values,
        of(lambda r, name: _error(r.achieved, on, name)),
        values - achieved + expected,
        of(lambda r, name: _error(r.predicted, on, name)),
    )


def _value(outcome: Outcome[_E], on: Split, name: str) -> float | None:
    losses = outcome.on(on)
    return losses.get(name, outcome.metrics.get(name))


def _error(outcome: Outcome[_E], on: Split, name: str) -> float | None:
    losses = outcome.on(on)
    return (losses if name in losses else outcome.metrics).error(name)
