"""The predictor that steers in objective space."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from paretonav.geometry import FrontModel, Tangent
from paretonav.objectives import Losses, Problem
from paretonav.steering.planning import plan as planning
from paretonav.steering.planning.plan import Plan
from paretonav.steering.preferences import On, Wish
from paretonav.steering.stepping.align import align
from paretonav.steering.stepping.predictors.base import Prediction
from paretonav.steering.stepping.target import Target

# Of the largest predicted change: an unnamed loss that came out worse by more is aligned, too. Half of what acceptance
# forgives, so that what is not aligned has room for noise.
_WORSE = 0.05


@dataclass(frozen=True, kw_only=True)
class ObjectiveSpace:
    """Step to the planned change of the objectives, measured and adjusted by forward passes.

    The tangent step ``theta - V c`` misses the planned change by terms of second order; ``alignments`` rounds of
    Newton's method in objective space remove them. If the improved objectives do not all fall, the step is
    halved.

    Attributes:
        alignments: rounds at most.
        tolerance: of the alignment, relative to the largest wished change.
        tries: how many step lengths to try.
        spare: around a model that is held, whether losses that are not named are spared where there is room beside.
    """

    alignments: int = 3
    tolerance: float = 0.01
    tries: int = 5
    spare: bool = True
    on: ClassVar[On | None] = None
    promises: ClassVar[bool] = True

    def plan(self, front: FrontModel, tangent: Callable[[], Tangent], wish: Wish, amount: float) -> Plan:  # noqa: ARG002
        return planning.plan(front, wish, amount, spare=self.spare)

    def reach(self, front: FrontModel, tangent: Callable[[], Tangent], wish: Wish) -> float:  # noqa: ARG002
        return planning.reach(front, wish)

    def predict(self, problem: Problem, front: FrontModel, tangent: Tangent, plan: Plan) -> Prediction:
        wish = plan.wish
        share = 1.0
        for attempt in range(1, self.tries + 1):
            target = Target.of(plan.share(front, share), front, problem, self.tolerance)
            theta = tangent.point(torch.from_numpy(share * plan.coordinates))
            if problem.bounds is not None:
                theta = problem.bounds.clamp(theta)
            theta, losses = align(problem, tangent, theta, target, self.alignments)
            if front.anchor is not None:
                theta, losses = self._promised(
                    problem, front, tangent, plan.share(front, share), target, theta, losses
                )
            change = losses.mean.numpy() - front.asked_losses
            # Within half of what was asked the step goes where it should; further off the model of the front does
            # not hold at this length.
            excess = wish.orientation[wish.named] * target.excess(problem, theta, losses)
            near = (excess <= 0.5 * target.scale).all()
            falling = wish.improved[wish.improved < front.m]
            if np.isfinite(change).all() and near and (change[falling] < 0).all():
                return Prediction(theta, losses, share, attempt)
            share /= 2
        problem.require_finite(losses, f"at the shortest of {self.tries} steps")
        return Prediction(tangent.theta, losses, 0.0, self.tries)

    def _promised(
        self,
        problem: Problem,
        front: FrontModel,
        tangent: Tangent,
        plan: Plan,
        target: Target,
        theta: Tensor,
        losses: Losses,
    ) -> tuple[Tensor, Losses]:
        """The same with the unnamed losses that came out worse than predicted brought to what was predicted.

        Around a model that is held there are as many ways as losses, so that all of them can be met.
        """
        sizes = front.sizes_of(front.asked_losses)
        off = (losses.mean.numpy() - front.asked_losses - plan.changes[: front.m]) / sizes
        largest = np.abs(plan.changes[: front.m] / sizes).max(initial=0.0)
        off[target.named[target.named < front.m]] = 0.0
        worse = np.flatnonzero(off > _WORSE * largest)
        room = front.dimensions - len(target.named)
        if not len(worse) or not room > 0 or not np.isfinite(off).all():
            return theta, losses
        worse = worse[np.argsort(-off[worse])][:room]
        return align(
            problem, tangent, theta, target.and_promised(worse, plan, front), self.alignments, losses
        )
