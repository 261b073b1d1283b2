"""What became of a step, as a view shows it."""

from __future__ import annotations

from collections.abc import Iterator

from paretonav.cockpit.plain import plain
from paretonav.session import Comparison, Record, Session
from paretonav.steering import Point, Step, StepStatus
from paretonav.steering.outcome import Part
from paretonav.steering.preferences.wording import describe
from paretonav.steering.reporting.verdict import judged

Json = dict[str, object]

SIDES = {1.0: "lower", -1.0: "higher", 0.0: None}
_KINDS: dict[Part, str] = {"train": "loss", "validation": "loss", "metrics": "metric"}
_SPLITS: dict[Part, str] = {"train": "training", "validation": "validation", "metrics": ""}


def step_report(session: Session, record: Record, here: Point, step: Step | None) -> Json | None:
    """The step that led to a point, or the one after it that was taken back; None at the first point.

    Args:
        session: of the point.
        record: of the point.
        here: the point.
        step: the last one, if it was made while this view's navigator was there.
    """
    told: Step | Record = record if step is None else step
    if told.preference is None or told.amount is None:
        return None
    rejected = told.status is StepStatus.REJECTED
    before = here if rejected else None if here.parent is None else session.point(here.parent)
    if before is None:
        return None
    return {
        "from": before.id,
        "to": None if rejected else here.id,
        "asked": describe(told.preference, told.amount),
        "status": "" if told.status is None else str(told.status),
        "reason": told.reason,
        "seconds": plain(told.cost.seconds),
        "gradient_passes": plain(told.cost.gradient_passes),
        "hessian_products": told.cost.hessian_products,
        "words": [] if step is None else [step.explain()],
        "rows": list(_rows(told, before)),
    }


def _rows(told: Step | Record, before: Point) -> Iterator[Json]:
    senses = before.front.senses
    found = judged(told, before.values, senses)
    for part, predicted in told.predicted.parts(told.requested.split):
        requested, achieved = told.requested.part(part), told.achieved.part(part)
        for name, value in before.values.part(part).items():
            yield {
                "name": name,
                "kind": _KINDS[part],
                "split": _SPLITS[part],
                "better": SIDES[senses[name]],
                "before": plain(value),
                "requested": plain(requested.get(name)),
                "predicted": plain(predicted[name]),
                "predicted_error": plain(predicted.error(name)),
                "achieved": plain(achieved.get(name)),
                "achieved_error": plain(achieved.error(name)),
                "noise": name in achieved and achieved.is_noise(name),
                "verdict": str(found.part(part).get(name, "")),
            }


def comparison(compared: Comparison) -> Json:
    """Points side by side with the first of them."""
    first, *others = compared.records
    rows: list[Json] = []
    for part, values in first.values.parts():
        for name, value in values.items():
            found = [d for d in compared if d.split == part and d.name == name]
            up = compared.higher_is_better.get(name) if part == "metrics" else False
            rows.append(
                {
                    "name": name,
                    "kind": _KINDS[part],
                    "split": _SPLITS[part],
                    "better": None if up is None else "higher" if up else "lower",
                    "values": [plain(value), *(plain(d.value) for d in found)],
                    "changes": [None, *(plain(d.change) for d in found)],
                    "errors": [None, *(plain(d.standard_error) for d in found)],
                    "noise": [False, *(d.noise for d in found)],
                }
            )
    return {"points": [first.id, *(record.id for record in others)], "rows": rows}
