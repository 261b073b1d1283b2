"""What one step is worth, decided from its row and those beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zoo.measure import BROUGHT, FURTHER
from zoo.rows import TAKEN, numbers

Array = NDArray[np.float64]
ALLOWED, FAR = 0.1, 0.5  # of the largest predicted change
_TUNED = ("named", "planned")


@dataclass(frozen=True)
class Verdict:
    """Of one wish.

    Attributes:
        case: the model's name.
        seed: of it.
        origin: as brought, or trained on first.
        wish: what was asked.
        amount: how much of it.
        status: of the step.
        as_predicted: whether validation losses came at most a little worse than predicted, and the named ones not
            much better either; None unless the step was taken.
        far_off: whether any training or validation loss came worse than predicted by more than half of the largest
            predicted change; None unless the step was taken.
        wrong_way: whether a named TEST loss rose by more than its standard error; None unless the step was taken.
        miss: how far the named TEST losses are from the request beyond their standard errors, over the request; NaN
            unless the step was taken.
        dominated: whether some fine-tuning for the same time is better on TEST data; None where there was none.
        outdone: whether the control is; None where there was none.
        reached: whether fine-tuning came in ten times the time to what was refused; None where it was not tried.
        epochs: that the step took.
        examples: in the training data.
    """

    case: str
    seed: int
    origin: str
    wish: str
    amount: float
    status: str
    as_predicted: bool | None
    far_off: bool | None
    wrong_way: bool | None
    miss: float
    dominated: bool | None
    outdone: bool | None
    reached: bool | None
    epochs: float
    examples: int

    @property
    def taken(self) -> bool:
        """Whether the step was taken, all of it or a part."""
        return self.status in TAKEN

    @property
    def true(self) -> bool:
        """Whether the wish was met, or not, or not all of it, where fine-tuning does not reach it either."""
        return self.accepted or (
            self.status in ("shortened", "rejected", "refused") and self.reached is False
        )

    @property
    def accepted(self) -> bool:
        """Whether all of it was."""
        return self.status == "accepted"


def verdicts(rows: pd.DataFrame) -> list[Verdict]:
    """One for each step among the rows."""
    made = []
    for _, group in rows.groupby(["case", "seed", "origin", "wish", "amount"], sort=False):
        steps = group[group["method"] == "step"]
        if len(steps):
            made.append(_verdict(steps.iloc[0].to_dict(), group))
    return made


def after_training_on(made: list[Verdict], rows: pd.DataFrame) -> list[Verdict]:
    """The verdicts that are to be compared with fine-tuning, each wish once.

    Where the library says that training on pays, and the control agrees, these are from the model after it; of all
    others from the model as it was brought.
    """
    further = {(v.case, v.seed) for v in made if v.origin == FURTHER}
    agreed = {of for of in further if control_gains(rows, *of)}
    return [v for v in made if v.origin == (FURTHER if (v.case, v.seed) in agreed else BROUGHT)]


def control_gains(rows: pd.DataFrame, case: str, seed: int) -> bool:
    """Whether training on at the same weights lowers the TEST losses, on average over them; False without a control.

    The time is the median of those that steps took.
    """
    of = rows["case"].eq(case) & rows["seed"].eq(seed) & rows["origin"].eq(BROUGHT)
    gains = [numbers(test).mean() for test in rows[of & rows["method"].eq("control")]["test"]]
    return bool(gains) and float(np.median(gains)) < 0


def as_predicted(
    predicted: Array, achieved: Array, errors: Array, named: Array, part: float = ALLOWED
) -> bool:
    """Whether no loss came worse than predicted by more than is allowed, and the named ones not better either.

    Allowed are a part of the largest predicted change, and two standard errors.

    Args:
        predicted: [m], relative changes.
        achieved: [m].
        errors: [m], standard errors of ``achieved``; 0 where there is none.
        named: [k], places of the losses that the wish names.
        part: of the largest predicted change.
    """
    allowed = np.maximum(part * np.abs(predicted).max(), 2 * np.nan_to_num(errors))
    off = achieved - predicted
    return bool((off <= allowed).all() and (np.abs(off) <= allowed)[named].all())


def far_off(predicted: Array, achieved: Array, errors: Array) -> bool:
    """Whether a loss came worse than predicted by more than half of the largest predicted change, and two errors."""
    allowed = np.maximum(FAR * np.abs(predicted).max(), 2 * np.nan_to_num(errors))
    return bool((achieved - predicted > allowed).any())


def miss(requested: Array, achieved: Array, errors: Array) -> float:
    """How far achieved changes of the named losses are from those requested, beyond their standard errors."""
    beyond = np.maximum(np.abs(achieved - requested) - np.nan_to_num(errors), 0)
    return float(np.linalg.norm(beyond) / np.linalg.norm(requested))


def dominates(difference: Array, errors: Array) -> bool:
    """Whether an outcome that differs so from another is nowhere worse, and somewhere better by more than its error.

    Args:
        difference: [m], negative where it is better.
        errors: [m], standard errors of the difference.
    """
    return bool((difference <= 0).all() and (difference < -np.nan_to_num(errors)).any())


def _verdict(step: Mapping[Any, Any], group: pd.DataFrame) -> Verdict:
    named = numbers(step["named"]).astype(int)
    expected, off, wrong, missed = None, None, None, float("nan")
    if step["status"] in TAKEN:
        train, validation, test = (numbers(step[split]) for split in ("train", "validation", "test"))
        promised = _promised(step, "train"), _promised(step, "validation")
        errors, noise = numbers(step["± validation"]), numbers(step["± test"])
        expected = as_predicted(promised[1], validation, errors, named)
        off = far_off(promised[0], train, np.zeros_like(train)) or far_off(promised[1], validation, errors)
        wrong = bool((test > noise)[named].any())
        missed = miss(numbers(step["requested"]), test[named], noise[named])
    tried = group[group["method"] == "reach"]["status"]
    return Verdict(
        case=str(step["case"]),
        seed=int(step["seed"]),
        origin=str(step["origin"]),
        wish=str(step["wish"]),
        amount=float(step["amount"]),
        status=str(step["status"]),
        as_predicted=expected,
        far_off=off,
        wrong_way=wrong,
        miss=missed,
        dominated=_any(_over(group, _TUNED)),
        outdone=_any(_over(group, ("control",))),
        reached=None if tried.empty else bool((tried == "reached").any()),
        epochs=float(step["epochs"]),
        examples=int(step["examples"]),
    )


def _promised(step: Mapping[Any, Any], split: str) -> Array:
    """What was said before the step; of one that was shortened, what was said of the part that was taken."""
    words = ("previewed", "predicted") if step["status"] == "accepted" else ("predicted", "previewed")
    return next(found for word in words if (found := numbers(step[f"{word} {split}"])).size)


def _over(group: pd.DataFrame, methods: tuple[str, ...]) -> Iterator[bool]:
    """Of each fine-tuning, whether it dominates the step on TEST data."""
    for _, row in group[group["method"].str.startswith(methods)].iterrows():
        yield dominates(numbers(row["over step"]), numbers(row["± over step"]))


def _any(found: Iterator[bool]) -> bool | None:
    all_of_them = list(found)
    return any(all_of_them) if all_of_them else None
