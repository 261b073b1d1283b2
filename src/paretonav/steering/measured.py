"""What was measured at some parameters: the losses and metrics batch by batch, by name, and how they have changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from paretonav.objectives import Losses
from paretonav.objectives.problem import Split
from paretonav.steering.changes import Changes, Estimates
from paretonav.steering.outcome import Outcome


@dataclass(frozen=True, eq=False)
class Measured:
    """The losses and metrics at some parameters, batch by batch, so that their changes have standard errors.

    Attributes:
        train: the training losses, or None if they were not measured.
        validation: the validation losses and metrics, or None if there are none, or they were not measured.
    """

    train: Losses | None
    validation: Losses | None = None

    @classmethod
    def on(cls, split: Split, losses: Losses) -> Measured:
        """Of what was measured on one split alone."""
        return cls(None, losses) if split == "validation" else cls(losses, None)

    @property
    def split(self) -> Split:
        """The data whose losses people look at: validation data where there are any."""
        return "train" if self.validation is None else "validation"

    @property
    def shown(self) -> Losses:
        """What people look at: the losses on ``split``, and the metrics, which are measured there."""
        shown = self.validation or self.train
        if shown is None:
            raise AssertionError("nothing was measured")
        return shown

    def of(self, split: Split) -> Losses | None:
        """The losses on a split, if they were measured."""
        return self.validation if split == "validation" else self.train


def values_of(names: Sequence[str], measured: Measured) -> Outcome[Estimates]:
    """The values at a point, with the standard errors that they have as means over batches."""
    shown = measured.shown
    return Outcome(
        train=_values(names, measured.train),
        validation=_values(names, measured.validation),
        metrics=Estimates.of(
            shown.metric_names,
            shown.fractions @ shown.metric_batches if shown.metric_names else shown.fractions[:0],
            shown.metric_standard_error(),
            len(shown.fractions),
        ),
        split=measured.split,
    )


def changes_between(names: Sequence[str], before: Measured, after: Measured) -> Outcome[Changes]:
    """How the values have changed; empty what was not measured at both places."""
    then, now = before.of(before.split), after.of(before.split)
    metrics = Changes()
    if then is not None and now is not None:
        metrics = Changes.of(now.metric_names, *now.metric_change_from(then), len(now.fractions))
    return Outcome(
        train=_changes(names, before.train, after.train),
        validation=_changes(names, before.validation, after.validation),
        metrics=metrics,
        split=before.split,
    )


def _values(names: Sequence[str], losses: Losses | None) -> Estimates:
    if losses is None:
        return Estimates()
    return Estimates.of(names, losses.mean, losses.standard_error(), len(losses.fractions))


def _changes(names: Sequence[str], before: Losses | None, after: Losses | None) -> Changes:
    if before is None or after is None:
        return Changes()
    return Changes.of(names, *after.change_from(before), len(after.fractions))
