"""From the end of a leg to the point where the next one begins."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from paretonav.geometry import Geometry, Tangent, anchored_tangent, measure_front, tangent_at
from paretonav.geometry.anchored import PULLS
from paretonav.objectives import Losses, Problem
from paretonav.steering.preferences import Wish
from paretonav.steering.stepping.correctors import Correction
from paretonav.steering.stepping.place import Place

# By what the pull is multiplied where a leg did not come true, and where it came true by a wide margin. Quickly up and
# slowly down, as the damping of Levenberg and Marquardt; the factors were chosen, not measured.
_STRONGER, _WEAKER = 10.0, 10**-0.5


def tangent_after(
    problem: Problem, correction: Correction, tangent: Tangent, geometry: Geometry, *, weaker: bool = False
) -> Tangent:
    """The tangent at the end of a leg that began with ``tangent``; a model that is held is held anew there.

    Args:
        problem: what is steered.
        correction: where the leg has ended.
        tangent: where it began.
        geometry: how it is measured.
        weaker: whether the pull may be lowered, as the leg came true by far; as in Levenberg and Marquardt's method.
    """
    if correction.tangent is not None:
        return correction.tangent
    if tangent.anchor is None:
        return tangent_at(problem, correction.theta, correction.weights, geometry, nearby=tangent)
    pull = max(PULLS[-1], tangent.anchor.part * (_WEAKER if weaker else 1.0))
    return anchored_tangent(
        problem, correction.theta, geometry, pull=pull, evaluated=correction.evaluated, nearby=tangent
    )


def held_stronger(problem: Problem, tangent: Tangent, geometry: Geometry) -> Tangent | None:
    """The tangent at the same point with a stronger pull, after a leg that did not come true; None if there is none."""
    if tangent.anchor is None or tangent.anchor.part >= PULLS[0]:
        return None
    return anchored_tangent(
        problem,
        tangent.theta,
        geometry,
        pull=min(PULLS[0], _STRONGER * tangent.anchor.part),
        evaluated=(tangent.losses, tangent.jacobian),
        nearby=tangent,
    )


def place_on_the_way(
    problem: Problem, before: Place, tangent: Tangent, wish: Wish, known: Losses | None = None
) -> Place:
    """The place between two legs, with a model of the front there in terms of ``tangent``.

    What is shown on validation data is measured only where the wish is about it: that takes most of the passes.

    Args:
        problem: what is steered.
        before: a place on the same walk, whose trust holds here, too.
        tangent: at the new place.
        wish: of the walk.
        known: the losses there, on the data on which they are asked for, if they are known.
    """
    asked = before.front.asked
    mentioned = np.concatenate([wish.named, wish.limited])
    front = measure_front(
        problem,
        tangent,
        before.trust.geometry,
        measure=asked == "validation" or bool((mentioned >= before.front.m).any()),
        known=known if asked == "validation" else None,
    )
    return Place(replace(front, asked=asked), tangent, before.trust)


def with_train_losses(problem: Problem, correction: Correction) -> Correction:
    """The end of a leg with the training losses there, and with their Jacobian, where the next tangent begins."""
    if correction.losses is not None:
        return correction
    losses, jacobian = problem.jacobian(correction.theta)
    return replace(correction, losses=losses, evaluated=(losses, jacobian))
