"""What is always at hand of a visited point: its numbers, and how it was reached."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from paretonav.display import Display, values_shown
from paretonav.errors import PreferenceError
from paretonav.objectives import Cost
from paretonav.objectives.problem import Split
from paretonav.steering import Changes, Estimates, Point, Preference, Step, StepStatus
from paretonav.steering.outcome import Outcome, Part, Valued, nothing
from paretonav.steering.preferences import Wish
from paretonav.steering.preferences.wording import origin
from paretonav.text import in_quotes

Values = dict[str, float]

_OF_THE_STEP = ("status", "reason", "requested", "predicted", "achieved", "missed")


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


@dataclass(frozen=True, eq=False, repr=False)
class Record(Valued):
    """One visited point in numbers. Immutable, but for what is noted down about it: a change makes a new record.

    The changes are those of the step that led here, empty for the first point.

    Attributes:
        id: its number in the session, from 0.
        parent: the number of the point that it was reached from, or None.
        made: when, in UTC.
        values: losses and metrics, with their standard errors; ``values.shown`` is what people look at.
        weights: for which the point is optimal.
        joint_gain: by how much all objectives could still fall together; None where the model is held.
        residual: ``|J^T alpha|``; None where the model is held.
        pull: what holds the model there, in parts of the largest curvature (``Anchor``); None at a critical point.
        cost: of coming here.
        preference: what led here, and ``amount`` how much of it; None for the first.
        status: whether the step was shortened; None for the first.
        reason: why, or what else there is to say about it.
        requested: the changes that were asked for.
        predicted: the changes as predicted.
        achieved: the changes as they came.
        missed: as in ``Step``.
        name: what somebody called it; empty if nobody did.
        note: what somebody wrote about it.
        star: whether somebody marked it.
    """

    id: int
    parent: int | None
    made: datetime
    values: Outcome[Estimates]
    weights: Values
    joint_gain: float | None
    residual: float | None
    cost: Cost
    preference: Preference | None = None
    amount: float | None = None
    status: StepStatus | None = None
    reason: str = ""
    requested: Outcome[Changes] = field(default_factory=nothing)
    predicted: Outcome[Changes] = field(default_factory=nothing)
    achieved: Outcome[Changes] = field(default_factory=nothing)
    missed: tuple[tuple[str, Part], ...] = ()
    pull: float | None = None
    name: str = ""
    note: str = ""
    star: bool = False

    @classmethod
    def of(cls, point: Point, step: Step | None = None) -> Record:
        """The record of a new point, and of the step that led to it."""
        record = cls(
            id=point.id,
            parent=point.parent,
            made=datetime.now(UTC),
            values=point.values,
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

    @property
    def on(self) -> Split | None:
        """The data on which losses were asked for; None for the first point."""
        return None if self.status is None else self.requested.split

    def _display(self) -> Display:
        way = origin(self.parent, self.preference, self.amount)
        values = self.values
        beside = {"train": values.train if values.validation else {}, "weight": self.weights}
        called = f" {in_quotes(self.name)}" if self.name else ""
        title = f"Record of point {self.id}{called}{', starred' if self.star else ''}, {way}"
        return values_shown(title, values.shown, values.shown.standard_errors, beside, self.note)
