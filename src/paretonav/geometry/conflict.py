"""Whether there is anything to trade: real conflict, or noise.

See docs/method.md#standard-errors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from paretonav.display import Display, Shown, changes_shown
from paretonav.geometry.front import FrontModel
from paretonav.statistics import quantile

Array = NDArray[np.float64]

# What is too little for a conflict however many the data, as with enough of them anything is significant. Chosen, not
# measured: a person would not take a step for it.
_STEP = 0.05  # relative improvement at which gains and prices are shown: a step of the usual amount
_WORTH = 0.01  # of a loss: a front that is worth less is no conflict
_PRICE = 0.02  # of the gain, both in parts of the losses: who pays less hardly pays


@dataclass(frozen=True, repr=False)
class Conflict(Shown):
    """What improving one objective along the front does on validation data (training data if there is none).

    Training data alone cannot tell a trade-off from overfitting: at an optimum of the training losses somebody always
    pays for it there.

    Attributes:
        real: whether it gets better at the cost of another, both beyond what is noise at the 95 % level, and by more
            than next to nothing. None where there are too few batches to tell.
        reason: why, in words.
        amount: the relative improvement on training data for which the changes are given: 5 %, or what there is.
        gain: the objective's change, negative where it gets better.
        gain_error: its standard error, or None.
        others: name -> (change, standard error or None) of the other objectives: what they pay.
    """

    real: bool | None
    reason: str
    amount: float
    gain: float
    gain_error: float | None
    others: dict[str, tuple[float, float | None]]

    def _display(self) -> Display:
        word = {True: "real", False: "none", None: "unknown"}[self.real]
        changes = {"(itself)": (self.gain, self.gain_error), **self.others}
        return changes_shown(
            f"Conflict: {word}; changes by an improvement of {100 * self.amount:.3g}%",
            {"change": {name: change for name, (change, _) in changes.items()}},
            {name: error for name, (_, error) in changes.items() if error is not None},
            note=self.reason,
        )


def conflicts(front: FrontModel) -> dict[str, Conflict]:
    """Name -> conflict, objective by objective.

    Each objective is improved in the direction that costs the least curvature, ``c = |S|^-1 R_i^T``. To first order the
    front makes others pay for it, on the training data. That it is so on validation data as well is tested by the
    response there batch by batch: t-tests with b - 1 degrees of freedom, for what the others pay at a level that allows
    for their number (Bonferroni). The direction owes nothing to the validation data, so where there is no conflict each
    objective is said to have one in at most 2.5 % of the cases.

    What is significant but next to nothing is no conflict either, however many the data: the whole way to the edge has
    to be worth 1 % of the loss, on validation data too, and the cost 2 % of the gain.
    """
    return {name: _conflict(front, i) for i, name in enumerate(front.names)}


def _conflict(front: FrontModel, i: int) -> Conflict:
    response = front.response if front.anchor is None else front.asked_response
    c = np.linalg.solve(front.curvature, response[i])
    slope = float(response[i] @ c)
    size = abs(float(front.losses[i] if front.anchor is None else front.asked_losses[i]))
    worth = _worth(front, i, c) / size if size else 0.0
    if slope > 0:
        c = c * min(_STEP, max(worth, 1e-6)) * size / slope
    expected = -response @ c
    measured = front.shown_response_by_batch
    change, error, batches = expected, None, 0
    if measured is not None:
        along, error_along = measured.along(torch.from_numpy(-c))
        error = None if error_along is None else error_along[: front.m].numpy()
        batches = len(measured.fractions)
        # Training losses were measured on a few batches, but what they change by is known of all.
        if front.validation_response_by_batch is not None:
            change = along[: front.m].numpy()
    confirmed = worth * float(change[i] / expected[i]) if slope > 0 else 0.0
    found = _Improvement(i, change, error, batches, worth, confirmed)
    real, reason = _verdict(front, found)
    return Conflict(
        real=real,
        reason=reason,
        amount=min(_STEP, worth),
        gain=float(change[i]),
        gain_error=None if error is None else float(error[i]),
        others={
            front.names[j]: (float(change[j]), None if error is None else float(error[j]))
            for j in found.others
        },
    )


@dataclass(frozen=True, eq=False)
class _Improvement:
    """What improving one objective does.

    Attributes:
        index: of the objective.
        change: [m], of all objectives, as it was measured.
        error: [m], its standard error, or None.
        batches: how many that is from.
        worth: what there is to gain all the way to the edge, in parts of the loss, as the training data have it.
        confirmed: the same as the data that it was measured on have it.
    """

    index: int
    change: Array
    error: Array | None
    batches: int
    worth: float
    confirmed: float

    @property
    def others(self) -> list[int]:
        """The indices of the other objectives."""
        return [j for j in range(len(self.change)) if j != self.index]


def _worth(front: FrontModel, i: int, c: Array) -> float:
    """The largest improvement of objective i along c up to the edge of the front, to second order."""
    edge = min(front.edge(c), 1e6)
    held = front.anchor is not None
    response, bends = (front.asked_response, front.asked_bend) if held else (front.response, front.bend)
    bend = (bends @ c @ c)[i if len(bends) > 1 else 0]
    slope = -response[i] @ c
    best = min(edge, -slope / bend) if bend > 0 else edge
    return max(0.0, -float(slope * best + 0.5 * bend * best**2))


def _verdict(front: FrontModel, found: _Improvement) -> tuple[bool | None, str]:
    """Whether there is a conflict, None where that cannot be told, and why, in words."""
    i, change, others = found.index, found.change, found.others
    where = "training" if front.validation_response_by_batch is None else "validation"
    end = "from here to the edge of the front" if front.anchor is None else "along the cheapest way from here"
    if found.worth < _WORTH:
        return False, f"no conflict: {end} there is only {found.worth:.2g} of it to gain"
    if found.error is None and front.sampled:
        return None, f"cannot tell: fewer than 32 examples or four batches of {where} data; give more"
    error = np.zeros_like(change) if found.error is None else found.error
    if not change[i] < -quantile(found.batches) * error[i]:
        return False, f"no conflict: what it gains on training data does not show on {where} data"
    if found.confirmed < _WORTH:
        return False, f"no conflict: {end} only {found.confirmed:.2g} of it shows on {where} data"
    before = front.losses if front.validation_losses is None else front.validation_losses.mean.numpy()
    sizes = np.maximum(np.abs(before), 1e-12 * np.abs(before).max())
    price = change / sizes / -(change[i] / sizes[i])
    significant = change > quantile(found.batches, len(others)) * error
    payers = [j for j in others if significant[j] and price[j] >= _PRICE]
    if not payers:
        cheap = (
            "who pays for it pays next to nothing"
            if significant[others].any()
            else "nobody measurably pays for it"
        )
        return False, f"no conflict: on {where} data {cheap}"
    return True, f"{' and '.join(front.names[j] for j in payers)} would pay for it"
