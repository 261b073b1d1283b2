"""What further training would bring, measured by a short one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from torch import Tensor

from paretonav.objectives import Cost, Problem, Split
from paretonav.steering.changes import Changes
from paretonav.steering.stepping.train_on import CLEAR, WORTH, Trained, TrainOn, change_error, pays
from paretonav.text import listed, printable

FIRST_ROUNDS = TrainOn(rounds=2)
"""The descent that is made where none is asked for: what ``start(train_on=True)`` begins with."""


@dataclass(frozen=True, eq=False)
class TrainingGain:
    """By how much more training at the same weights changes the losses of a model that stays as it is.

    It is what ``start(train_on=...)`` would keep: the end of the last round that gained; where none did, all changes
    are zero.

    Attributes:
        changes: name -> change of the loss, negative is better, with paired standard errors.
        before: name -> the loss without it.
        on: the data that this was measured on: "validation", or "train" where there are none, which says
            nothing of unseen data.
        epochs: after which the losses are these; 0 if none is better.
        tried: the epochs that were run.
        total: the change of the weighted sum, zero or negative.
        total_error: its standard error, from the batches, in which the losses vary together; None with fewer than four.
        total_before: the weighted sum without training on.
        cost: of measuring.
    """

    changes: Changes
    before: dict[str, float]
    on: Split
    epochs: int
    tried: int
    total: float
    total_error: float | None
    total_before: float
    cost: Cost

    @classmethod
    def of(cls, problem: Problem, weights: Tensor, trained: Trained, cost: Cost) -> Self:
        """From a training at ``weights`` [m]."""
        before, after = trained.before, trained.losses
        return cls(
            changes=Changes.of(problem.names, *after.change_from(before), len(after.fractions)),
            before=dict(zip(problem.names, before.mean.tolist(), strict=True)),
            on=trained.on,
            epochs=trained.kept,
            tried=trained.epochs,
            total=trained.sum - trained.sum_before,
            total_error=change_error(before, after, weights),
            total_before=trained.sum_before,
            cost=cost,
        )

    @property
    def pays(self) -> bool | None:
        """Whether the weighted sum falls by more than 2 standard errors and 0.5 % of it; None without errors."""
        return pays(self.total, self.total_error, self.total_before)

    @property
    def words(self) -> str:
        """All of it in a sentence."""
        data = "validation data" if self.on == "validation" else "training data, without any for validation"
        ran = f"{self.tried} epoch{'' if self.tried == 1 else 's'}"
        if self.epochs == 0:
            return f"training on lowers nothing on {data}; {ran} tried"
        ran = f"{self.epochs} epoch{'' if self.epochs == 1 else 's'}"
        moved = {
            verb: [name for name, change in self.changes.items() if sign * change > 0]
            for verb, sign in (("lowers", -1), ("raises", 1))
        }
        told = listed(
            f"{verb} {listed(f'{printable(name)} by {self._amount(name)}' for name in names)}"
            for verb, names in moved.items()
            if names
        )
        return f"training on for {ran} {told} on {data}; {self._verdict}"

    def __str__(self) -> str:
        return self.words

    @property
    def _verdict(self) -> str:
        if self.total_error is None:
            return "whether it pays is unknown: that takes 32 examples in four batches"
        if self.pays:
            return "it pays"
        if -self.total <= CLEAR * self.total_error:
            return "as a whole that is within its noise"
        return f"as a whole that is less than {100 * WORTH:.2g} %"

    def _amount(self, name: str) -> str:
        """``1.2 % ± 0.3 %``, of the loss before; as they are where that is zero."""
        size = abs(self.before[name])
        error = self.changes.error(name)
        numbers = [abs(self.changes[name]), *([] if error is None else [error])]
        return " ± ".join(f"{100 * x / size:.2g} %" if size else f"{x:.2g}" for x in numbers)
