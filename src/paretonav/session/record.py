"""What is always at hand of a visited point: its numbers, and how it was reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from paretonav.errors import PreferenceError
from paretonav.objectives import Cost
from paretonav.objectives.losses import Losses
from paretonav.objectives.problem import Split
from paretonav.steering import Changes, Estimates, Point, Preference, Step, StepStatus
from paretonav.steering.preferences import Wish

Values = dict[str, float]

_OF_THE_STEP = (
    "status",
    "reason",
    "requested",
    "predicted",
    "predicted_validation",
    "predicted_metrics",
    "achieved",
    "achieved_validation",
    "achieved_metrics",
    "on",
    "missed",
)


@dataclass(frozen=True)
class Unstorable:
    """What is left of a preference of a kind that a session cannot store: what it said of itself."""

    text: str

    def wish(self, *_: object) -> Wish:
        """Always an error: what it meant is not known any more."""
        raise PreferenceError(
            f"{self.text} was not stored in full and cannot be asked for again; make it anew"
        )

    def __repr__(self) -> str:
        return self.text


@dataclass(frozen=True, eq=False)
class Record:
    """One visited point in numbers. Immutable, but for what is noted down about it: a change makes a new record.

    The changes are those of the step that led here, None for the first point.

    Attributes:
        id: its number in the session, from 0.
        parent: the number of the point that it was reached from, or None.
        made: when, in UTC.
        losses: the training losses, with standard errors of their values.
        validation: the validation losses, or None.
        metrics: on validation data where there is any.
        weights: for which the point is optimal.
        joint_gain: by how much all objectives could still fall together; None where the model is held.
        residual: |J^T alpha|; None where the model is held.
        pull: what holds the model there, in parts of the largest curvature (``Anchor``); None at a critical point.
        cost: of coming here.
        preference: what led here, and ``amount`` how much of it; None for the first.
        status: whether the step was shortened; None for the first.
        reason: why, or what else there is to say about it.
        requested: the changes that were asked for.
        predicted: the changes of the training losses as predicted.
        predicted_validation: of the validation losses.
        predicted_metrics: of the metrics.
        achieved: the changes of the training losses as they came.
        achieved_validation: of the validation losses.
        achieved_metrics: of the metrics.
        on: the data on which losses were asked for; None for the first.
        missed: as in ``Step``.
        note: what somebody wrote about it.
        star: whether somebody marked it.
    """

    id: int
    parent: int | None
    made: datetime
    losses: Estimates
    validation: Estimates | None
    metrics: Estimates
    weights: Values
    joint_gain: float | None
    residual: float | None
    cost: Cost
    preference: Preference | None = None
    amount: float | None = None
    status: StepStatus | None = None
    reason: str = ""
    requested: Values = field(default_factory=dict)
    predicted: Changes | None = None
    predicted_validation: Changes | None = None
    predicted_metrics: Changes | None = None
    achieved: Changes | None = None
    achieved_validation: Changes | None = None
    achieved_metrics: Changes | None = None
    on: Split | None = None
    missed: tuple[tuple[str, str], ...] = ()
    pull: float | None = None
    note: str = ""
    star: bool = False

    @classmethod
    def of(cls, point: Point, step: Step | None = None) -> Record:
        """The record of a new point, and of the step that led to it."""
        shown = point.train if point.held_out is None else point.held_out
        names = point.front.names
        record = cls(
            id=point.id,
            parent=point.parent,
            made=datetime.now(UTC),
            losses=_estimates(names, point.train),
            validation=None if point.held_out is None else _estimates(names, point.held_out),
            metrics=Estimates.of(
                shown.metric_names,
                shown.fractions @ shown.metric_batches if shown.metric_names else shown.fractions[:0],
                shown.metric_standard_error(),
                len(shown.fractions),
            ),
            weights=point.weights,
            joint_gain=point.joint_gain if point.anchor is None else None,
            residual=point.residual if point.anchor is None else None,
            pull=None if point.anchor is None else point.anchor.part,
            cost=point.cost,
            preference=point.preference,
            amount=point.amount,
        )
        if step is None:
            return record
        return replace(record, **{name: getattr(step, name) for name in _OF_THE_STEP})

    def shown(self, split: str | None = None) -> Mapping[str, float]:
        """The losses on a split: "train" or "validation"; None is validation data where there is any."""
        if split == "train" or (split is None and self.validation is None):
            return self.losses
        if self.validation is None:
            raise ValueError("there are no validation losses")
        return self.validation


def _estimates(names: tuple[str, ...], losses: Losses) -> Estimates:
    return Estimates.of(names, losses.mean, losses.standard_error(), len(losses.fractions))
