"""One step: walk where a plan leads, and see whether what was promised has come true."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from paretonav.geometry import measure_front
from paretonav.navigation.measuring import measured_at
from paretonav.objectives import Problem
from paretonav.steering.measured import Measured
from paretonav.steering.planning.plan import Plan
from paretonav.steering.preferences import Fit
from paretonav.steering.reporting.point import Point, Step
from paretonav.steering.reporting.report import Report, Taken, misses, worse_metrics
from paretonav.steering.stepping.course import Walk
from paretonav.steering.stepping.leg import target_of
from paretonav.steering.stepping.method import Method
from paretonav.steering.stepping.onward import tangent_after
from paretonav.steering.stepping.place import Place
from paretonav.steering.stepping.predictors import at_hand
from paretonav.steering.stepping.promises import best_kept, promises
from paretonav.steering.stepping.to_aspiration import ToAspiration
from paretonav.steering.stepping.to_target import ToTarget
from paretonav.steering.stepping.walk import walk

_WALKED = 0.75  # of a step; measuring its end takes the rest
_BY_FAR = 0.02  # an error of a prediction, from which less pull would do


@dataclass(frozen=True, eq=False)
class OneStep:
    """A step that has been planned.

    Attributes:
        problem: what is steered; its own parameters are left alone.
        method: how.
        here: the current point.
        start: the place there that the plan is for.
        plan: what is promised.
        solved_anew: whether the tangent had to be solved for again after the front was measured.
    """

    problem: Problem
    method: Method
    here: Point
    start: Place
    plan: Plan
    solved_anew: bool = False

    def take(self, report: Report, point_at: Callable[[Place, float], Point]) -> tuple[Step, Place | None]:
        """Go, and report: the step, and the place where it has led; None if it was taken back.

        Args:
            report: to be filled in.
            point_at: makes a point of a place, and of the amount that has led there.
        """
        gone = self._walk()
        asked = self.start.front.asked
        if gone.correction is None:
            taken = Taken(self.plan, Measured.on(asked, gone.losses), gone.legs)
            return report.rejected(taken, gone.reason), None
        plans = self._promised(gone)
        tangent = tangent_after(
            self.problem,
            gone.correction,
            gone.place.tangent,
            gone.place.trust.geometry,
            weaker=gone.error < _BY_FAR,
        )
        place = measured_at(
            self.problem,
            replace(gone.correction, tangent=tangent),
            gone.place.trust,
            known=gone.losses if asked == "validation" else None,
        )
        point = point_at(place, plans[0].amount)
        plan, broken = self._kept(plans, point, gone.legs)
        taken = Taken(plan, point.measured, gone.legs)
        if broken:
            return report.rejected(taken, broken), None
        remarks = "; ".join(self._remarks(gone, plan, point))
        return report.kept(point, taken, remarks, shortened=bool(gone.reason)), place

    def _walk(self) -> Walk:
        start, way = self.start, self.plan
        if self.solved_anew:  # its ways are not quite those that the front was measured along
            front = measure_front(self.problem, start.tangent, start.trust.geometry)
            start = replace(start, front=replace(front, asked=start.front.asked))
            way = self.method.predictor.plan(
                start.front, at_hand(start.tangent), self.plan.wish, self.plan.amount
            )
        course = ToAspiration if way.wish.fit is Fit.NEAREST else ToTarget
        with self.problem.watch.part(_WALKED):
            return walk(course(self.problem, self.method, start, way))

    def _promised(self, gone: Walk) -> list[Plan]:
        """The plans for the amount that was gone; of an aim there is but one, as any outcome is the nearest."""
        plan = self.plan
        if plan.wish.fit is Fit.NEAREST:
            return [plan.share(self.start.front, gone.amount / plan.amount if plan.amount else 1.0)]
        return promises(self.method.predictor, self.start, plan, gone.amount)

    def _kept(self, plans: list[Plan], point: Point, legs: int) -> tuple[Plan, str]:
        """The plan that has come true, and what has not where none has; empty if nothing."""
        plan, lost = best_kept(self.start.front, plans, point.measured, legs)
        # On the way to an aim every leg has been planned anew, and has come true; or there was nowhere to go.
        all_true = plan.wish.fit is Fit.NEAREST and legs != 1
        if lost and self.method.predictor.promises and not all_true:
            return plan, str(lost[0])
        return plan, next(iter(worse_metrics(plan.wish, self.here, point)), "")

    def _remarks(self, gone: Walk, plan: Plan, point: Point) -> list[str]:
        remarks = [gone.reason] if gone.reason else []
        if plan.modelled < 1:
            known = 100 * plan.modelled * plan.amount
            remarks.append(f"it took {gone.legs} legs, and beyond {known:.2g} % the prediction was a guess")
        elif gone.legs > 1:
            remarks.append(f"it took {gone.legs} legs, so the prediction for all of it was a guess")
        if gone.correction is not None and not gone.correction.converged:
            remarks.append(f"the corrector stopped with a joint gain of {point.joint_gain:.2g} left")
        front = self.start.front
        after = replace(point.front, asked=front.asked)
        return [*remarks, *misses(plan, target_of(plan, front, self.problem), after)]
