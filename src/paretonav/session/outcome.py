"""What a step was to do and did, on each part of the data: the same for all who show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from paretonav.session.record import Record
from paretonav.steering import Changes, Point, Step, StepStatus
from paretonav.steering.reporting.verdict import Verdict, verdicts


@dataclass(frozen=True, eq=False)
class Outcome:
    """Of the losses on one part of the data, or of the metrics.

    Attributes:
        split: "training", "validation", or "" for metrics.
        before: name -> value where the step began.
        requested: name -> the change asked for; empty for losses on data on which nothing was asked.
        predicted: the changes as predicted.
        achieved: as they came; empty where they were not measured, as of some steps that were taken back.
        verdicts: name -> how these compare; empty where nothing was measured.
        senses: name -> 1 where lower is better, -1 where higher is, 0 where nobody has said.
    """

    split: str
    before: Mapping[str, float]
    requested: Mapping[str, float]
    predicted: Changes
    achieved: Changes
    verdicts: dict[str, Verdict]
    senses: Mapping[str, float]


def outcomes(step: Step | Record, before: Point) -> list[Outcome]:
    """The losses on the data on which they were asked for first, then those on the others, then the metrics.

    Args:
        step: taken back or not.
        before: where it began.
    """
    front = before.front
    asked = "validation" if step.on == "validation" else "training"
    sides = dict(zip(front.metric_names, front.metric_orientation.tolist(), strict=True))
    parts = [
        ("training", before.losses, step.predicted, step.achieved),
        ("validation", before.validation, step.predicted_validation, step.achieved_validation),
        ("", before.metrics, step.predicted_metrics, step.achieved_metrics),
    ]
    order = {asked: 0, "": 2}
    parts.sort(key=lambda part: order.get(part[0], 1))
    found = []
    for split, values, predicted, achieved in parts:
        if not values or predicted is None:
            continue
        senses = dict.fromkeys(values, 1.0) if split else sides
        requested = {name: x for name, x in step.requested.items() if name in values}
        found.append(
            Outcome(
                split=split,
                before=values,
                requested=requested if split in (asked, "") else {},
                predicted=predicted,
                achieved=achieved or Changes({}),
                verdicts=_verdicts(step, split, values, predicted, achieved, senses),
                senses=senses,
            )
        )
    return found


def _verdicts(
    step: Step | Record,
    split: str,
    values: Mapping[str, float],
    predicted: Changes,
    achieved: Changes | None,
    senses: Mapping[str, float],
) -> dict[str, Verdict]:
    if step.status is StepStatus.REJECTED:
        return dict.fromkeys(values, Verdict.TAKEN_BACK)
    if not achieved:
        return {}
    missed = [name for name, where in step.missed if where == split]
    return verdicts(values, predicted, achieved, senses, missed)
