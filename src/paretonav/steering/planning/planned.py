"""A plan beside all that it was made of, as a preview keeps it until a step is taken."""

from __future__ import annotations

from dataclasses import dataclass

from paretonav.geometry import FrontModel, Tangent
from paretonav.steering.planning.plan import Plan
from paretonav.steering.preferences import Preference, Wish


@dataclass(frozen=True, eq=False)
class Planned:
    """A plan with all that it was made of.

    A step by it goes exactly where the preview said, and need not plan again.

    Attributes:
        preference: what is wanted.
        wish: that in numbers; the plan's own may ask for the part of it that the amount comes to.
        plan: how to come there.
        front: that it was made on, with the losses on the data on which they are asked for.
        crease: the tangent that the plan is along if it is not the point's own; None if it is.
        point: the id of the point at which it was made.
        by: the navigator that made it.
    """

    preference: Preference
    wish: Wish
    plan: Plan
    front: FrontModel
    crease: Tangent | None
    point: int
    by: object
