"""Whether a predicted gain is more than the noise of the validation data.

These are few as a rule, so what is a gain on them may be chance, which no step could make come true.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from paretonav.geometry import FrontModel
from paretonav.text import printable

if TYPE_CHECKING:
    from paretonav.steering.planning.plan import Plan

_NOISE = 2.0  # standard errors, within which a gain may be none: the usual 95 %


def doubt(front: FrontModel, plan: Plan) -> str:
    """Why a gain that is predicted on validation data should not be promised, in words; empty if nothing is against it.

    A gain within twice its standard error may be real or chance, as validation data are few. The training data are many
    more, so they decide: where the gain is two standard errors, the same loss must not rise there by more than half of
    the gain; where it is one, it must not rise at all. Both count in parts of the loss on their data, since what a
    model has learnt by heart has next to no training loss to rise from. (Where it has overfitted, training losses do
    rise, by less.) Along a front the question does not arise: there every way is a trade of the training losses.
    """
    predicted, errors = plan.predicted.validation, plan.errors.validation
    if front.anchor is None or front.asked != "validation" or not len(predicted) or not len(errors):
        return ""
    for i in plan.wish.improved:
        if i >= front.m:
            continue
        size = front.sizes_of(front.asked_losses)[i]
        gain, error = -float(predicted[i] / size), float(errors[i] / size)
        rise = float(plan.predicted.train[i] / front.sizes_of(front.losses)[i])
        if 0 < gain <= _NOISE * error and rise > 0.5 * (gain / error - 1) * gain:
            return (
                f"on validation data {printable(front.names[i])} would gain {100 * gain:.2g} %, with a standard "
                f"error of {100 * error:.2g} %, and on training data it would lose"
            )
    return ""
