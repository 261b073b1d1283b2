"""Where a leg begins."""

from __future__ import annotations

from dataclasses import dataclass

from paretonav.geometry import FrontModel, Tangent
from paretonav.objectives import Losses
from paretonav.steering.measured import Measured
from paretonav.steering.stepping.trust import Trust


@dataclass(frozen=True, eq=False)
class Place:
    """Where a leg begins, with what is known there.

    Attributes:
        front: the model of the front around it.
        tangent: whose coordinates that model is in.
        trust: how long a leg from here may be, and how the front is measured on the way.
    """

    front: FrontModel
    tangent: Tangent
    trust: Trust

    @property
    def measured(self) -> Measured:
        """The losses and metrics here, batch by batch."""
        return Measured(self.tangent.losses, self.front.validation_losses)

    @property
    def losses(self) -> Losses:
        """Those here, on the data on which they are asked for."""
        if self.front.asked == "validation" and self.front.validation_losses is not None:
            return self.front.validation_losses
        return self.tangent.losses
