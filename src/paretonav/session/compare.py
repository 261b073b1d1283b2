"""Visited points side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from paretonav.errors import MissingExtraError, needing
from paretonav.session.record import Record
from paretonav.steering import Changes, Estimates, Point

if TYPE_CHECKING:
    from pandas import DataFrame


_NOTHING = 1e-6


class Difference(NamedTuple):
    """One loss or metric at a point, and how it differs from the first of the points compared.

    Attributes:
        split: "train", "validation" or "metric".
        name: of the loss or metric.
        point: the number of the point.
        value: there.
        change: from the first point's value.
        standard_error: of the change, from paired per-batch differences; None where it is not known.
        noise: whether zero is inside the change's 95 % interval, or the change is less than a millionth of the value:
            what solvers leave over is no difference.
        better: whether the change is an improvement; None if it is noise, or nobody said which way is better.
    """

    split: str
    name: str
    point: int
    value: float
    change: float
    standard_error: float | None
    noise: bool
    better: bool | None


@dataclass(frozen=True, eq=False)
class Comparison:
    """Points and how they differ from the first of them.

    Standard errors are of paired per-batch differences: both points were measured on the same batches, so what makes
    a batch hard for both cancels. Each difference is judged by itself at the 95 % level: of twenty without any
    reality, one will not be called noise.

    Attributes:
        records: of the points.
        train: the changes of the training losses from the first point, one for each of the others.
        validation: the same on validation data, or None.
        metrics: the same of the metrics.
        higher_is_better: metric -> which way is better, where that is known.
    """

    records: tuple[Record, ...]
    train: tuple[Changes, ...]
    validation: tuple[Changes, ...] | None
    metrics: tuple[Changes, ...]
    higher_is_better: dict[str, bool]

    @classmethod
    def of(
        cls, records: Sequence[Record], points: Sequence[Point], higher_is_better: dict[str, bool]
    ) -> Comparison:
        """Compare points [k] with the first of them; ``records`` are theirs."""
        first, *others = points
        return cls(
            tuple(records),
            tuple(train_change(first, point) for point in others),
            None if first.held_out is None else tuple(validation_change(first, point) for point in others),
            tuple(metric_change(first, point) for point in others),
            higher_is_better,
        )

    def __iter__(self) -> Iterator[Difference]:
        """All differences: training losses, validation losses, metrics; point by point for each."""
        first, *others = self.records
        changes = {"train": self.train, "validation": self.validation or (), "metric": self.metrics}
        for split, values in measured(first).items():
            for name in values:
                for record, change in zip(others, changes[split], strict=True):
                    yield self._difference(split, name, record, change)

    def table(self) -> DataFrame:
        """The differences, one row each, and the first point's values as rows without a change."""
        with needing("tables", "a table"):
            import pandas as pd

        first = self.records[0]
        own = [
            Difference(split, name, first.id, value, 0.0, 0.0, True, None)
            for split, values in measured(first).items()
            for name, value in values.items()
        ]
        frame = pd.DataFrame([*own, *self], columns=list(Difference._fields))
        frame["standard_error"] = frame["standard_error"].astype(float)
        frame["better"] = frame["better"].astype("boolean")
        return frame

    def _repr_html_(self) -> str | None:
        try:
            html: str = self.table().to_html(index=False)  # which escapes the names
        except MissingExtraError:
            return None  # a notebook shows the text instead
        return html

    def _difference(self, split: str, name: str, record: Record, changes: Changes) -> Difference:
        change, errors = changes[name], changes.standard_errors
        first = measured(self.records[0])[split][name]
        noise = changes.is_noise(name) or abs(change) <= _NOTHING * abs(first)
        up = self.higher_is_better.get(name) if split == "metric" else False
        return Difference(
            split=split,
            name=name,
            point=record.id,
            value=measured(record)[split][name],
            change=change,
            standard_error=None if errors is None else errors[name],
            noise=noise,
            better=None if noise or up is None else (change > 0) == up,
        )


def measured(record: Record) -> dict[str, Estimates]:
    """What was measured at a point: "train", "validation" where there is such data, "metric"."""
    parts = {"train": record.losses, "validation": record.validation, "metric": record.metrics}
    return {split: values for split, values in parts.items() if values is not None}


def train_change(before: Point, now: Point) -> Changes:
    """The change of the training losses from one point to another."""
    return Changes.of(before.front.names, *now.train.change_from(before.train), len(now.train.fractions))


def validation_change(before: Point, now: Point) -> Changes:
    """The change of the validation losses; both points have them."""
    if before.held_out is None or now.held_out is None:
        raise ValueError("there are no validation losses")
    return Changes.of(
        before.front.names, *now.held_out.change_from(before.held_out), len(now.held_out.fractions)
    )


def metric_change(before: Point, now: Point) -> Changes:
    """The change of the metrics; none where there are none."""
    then, there = before.held_out or before.train, now.held_out or now.train
    return Changes.of(then.metric_names, *there.metric_change_from(then), len(there.fractions))
