"""What was measured, by name: the values at a point, and how they have changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from paretonav.objectives import Losses
from paretonav.steering.changes import Changes, Estimates
from paretonav.steering.outcome import Outcome


class Read(NamedTuple):
    """What was read of the data at some parameters.

    Attributes:
        train: the training losses, or None if they were not read.
        held_out: the validation losses and metrics, or None if there are none, or they were not read.
    """

    train: Losses | None
    held_out: Losses | None


def values_of(names: Sequence[str], read: Read) -> Outcome[Estimates]:
    """The values at a point, with the standard errors that they have as means over batches."""
    shown = read.held_out or read.train
    return Outcome(
        train=_values(names, read.train),
        validation=_values(names, read.held_out),
        metrics=Estimates()
        if shown is None
        else Estimates.of(
            shown.metric_names,
            shown.fractions @ shown.metric_batches if shown.metric_names else shown.fractions[:0],
            shown.metric_standard_error(),
            len(shown.fractions),
        ),
        split="train" if read.held_out is None else "validation",
    )


def changes_between(names: Sequence[str], before: Read, after: Read) -> Outcome[Changes]:
    """How the values have changed; empty what was not read at both places."""
    shown = (before.train, after.train) if before.held_out is None else (before.held_out, after.held_out)
    metrics = Changes()
    if shown[0] is not None and shown[1] is not None:
        then, now = shown[0], shown[1]
        metrics = Changes.of(now.metric_names, *now.metric_change_from(then), len(now.fractions))
    return Outcome(
        train=_changes(names, before.train, after.train),
        validation=_changes(names, before.held_out, after.held_out),
        metrics=metrics,
        split="train" if before.held_out is None else "validation",
    )


def _values(names: Sequence[str], losses: Losses | None) -> Estimates:
    if losses is None:
        return Estimates()
    return Estimates.of(names, losses.mean, losses.standard_error(), len(losses.fractions))


def _changes(names: Sequence[str], before: Losses | None, after: Losses | None) -> Changes:
    if before is None or after is None:
        return Changes()
    return Changes.of(names, *after.change_from(before), len(after.fractions))
