"""The rows of a model card's tables."""

from __future__ import annotations

from collections.abc import Iterator

from paretonav.session.compare import Difference, measured
from paretonav.session.markdown import escaped
from paretonav.session.record import Record
from paretonav.text import change, relative, value

_SPLITS = {"train": ", training loss", "validation": ", validation loss", "metric": ""}


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
    changes = {
        "train": (record.predicted, record.achieved),
        "validation": (record.predicted_validation, record.achieved_validation),
        "metric": (record.predicted_metrics, record.achieved_metrics),
    }
    on = record.on or "train"
    order = {on: 0, "metric": 2}
    for split, values in sorted(measured(parent).items(), key=lambda part: order.get(part[0], 1)):
        expected, achieved = changes[split]
        if achieved is None:
            continue
        errors = achieved.standard_errors
        for name, there in values.items():
            asked = record.requested.get(name) if split in (on, "metric") else None
            yield [
                escaped(name) + _SPLITS[split],
                "" if asked is None else "hold" if asked == 0 else change(asked, there),
                "" if expected is None else change(expected[name], there),
                change(achieved[name], there),
                "" if errors is None else f"± {value(errors[name], there)}",
                "noise" if achieved.is_noise(name) else "",
            ]


def value_rows(record: Record) -> Iterator[list[str]]:
    """The losses and metrics of one point."""
    for split, values in measured(record).items():
        errors = values.standard_errors
        for name, x in values.items():
            yield [
                escaped(name) + _SPLITS[split],
                value(x, x),
                "" if errors is None else f"± {value(errors[name], x)}",
            ]


def before(difference: Difference, first: Record) -> float:
    """The first point's value of what differs."""
    return measured(first)[difference.split][difference.name]
