"""How long a start or a step will take, from what this navigation has seen or from what is planned."""

from __future__ import annotations

import logging
from collections.abc import Callable

from paretonav.errors import NavigationError
from paretonav.geometry import Geometry
from paretonav.objectives import Problem
from paretonav.session import Session
from paretonav.steering.reporting.estimate import Estimate, Pace, What, epochs, planned, recorded

logger = logging.getLogger(__name__)


class Expectations:
    """What is known of the time that a navigation takes.

    Attributes:
        problem: what is steered.
        session: with the costs of what has been done.
        holds: whether the model is held where it is.
        asked: the estimates that were asked for.
    """

    def __init__(self, problem: Problem, session: Session, *, holds: bool) -> None:
        self.problem, self.session, self.holds = problem, session, holds
        self.asked: dict[What, Estimate] = {}

    def estimate(
        self, what: What, effort: Geometry, watched: Callable[[Callable[[], Pace]], Pace]
    ) -> Estimate:
        """An estimate, from records or else from planned passes, of which a few are timed.

        Args:
            what: "start" or "step".
            effort: how curvature is measured next.
            watched: runs what takes a while.

        Raises:
            NavigationError: nothing is known of the problem, a function.
        """
        problem = self.problem
        found = self._from_records(effort) if what == "step" else None
        if found is None and not problem.stochastic:
            raise NavigationError(
                "nobody knows how often a function will be evaluated on its way to the front; its steps can be "
                "estimated when there has been one"
            )
        if found is None:
            work = planned(problem, effort, what, held=self.holds)
            pace = watched(lambda: Pace.measured(problem, effort))
            untrained = what == "start" and problem.needs_training
            found = Estimate.of(
                pace.seconds(work),
                epochs(work, problem, effort),
                ", and its training, of which the time is not known before" if untrained else "",
            )
        self.asked[what] = found
        return found

    def known(self, what: What, effort: Geometry) -> Estimate | None:
        """An estimate as far as there is one without measuring anything."""
        return (self._from_records(effort) if what == "step" else None) or self.asked.get(what)

    def seconds(self, what: What, effort: Geometry) -> float | None:
        """What a start or a step should take, as far as that is known without measuring anything; logged."""
        found = self.known(what, effort)
        if found is not None:
            logger.info("the %s is expected to take %s", what, found.words)
        elif self.holds:
            work = planned(self.problem, effort, what, held=True)
            logger.info(
                "the %s is expected to take about %.2g epochs", what, epochs(work, self.problem, effort)
            )
        return None if found is None else found.seconds

    def _from_records(self, effort: Geometry) -> Estimate | None:
        """What a step takes, by what this session has recorded; None where that says nothing."""
        problem, records = self.problem, self.session.records
        steps = [record.cost for record in records if record.parent is not None]
        if steps or not records or not self.holds:
            return recorded(steps, problem, effort)
        start = records[0].cost
        work = epochs(planned(problem, effort, "step", held=True), problem, effort)
        spent = epochs(start, problem, effort)
        return Estimate.of(work * start.seconds / spent, work) if spent > 0 else None
