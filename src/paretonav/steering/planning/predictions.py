"""A plan's predictions by name."""

from __future__ import annotations

from typing import TypedDict

from paretonav.geometry import FrontModel
from paretonav.steering.changes import Changes
from paretonav.steering.planning.plan import Plan


class Predictions(TypedDict):
    """Fields that previews and steps have in common."""

    predicted: Changes
    predicted_validation: Changes | None
    predicted_metrics: Changes


def predictions(front: FrontModel, plan: Plan) -> Predictions:
    """A plan's predictions by name, with their standard errors."""
    train, validation, metrics = plan.errors
    held_out = plan.predicted_validation
    seen_in, held_out_in = (0 if r is None else len(r.fractions) for r in (front.seen, front.held_out))
    return {
        "predicted": Changes.of(front.names, plan.predicted, train, seen_in),
        "predicted_validation": None
        if held_out is None
        else Changes.of(front.names, held_out, validation, held_out_in),
        "predicted_metrics": Changes.of(
            front.metric_names, plan.predicted_metrics, metrics, held_out_in or seen_in
        ),
    }
