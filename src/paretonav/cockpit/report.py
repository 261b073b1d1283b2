"""What became of a step, as a view shows it."""

from __future__ import annotations

from collections.abc import Iterator

from paretonav.cockpit.plain import plain
from paretonav.session import Comparison, Record, Session
from paretonav.session.compare import measured
from paretonav.session.outcome import outcomes
from paretonav.steering import Changes, Point, Step, StepStatus
from paretonav.steering.preferences.wording import describe

Json = dict[str, object]


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
    for part in outcomes(told, before):
        achieved = part.achieved
        for name, value in part.before.items():
            side = part.senses[name]
            yield {
                "name": name,
                "kind": "loss" if part.split else "metric",
                "split": part.split,
                "better": "lower" if side > 0 else "higher" if side < 0 else None,
                "before": plain(value),
                "requested": plain(part.requested.get(name)),
                "predicted": plain(part.predicted[name]),
                "predicted_error": _error(part.predicted, name),
                "achieved": plain(achieved[name]) if achieved else None,
                "achieved_error": _error(achieved, name) if achieved else None,
                "noise": bool(achieved) and achieved.is_noise(name),
                "verdict": str(part.verdicts.get(name, "")),
            }


def _error(changes: Changes, name: str) -> float | None:
    return plain(None if changes.standard_errors is None else changes.standard_errors[name])


def comparison(compared: Comparison) -> Json:
    """Points side by side with the first of them."""
    first, *others = compared.records
    rows: list[Json] = []
    for split, values in measured(first).items():
        for name, value in values.items():
            found = [d for d in compared if d.split == split and d.name == name]
            up = compared.higher_is_better.get(name) if split == "metric" else False
            rows.append(
                {
                    "name": name,
                    "kind": "metric" if split == "metric" else "loss",
                    "split": {"train": "training", "validation": "validation"}.get(split, ""),
                    "better": None if up is None else "higher" if up else "lower",
                    "values": [plain(value), *(plain(d.value) for d in found)],
                    "changes": [None, *(plain(d.change) for d in found)],
                    "errors": [None, *(plain(d.standard_error) for d in found)],
                    "noise": [False, *(d.noise for d in found)],
                }
            )
    return {"points": [first.id, *(record.id for record in others)], "rows": rows}
