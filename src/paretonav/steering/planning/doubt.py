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
# What the loss may rise by on training data, in gains, where the gain is two standard errors. Chosen by the zoo, where
# steps beyond them went the wrong way on test data.
_RISE = 0.5  # by value
_PART = 2.0  # in parts of the loss


def doubt(front: FrontModel, plan: Plan) -> str:
    """Why a gain that is predicted on validation data should not be promised, in words; empty if nothing is against it.

    A gain within twice its standard error may be real or chance, as validation data are few. The training data are many
    more, so they decide: where the gain is two standard errors, the same loss must not rise there by more than half of
    the gain; where it is one, it must not rise at all. (Where a model has overfitted, training losses do rise, by
    less.) What it has learnt by heart has next to no training loss to rise from, so there is a second such limit in
    parts of the loss, twice the gain. Along a front the question does not arise: there every way is a trade of the
    training losses.
    """
    predicted, errors = plan.predicted.validation, plan.errors.validation
    if front.anchor is None or front.asked != "validation" or not len(predicted) or not len(errors):
        return ""
    for i in plan.wish.improved:
        if i >= front.m:
            continue
        size, train_size = (front.sizes_of(of)[i] for of in (front.asked_losses, front.losses))
        gain, error = -float(predicted[i] / size), float(errors[i] / size)
        rise = float(plan.predicted.train[i])
        if (
            0 < gain <= _NOISE * error
            and max(rise / size / _RISE, rise / train_size / _PART) > (gain / error - 1) * gain
        ):
            return (
                f"on validation data {printable(front.names[i])} would gain {100 * gain:.2g} %, with a standard "
                f"error of {100 * error:.2g} %, and on training data it would lose"
            )
    return ""
