"""All points as one JSON document, for other programs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from paretonav.session.record import Record
from paretonav.session.table import preference_text
from paretonav.steering import Estimates
from paretonav.steering.outcome import Outcome

VERSION = 1  # of the form of the listing, for programs that read it


def listing(
    records: Sequence[Record], current: int | None, higher_is_better: Mapping[str, bool], title: str = ""
) -> str:
    """Strict JSON; see ``Session.to_json``."""
    first = records[0] if records else None
    document = {
        "format": "paretonav session",
        "version": VERSION,
        "title": title,
        "objectives": [] if first is None else list(first.losses),
        "metrics": [] if first is None else list(first.metrics),
        "higher_is_better": dict(higher_is_better),
        "current": current,
    }
    # A point per line: as easy to search as an indented document, and written ten times as fast.
    points = ",\n".join(_dump(_entry(record)) for record in records)
    return f'{_dump(document)[:-1]}, "points": [\n{points}\n]}}\n'


def _dump(value: Any) -> str:
    return json.dumps(_strict(value), allow_nan=False, ensure_ascii=False)


def _entry(record: Record) -> dict[str, Any]:
    return {
        "id": record.id,
        "parent": record.parent,
        "made": record.made.isoformat(),
        "name": record.name,
        "note": record.note,
        "star": record.star,
        "preference": preference_text(record),
        "amount": record.amount,
        "on": record.on,
        "status": None if record.status is None else record.status.value,
        "reason": record.reason,
        "values": _outcome(record.values),
        "weights": record.weights,
        "joint_gain": record.joint_gain,
        "residual": record.residual,
        "pull": record.pull,
        "requested": record.requested.shown,
        "predicted": _outcome(record.predicted),
        "achieved": _outcome(record.achieved),
        "cost": {
            "seconds": record.cost.seconds,
            "gradient_passes": record.cost.gradient_passes,
            "hessian_products": record.cost.hessian_products,
        },
    }


def _outcome(outcome: Outcome[Any]) -> dict[str, Any]:
    return {name: _estimates(getattr(outcome, name)) for name in ("train", "validation", "metrics")}


def _estimates(estimates: Estimates) -> dict[str, Any]:
    return {name: {"value": x, "standard_error": estimates.error(name)} for name, x in estimates.items()}


def _strict(value: Any) -> Any:
    """JSON has no numbers that are infinite or not a number: null stands for them."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _strict(entry) for key, entry in value.items()}
    return [_strict(entry) for entry in value] if isinstance(value, list) else value
