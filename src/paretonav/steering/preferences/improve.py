"""Improve some, hold others, let the rest pay."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from paretonav.errors import PreferenceError
from paretonav.steering.preferences.checks import disjoint, numbers, proportional
from paretonav.steering.preferences.terms import Terms
from paretonav.steering.preferences.wish import Situation, Wish
from paretonav.text import in_quotes


@dataclass(frozen=True, repr=False)
class Improve(Terms):
    """Improve some losses or metrics in given proportions, hold others, let the rest pay.

    Losses and metrics are those of the validation data where there are any.

    Args:
        weights: name -> non-negative weight. The improvements are in these proportions; a step's ``amount``
            is the relative improvement of the one with the largest weight (in units of ranges, its improvement in
            parts of its range).
        hold: names of those that shall not move.
        allow: name -> the worst value that is still acceptable, of those that may pay.
        on: the data whose losses are meant: "validation", "train", or None for the validation data where there are any.
        units: what the weights are proportions of: "relative", the changes in parts of the present values; "range", in
            parts of the ranges on the front as far as it is known; "absolute", the changes in their own units.

    Example:
        >>> Improve({"age": 0.7, "marital": 0.3}, hold=["education"])
        Improve({'age': 0.7, 'marital': 0.3}, hold=('education',))
    """

    weights: Mapping[str, float]

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "weights", numbers(self.weights, "weights"))

    def wish(self, at: Situation) -> Wish:
        at.require_known((*self.weights, *self.hold, *self.allow))
        for name, weight in self.weights.items():
            if not (math.isfinite(weight) and weight >= 0):
                raise PreferenceError(
                    f"the weight of {in_quotes(name)} is {weight}; improvement weights are zero or positive (use "
                    "Direction to ask for an increase)"
                )
        improved = {name: weight for name, weight in self.weights.items() if weight}
        if not improved:
            raise PreferenceError(
                "no objective has a positive weight; give at least one objective or metric to improve"
            )
        disjoint({"is improved": improved, "is held": self.hold, "has a bound": self.allow})
        changes = {name: -weight * at.sense(name) for name, weight in improved.items()}
        return proportional(at, changes | dict.fromkeys(self.hold, 0.0), self.units, self.allow)
