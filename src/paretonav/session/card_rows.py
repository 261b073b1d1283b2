"""The rows of a model card's tables."""

from __future__ import annotations

from collections.abc import Iterator

from paretonav.session.compare import Difference
from paretonav.session.markdown import escaped
from paretonav.session.record import Record
from paretonav.steering import Estimates
from paretonav.text import change, relative, value

_SPLITS = {"train": ", training loss", "validation": ", validation loss", "metrics": ""}


def difference_cells(difference: Difference, first: Record) -> list[str]:
    """A loss or metric at the first point and at the chosen one."""
    d, there = difference, before(difference, first)
    return [
        escaped(d.name) + _SPLITS[d.split],
        value(there, there),
        value(d.value, there),
        change(d.change, there),
        relative(d.change, there),
        "" if d.standard_error is None else f"± {value(d.standard_error, there)}",
        "noise" if d.noise else {True: "better", False: "worse", None: ""}[d.better],
    ]


def step_rows(parent: Record, record: Record) -> Iterator[list[str]]:
    """What a step was to do and did to each loss and metric; first on the data on which it was asked for."""
    for part, values in parent.values.parts(record.requested.split):
        requested, predicted, achieved = (
            x.part(part) for x in (record.requested, record.predicted, record.achieved)
        )
        for name, there in values.items():
            if name not in achieved:
                continue
            asked = requested.get(name)
            yield [
                escaped(name) + _SPLITS[part],
                "" if asked is None else "hold" if asked == 0 else change(asked, there),
                change(predicted[name], there) if name in predicted else "",
                change(achieved[name], there),
                _error(achieved, name, there),
                "noise" if achieved.is_noise(name) else "",
            ]


def value_rows(record: Record) -> Iterator[list[str]]:
    """The losses and metrics of one point."""
    for part, values in record.values.parts():
        for name, x in values.items():
            yield [escaped(name) + _SPLITS[part], value(x, x), _error(values, name, x)]


def before(difference: Difference, first: Record) -> float:
    """The first point's value of what differs."""
    return first.values.part(difference.split)[difference.name]


def _error(estimates: Estimates, name: str, like: float) -> str:
    error = estimates.error(name)
    return "" if error is None else f"± {value(error, like)}"
