"""All visited points as columns, which are short to send and quick to draw."""

from __future__ import annotations

from collections.abc import Iterable

from paretonav.cockpit.plain import rounded
from paretonav.session import Record, Session
from paretonav.session.naming import LONGEST_NAME
from paretonav.steering.preferences.wording import describe
from paretonav.text import printable


def columns(session: Session, version: int) -> dict[str, object]:
    """Of every point, in the order of their ids, what plots and tables of points show."""
    records = session.records
    efficient = {record.id for record in session.non_dominated()}
    validated = bool(records) and bool(records[0].validation)
    return {
        "version": version,
        "parent": [r.parent for r in records],
        "star": [r.star for r in records],
        "name": [printable(r.name)[:LONGEST_NAME] for r in records],
        "note": [r.note for r in records],
        "asked": [_asked(r) for r in records],
        "status": ["" if r.status is None else str(r.status) for r in records],
        "reason": [r.reason for r in records],
        "made": [r.made.isoformat(timespec="seconds") for r in records],
        "seconds": rounded(r.cost.seconds for r in records),
        "efficient": [r.id in efficient for r in records],
        "train": [_column(r.losses[name] for r in records) for name in session.names],
        "validation": [_column(r.validation.get(name) for r in records) for name in session.names]
        if validated
        else None,
        "metrics": [_column(r.metrics.get(name) for r in records) for name in session.metric_names],
        "weights": [_column(r.weights[name] for r in records) for name in session.names],
    }


def _asked(record: Record) -> str:
    if record.preference is None or record.amount is None:
        return "start" if record.parent is None else ""
    return describe(record.preference, record.amount)


def _column(values: Iterable[float | None]) -> list[float | None]:
    return rounded(values)
