"""Whether a target is out of reach, or only has not been reached."""

from __future__ import annotations

import numpy as np

from paretonav.geometry import FrontModel, Tangent
from paretonav.steering.planning.reasons import lacking, may_come_nearer, spent_weights, stands, why_nearest
from paretonav.steering.preferences import Wish
from paretonav.text import listed

_NOTHING = 0.01  # of the way that is left: what training could still bring is nothing beside it. Chosen, not measured


def why_unreached(front: FrontModel, tangent: Tangent, wish: Wish, *, stochastic: bool) -> str:
    """What to say of a target that a walk has not come to.

    That it is out of reach takes a proof: the model of the front leads no nearer, and the point that it is of is on the
    front, so that no further training would lower all losses by more than next to nothing beside what is lacking.
    Everything else is said as what it is: how near it came.

    Args:
        front: at the end of the walk.
        tangent: there.
        wish: the rest of the way to the target.
        stochastic: whether the losses are means over data, where the optimum is known within damped curvature only.
    """
    if is_settled(front, tangent, wish, stochastic=stochastic) and not may_come_nearer(front, wish):
        return f"the target is out of reach: {why_nearest(front, wish)}"
    said = "the target was not reached"
    if came := stands(front, wish):
        said += f": it came to {came}"
    if may_come_nearer(front, wish):
        return f"{said}, and short legs, too, came no nearer, whatever the model of the front promises"
    ends = spent_weights(front, np.zeros(front.dimensions))
    if ends:
        said += f", where {listed(ends)} had nothing left to give"
    return f"{said}; that is not known to be an end of the front, so further training may come nearer"


def is_settled(front: FrontModel, tangent: Tangent, wish: Wish, *, stochastic: bool) -> bool:
    """Whether the point is on the front, for all that matters beside the way that is left."""
    short = np.abs(wish.unit * wish.direction[lacking(wish)])
    if front.anchor is not None or (stochastic and tangent.damping > 0):
        return False  # what is damped is slow to fall, and nothing tells how far it would
    return bool(2 * abs(front.joint_gain) <= _NOTHING * short.max(initial=0.0))
