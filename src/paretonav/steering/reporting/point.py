"""A visited point and what is known there; the reports of previews and steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from paretonav.display import Display, Shown, changes_shown, values_shown
from paretonav.geometry import Anchor, Conflict, FrontModel, conflicts
from paretonav.objectives import Cost
from paretonav.objectives.problem import Split
from paretonav.steering.changes import Changes, Estimates
from paretonav.steering.measured import Measured, values_of
from paretonav.steering.outcome import Outcome, Part, Valued
from paretonav.steering.planning.options import Option, options
from paretonav.steering.planning.plan import Plan
from paretonav.steering.planning.planned import Planned
from paretonav.steering.preferences import Preference, check_amount
from paretonav.steering.preferences.wording import describe, origin
from paretonav.steering.stepping.place import Place
from paretonav.steering.stepping.trust import Trust

Values = dict[str, float]

DATA = {"train": "training data", "validation": "validation data"}


@dataclass(frozen=True, eq=False, repr=False)
class Point(Valued):
    """One model on (or near) the front. Immutable.

    Attributes:
        id: its number in the navigation, from 0.
        parent: the id of the point that it was reached from; None for the first.
        parameters: [n].
        measured: the losses and metrics batch by batch, on training and on validation data; ``values`` by name.
        front: the model of the front around it.
        preference: what led here, and ``amount`` how much of it; None for the first.
        cost: of coming here.
        trust: how far the front is trusted from here, and how it is measured.
    """

    id: int
    parent: int | None
    parameters: Tensor
    measured: Measured
    front: FrontModel
    preference: Preference | None
    amount: float | None
    cost: Cost
    trust: Trust

    @classmethod
    def at(
        cls,
        place: Place,
        *,
        id: int,
        parent: int | None,
        cost: Cost,
        preference: Preference | None = None,
        amount: float | None = None,
    ) -> Self:
        """The point of a place that has been measured on all data."""
        return cls(
            id=id,
            parent=parent,
            parameters=place.tangent.theta,
            measured=place.measured,
            front=place.front,
            preference=preference,
            amount=amount,
            cost=cost,
            trust=place.trust,
        )

    @cached_property
    def values(self) -> Outcome[Estimates]:
        """Losses and metrics, with their standard errors; ``values.shown`` is what people look at."""
        return values_of(self.front.names, self.measured)

    @property
    def weights(self) -> Values:
        """alpha: the weighted sum for which this point is optimal.

        Of a model that is held where it is: those that it was trained with, from the first point to the last.
        """
        return named(self.front.names, self.front.weights)

    @property
    def anchor(self) -> Anchor | None:
        """What holds the model here, and why so; None at a Pareto-critical point."""
        return self.front.anchor

    @property
    def residual(self) -> float:
        """``|J^T alpha|``, zero at a Pareto-critical point."""
        return self.front.residual

    @property
    def joint_gain(self) -> float:
        """By how much all objectives could still fall together (Newton decrement), in units of the losses."""
        return self.front.joint_gain

    @property
    def conflict(self) -> dict[str, Conflict]:
        """Name -> whether improving an objective costs others anything on validation data, or is only noise."""
        return conflicts(self.front)

    def options(self, amount: float = 0.05, *, hold: Sequence[str] = ()) -> tuple[Option, ...]:
        """A few distinct options from here, with their predicted outcomes; no pass over data.

        Args:
            amount: how much is improved, relative to the present value.
            hold: names of what shall not move.
        """
        return options(self.front, check_amount(amount), hold)

    def _display(self) -> Display:
        held = "on the front" if self.anchor is None else "held where it is"
        values = self.values
        beside = {"train": values.train if values.validation else {}, "weight": self.weights}
        way = origin(self.parent, self.preference, self.amount)
        title = f"Point {self.id}, {held}, {way}; values on {DATA[values.split]}"
        return values_shown(title, values.shown, values.shown.standard_errors, beside)

    @property
    def trade_offs(self) -> dict[str, Values]:
        """``trade_offs[a][b]``: what loss b rises by per unit that loss a falls, all others held.

        Empty around a model that is held where it is: no weighted sum is least there, so its weights do not say what
        one loss costs the others. ``conflict`` does.
        """
        if self.anchor is not None:
            return {}
        rates = -self.front.exchange_rates()
        return {
            a: {b: float(rates[i, j]) for j, b in enumerate(self.front.names) if j != i}
            for i, a in enumerate(self.front.names)
        }


@dataclass(frozen=True, eq=False, repr=False)
class Preview(Shown):
    """What a step would do; all changes are signed and carry standard errors.

    Attributes:
        planned: what a step is taken by; it holds at the point where it was made.
        predicted: the changes as predicted to second order, of losses and metrics; of metrics from measurements next
            to the model, where they show a bend.
        weights: name -> weight at the new point; around a model that is held, what it is here.
        trusted: whether it is within the trust radius, and all of it modelled. If not, the step will go in several
            legs, each planned from where the one before it has ended, and what the others pay for it is a guess.
        nearest: name -> value that is predicted of what the preference names: what was asked, or the nearest to it.
    """

    planned: Planned
    predicted: Outcome[Changes]
    weights: Values
    trusted: bool
    nearest: Values
    _reach: Callable[[], float]

    @property
    def plan(self) -> Plan:
        """The tangent coordinates and predictions as arrays."""
        return self.planned.plan

    @property
    def requested(self) -> Outcome[Changes]:
        """The changes asked for."""
        return self.plan.requested

    @property
    def attainable(self) -> bool:
        """Whether the front model has an outcome as good as what was asked; it may have none only for an ``Aim``."""
        return self.plan.attainable

    @property
    def modelled(self) -> float:
        """The part of the amount that the model around the point covers; beyond it, what is predicted is a guess.

        It is below 1 only around a model that is held where it is: the step goes on from where that part has led.
        """
        return self.plan.modelled

    @property
    def on(self) -> Split:
        """The data on which losses are asked for: "validation" or "train"."""
        return self.plan.on

    @cached_property
    def reach(self) -> float:
        """The largest feasible amount along this preference."""
        return self._reach()

    def _display(self) -> Display:
        title = f"Preview: {describe(self.planned.preference, self.plan.amount)}"
        note = "" if self.trusted else "It is far: what the others pay is a guess."
        if not self.attainable:
            note = "There is no such outcome; this is the nearest."
        predicted = self.predicted.asked(self.on)
        errors = predicted.standard_errors
        return changes_shown(title, {"predicted": predicted}, errors, self.requested.shown, note=note)


class StepStatus(StrEnum):
    """How a step ended."""

    ACCEPTED = "accepted"
    SHORTENED = "shortened"  # accepted, but only a part of the amount
    REJECTED = "rejected"  # taken back: the model is where it was


@dataclass(frozen=True, eq=False, repr=False)
class Step(Shown):
    """What a step was to do, and did; all changes are signed and carry standard errors.

    Attributes:
        point: where the navigation is now: the new point, or the old one if the step was rejected.
        requested: the changes asked for (of the part that was taken, where it was shortened).
        predicted: the changes as predicted.
        achieved: the changes as they came. For a rejected step, those that were taken back, as far as they were read:
            where validation data have settled it, no training data are, and where training data have, no others.
        status: see StepStatus.
        reason: why it was shortened or rejected, or what the corrector has left; empty if all went as planned.
        cost: of this step, to the new point's tangent included.
        preference: what was asked.
        amount: how much of it.
        legs: in how many it was gone; 0 if not even the first was possible.
        missed: (name, part) of what came out worse than predicted, or was asked for and came out otherwise, by more
            than a step is allowed (``acceptance.broken``); the part is "train", "validation" or "metrics".
            There are none but in steps that were kept all the same: those of the published method, and those whose
            every leg came true while the prediction for all of the way was a guess.
    """

    point: Point
    requested: Outcome[Changes]
    predicted: Outcome[Changes]
    achieved: Outcome[Changes]
    status: StepStatus
    reason: str
    cost: Cost
    preference: Preference
    amount: float
    legs: int
    missed: tuple[tuple[str, Part], ...] = ()

    @property
    def on(self) -> Split:
        """The data on which losses were asked for: "validation" or "train"."""
        return self.requested.split

    def explain(self, *names: str) -> str:
        """One paragraph in plain words: what was asked, expected, and happened, and where they differ.

        It speaks of the losses on the data on which they were asked for, and then of the others.

        Args:
            names: the losses and metrics to speak of; by default what was asked for, and what changed most besides.

        Raises:
            PreferenceError: there is no such quantity.

        Example:
            >>> import paretonav as pn
            >>> nav = pn.Navigator(pn.problems.quadratic(n=10, m=3))
            >>> start = nav.start()
            >>> print(nav.step(pn.Improve({"f1": 1.0}), 0.05).explain("f1"))  # doctest: +NORMALIZE_WHITESPACE
            You asked to improve f1 by 5%. Expected was f1 down 5.0%. What came is f1 down 5.0% to 0.349 (good).
            That is as expected.
        """
        from paretonav.steering.reporting.explain import (
            explained,  # which is about steps, so it needs this class
        )

        return explained(self, names)

    def _display(self) -> Display:
        point, predicted, achieved = self.point, self.predicted.asked(self.on), self.achieved.asked(self.on)
        way = f"from point {point.id}"
        if self.status is not StepStatus.REJECTED:
            way = f"from point {point.parent} to point {point.id}"
        return changes_shown(
            f"Step {way}, {self.status}: {describe(self.preference, self.amount)}",
            {"predicted": predicted, "achieved": achieved},
            (achieved or predicted).standard_errors,
            self.requested.shown,
            point.values.shown,
            self.reason,
        )


def named(names: Sequence[str], values: Tensor | NDArray[np.float64] | Sequence[float]) -> Values:
    """A dict of floats from names and a vector."""
    return dict(zip(names, torch.as_tensor(values).tolist(), strict=True))
