"""Visited points side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from paretonav.errors import MissingExtraError, needing
from paretonav.session.record import Record
from paretonav.steering import Changes, Point
from paretonav.steering.measured import changes_between
from paretonav.steering.outcome import Outcome, Part

if TYPE_CHECKING:
    from pandas import DataFrame


_NOTHING = 1e-6  # of a value: what float32 cannot tell from no change


class Difference(NamedTuple):
    """One loss or metric at a point, and how it differs from the first of the points compared.

    Attributes:
        split: "train", "validation" or "metrics".
        name: of the loss or metric.
        point: the number of the point.
        value: there.
        change: from the first point's value.
        standard_error: of the change, from paired per-batch differences; None where it is not known.
        noise: whether zero is inside the change's 95 % interval, or the change is less than a millionth of the value:
            what solvers leave over is no difference.
        better: whether the change is an improvement; None if it is noise, or nobody said which way is better.
    """

    split: Part
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
        changes: from the first point, one for each of the others.
        higher_is_better: metric -> which way is better, where that is known.
    """

    records: tuple[Record, ...]
    changes: tuple[Outcome[Changes], ...]
    higher_is_better: dict[str, bool]

    @classmethod
    def of(
        cls, records: Sequence[Record], points: Sequence[Point], higher_is_better: dict[str, bool]
    ) -> Comparison:
        """Compare points [k] with the first of them; ``records`` are theirs."""
        first, *others = points
        names = first.front.names
        changes = tuple(changes_between(names, first.measured, point.measured) for point in others)
        return cls(tuple(records), changes, higher_is_better)

    def __iter__(self) -> Iterator[Difference]:
        """All differences: training losses, validation losses, metrics; point by point for each."""
        first, *others = self.records
        for part, values in first.values.parts():
            for name in values:
                for record, changes in zip(others, self.changes, strict=True):
                    yield self._difference(part, name, record, changes.part(part))

    def table(self) -> DataFrame:
        """The differences, one row each, and the first point's values as rows without a change."""
        with needing("tables", "a table"):
            import pandas as pd

        first = self.records[0]
        own = [
            Difference(part, name, first.id, value, 0.0, 0.0, True, None)
            for part, values in first.values.parts()
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

    def _difference(self, part: Part, name: str, record: Record, changes: Changes) -> Difference:
        change, first = changes[name], self.records[0].values.part(part)[name]
        noise = changes.is_noise(name) or abs(change) <= _NOTHING * abs(first)
        up = self.higher_is_better.get(name) if part == "metrics" else False
        return Difference(
            split=part,
            name=name,
            point=record.id,
            value=record.values.part(part)[name],
            change=change,
            standard_error=changes.error(name),
            noise=noise,
            better=None if noise or up is None else (change > 0) == up,
        )
