"""What is kept of all visited points for maps and covers: the models around them, and what was tried in vain."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from paretonav.atlas.chart import Chart
from paretonav.atlas.region import Region
from paretonav.errors import NavigationError, SessionError
from paretonav.geometry import FrontModel
from paretonav.navigation.covering import Notes
from paretonav.objectives import Problem
from paretonav.session import Session
from paretonav.steering.preferences import Aim, On, Units
from paretonav.steering.preferences.situation import situation
from paretonav.steering.stepping.method import Method
from paretonav.steering.stepping.trust import Trust

logger = logging.getLogger(__name__)

_WORSE = 2.0  # times what it is at the first point: no model that is held is believed further than that


class Overview:
    """The fronts around all points of a session, each read once, without the points' parameters.

    Args:
        problem: what is steered.
        session: with its points.
        method: how.
    """

    def __init__(self, problem: Problem, session: Session, method: Method) -> None:
        self._problem, self._session, self._method = problem, session, method
        self._fronts: dict[int, tuple[FrontModel, Trust] | None] = {}
        self._notes: dict[object, Notes] = {}

    def charts(self, on: On | None) -> tuple[Chart, ...]:
        """Of all points, in the order of their ids, with the losses asked for on these data.

        One whose file is lost or damaged is left out, and a warning is logged.
        """
        pruned = self._session.pruned
        for record in self._session.records:
            if record.id not in self._fronts:
                self._fronts[record.id] = self._read(record.id)
        return tuple(
            Chart(i, known[0] if on is None else known[0].on(on), known[1], i not in pruned)
            for i, known in sorted(self._fronts.items())
            if known is not None
        )

    def chart(self, point_id: int, on: On | None) -> Chart:
        """That of one point."""
        return next(chart for chart in self.charts(on) if chart.point == point_id)

    def _read(self, point_id: int) -> tuple[FrontModel, Trust] | None:
        try:
            point = self._session.point(point_id)
        except SessionError as error:
            logger.warning("%s. The map goes without point %d", error, point_id)
            return None
        return point.front, point.trust

    def region(self, allow: Mapping[str, float], on: On | None, units: Units) -> Region:
        """What counts of the front; where a model is held, within twice the losses of the first point.

        Raises:
            PreferenceError: bounds, data or units make no sense.
        """
        terms = Aim({self._problem.names[0]: 0.0}, allow=allow, on=on, units=units)
        first = self.charts(on)[0].front
        at = situation(first)
        at.require_known(tuple(terms.allow))
        for name in terms.allow:
            at.sense(name)
        bounds = dict(terms.allow)
        if self._method.holds:
            losses = zip(first.names, first.asked_losses.tolist(), strict=True)
            bounds = {name: _WORSE * loss for name, loss in losses if loss > 0} | bounds
        return Region(first.steerable, first.orientation, bounds, units, first.asked_losses)

    def notes(self, region: Region, on: On | None) -> Notes:
        """What covers within these bounds have tried in vain."""
        return self._notes.setdefault((tuple(sorted(region.allow.items())), on), Notes())

    def require_promises(self, what: str) -> None:
        """Refuse where the predictor goes to no outcomes.

        Raises:
            NavigationError: it does not.
        """
        if not self._method.predictor.promises:
            raise NavigationError(
                f"{what} needs a predictor that goes to outcomes, and the published one does not; leave out predictor="
            )
