"""A plan's predictions by name."""

from __future__ import annotations

from paretonav.geometry import FrontModel
from paretonav.steering.changes import Changes
from paretonav.steering.outcome import Outcome
from paretonav.steering.planning.plan import Plan


def predictions(front: FrontModel, plan: Plan) -> Outcome[Changes]:
    """A plan's predictions by name, with their standard errors."""
    seen, held_out = (0 if r is None else len(r.fractions) for r in (front.seen, front.held_out))
    made, errors = plan.predicted, plan.errors
    names = front.names if len(made.validation) else ()
    return Outcome(
        train=Changes.of(front.names, made.train, errors.train, seen),
        validation=Changes.of(names, made.validation, errors.validation if names else None, held_out),
        metrics=Changes.of(front.metric_names, made.metrics, errors.metrics, held_out or seen),
        split=made.split,
    )
