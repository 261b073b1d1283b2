"""How what came of a step compares with what was predicted, in a word for each loss and metric."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Protocol

from paretonav.steering.changes import Changes, Estimates
from paretonav.steering.outcome import Outcome, Part
from paretonav.steering.reporting.point import StepStatus

_OFF = 0.1  # of the largest change: a difference between prediction and outcome that is worth a word
_SURE = 2.0  # standard errors, likewise


class Verdict(StrEnum):
    """How an outcome compares with its prediction."""

    AS_PREDICTED = "as predicted"
    NEARLY = "nearly as predicted"  # worse, but not by more than a step is allowed
    BETTER = "better than predicted"
    WORSE = "worse than predicted"  # by more than a step is allowed
    OTHER = "other than predicted"  # what was asked for was overshot, or nobody knows which way is better
    NOISE = "noise"
    TAKEN_BACK = "taken back"  # nothing is left to compare


class Told(Protocol):
    """What is judged: a step, or the record of one."""

    @property
    def status(self) -> StepStatus | None:
        """How it ended."""

    @property
    def predicted(self) -> Outcome[Changes]:
        """What it was to do."""

    @property
    def achieved(self) -> Outcome[Changes]:
        """What it did."""

    @property
    def missed(self) -> tuple[tuple[str, Part], ...]:
        """What did not pass the test of steps."""


def judged(
    step: Told, before: Outcome[Estimates], senses: Mapping[str, float]
) -> Outcome[dict[str, Verdict]]:
    """Name -> verdict, on each part of the data; none on what was not measured, unless it was taken back.

    Args:
        step: taken back or not.
        before: the values where it began.
        senses: of all that can be asked for, 1 where lower is better, -1 where higher is, 0 where nobody has said.
    """

    def of(part: Part) -> dict[str, Verdict]:
        if step.status is StepStatus.REJECTED:
            return dict.fromkeys(before.part(part), Verdict.TAKEN_BACK)
        missed = [name for name, where in step.missed if where == part]
        return verdicts(
            before.part(part), step.predicted.part(part), step.achieved.part(part), senses, missed
        )

    return Outcome(of("train"), of("validation"), of("metrics"), before.split)


def verdicts(
    before: Mapping[str, float],
    predicted: Changes,
    achieved: Changes,
    senses: Mapping[str, float],
    missed: Collection[str],
) -> dict[str, Verdict]:
    """Name -> verdict on the outcome of a step that was kept, for quantities of one kind.

    The test by which steps are kept (``acceptance.broken``) decides what is worse, and nothing else does.

    Args:
        before: the values where the step began.
        predicted: their changes as predicted.
        achieved: as they came.
        senses: 1 where lower is better, -1 where higher is, 0 where nobody has said.
        missed: the names that did not pass the test.
    """
    sizes = {name: abs(before[name]) or 1.0 for name in predicted}
    largest = max((abs(change) / sizes[name] for name, change in predicted.items()), default=0.0)
    errors = achieved.standard_errors

    def verdict(name: str) -> Verdict:
        off, sense = achieved[name] - predicted[name], senses[name]
        if name in missed:
            return Verdict.WORSE if sense * off > 0 else Verdict.OTHER
        if achieved.is_noise(name):
            return Verdict.NOISE
        if abs(off) <= max(_OFF * largest * sizes[name], _SURE * errors.get(name, 0.0)):
            return Verdict.AS_PREDICTED
        if not sense:
            return Verdict.OTHER
        return Verdict.BETTER if sense * off < 0 else Verdict.NEARLY

    return {name: verdict(name) for name in achieved if name in predicted}
