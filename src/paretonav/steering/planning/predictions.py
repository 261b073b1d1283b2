"""What a plan predicts, by name: numbers in the order of the model become values as people read them."""

from __future__ import annotations

from paretonav.geometry import FrontModel
from paretonav.steering.changes import Changes
from paretonav.steering.outcome import Outcome
from paretonav.steering.planning.plan import Plan


def predictions(front: FrontModel, plan: Plan) -> Outcome[Changes]:
    """A plan's predictions by name, with their standard errors."""
    train, validation = (
        0 if response is None else len(response.fractions)
        for response in (front.response_by_batch, front.validation_response_by_batch)
    )
    made, errors = plan.predicted, plan.errors
    names = front.names if len(made.validation) else ()
    return Outcome(
        train=Changes.of(front.names, made.train, errors.train, train),
        validation=Changes.of(names, made.validation, errors.validation if names else None, validation),
        metrics=Changes.of(front.metric_names, made.metrics, errors.metrics, validation or train),
        split=made.split,
    )
