"""The union of the models around all visited points."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paretonav.atlas.chart import Chart
from paretonav.atlas.curve import Curve
from paretonav.atlas.ranking import Candidate, ranked
from paretonav.atlas.region import Region
from paretonav.atlas.route import Route
from paretonav.display import Display, Shown
from paretonav.errors import PreferenceError, ReachedError
from paretonav.steering.preferences import DEFAULT_AMOUNT, Aim, On, Preference, check_amount
from paretonav.steering.preferences.situation import situation
from paretonav.steering.reporting.point import DATA
from paretonav.text import value

Array = NDArray[np.float64]

_POINTS = 65  # by which a front of two objectives is drawn
_FAR = 0.5  # of the ranges: as far as an outcome is shown from a point


@dataclass(frozen=True, eq=False, repr=False)
class FrontMap(Shown):
    """All that a navigation knows of the front: the models around all points that it has visited, side by side.

    It is as it was when it was asked for; points that are visited later are in the next one.

    Attributes:
        charts: the models, in the order of the points' ids.
        region: what distances are counted in.
        on: the data whose losses are meant, as preferences say it.
    """

    charts: tuple[Chart, ...]
    region: Region
    on: On | None
    _current: Chart
    _visited: Sequence[Mapping[str, float]]
    _route: Callable[[Candidate, Preference], Route]

    @property
    def points(self) -> tuple[int, ...]:
        """The ids of the visited points."""
        return tuple(chart.point for chart in self.charts)

    def preview(self, wanted: Preference | Mapping[str, float], amount: float | None = None) -> Route:
        """From which visited point to go to an outcome, and where that would lead; no pass over data.

        Args:
            wanted: name -> the value of a loss or metric to come to, as in ``Aim``; or a preference, which means what
                it means at the current point: its target is taken from there, and gone for from where that is best.
            amount: of the preference; None for its own.

        Returns:
            The route from the point whose model comes nearest, counting that a model of second order is off by the
            third power of the distance. Distances are in parts of the ranges that have been visited.

        Raises:
            PreferenceError: there is no such quantity, no visited point is within the preference's bounds, it is about
                other data than the map.
            ReachedError: it names all losses, and there is a point that is as good already, which it carries.
        """
        charts = [chart for chart in self.charts if chart.whole]
        aim = self._aim(wanted, amount)
        situation(self._current.front).require_known((*aim.target, *aim.allow))
        for chart in charts:
            if set(aim.target) >= set(chart.front.names) and _is_as_good(chart, aim):
                raise ReachedError(chart.point)
        best = ranked(charts, lambda _: aim, aim.target, self._scale(aim.target), self._visited)[0]
        return self._route(best, aim)

    def outcomes(self) -> Array:
        """[n, m], losses on the front as far as it is known, on the data that the map is of.

        With two objectives they are the curve through the points that no other is better than, from one end to the
        other; with more these points, and a cloud of what is predicted around them.
        """
        counted = self.region.counted(self.charts)
        scale = self.region.scale(counted)
        if len(scale) == 2:
            curve = Curve.through(counted, scale)
            return np.array([curve.at(place) for place in np.linspace(0, curve.length, _POINTS)])
        values = np.concatenate([chart.samples(scale, _FAR) for chart in counted])
        visited = np.stack([chart.front.values for chart in counted])
        return np.concatenate([visited, values])[:, : len(scale)]

    def _aim(self, wanted: Preference | Mapping[str, float], amount: float | None) -> Aim:
        """The values that are wanted, and the terms."""
        if isinstance(wanted, Mapping):
            if amount is not None:
                raise PreferenceError("an outcome is gone to all the way; leave the amount out")
            return Aim(wanted, on=self.on, units="range")
        if not hasattr(wanted, "wish"):
            raise PreferenceError(f"{wanted!r} is no preference; give one, or a dict name -> value")
        if amount is None:
            amount = getattr(wanted, "default_amount", DEFAULT_AMOUNT)
        amount = check_amount(amount)
        front = self._current.front
        if getattr(wanted, "on", None) not in (None, front.asked):
            raise PreferenceError(
                f"this map is of {DATA[front.asked]}; take nav.map(on={wanted.on!r})"  # type: ignore[attr-defined]
            )
        wish = wanted.wish(situation(front, lambda: self._visited))
        goal = front.values[wish.named] + wish.changes(min(amount, wish.full))
        target = {wish.names[i]: float(x) for i, x in zip(wish.named, goal, strict=True)}
        return Aim(target, allow=getattr(wanted, "allow", {}), on=self.on, units="range")

    def _scale(self, names: Mapping[str, float]) -> dict[str, float]:
        found = {}
        for name in names:
            values = np.array([point[name] for point in self._visited if name in point])
            span, size = float(np.ptp(values)), float(np.abs(values).max())
            found[name] = span if span > 0 else size or 1.0
        return found

    def _display(self) -> Display:
        counted = self.region.counted(self.charts)
        title = f"Map of the front by {len(self.charts)} point{'' if len(self.charts) == 1 else 's'}"
        names = self.charts[0].front.names
        rows = []
        for i, name in enumerate(names):
            losses = [chart.outcome[i] for chart in counted]
            rows.append([name, value(min(losses), min(losses)), value(max(losses), max(losses))])
        return Display(title, ["", "best", "worst"], rows)


def _is_as_good(chart: Chart, aim: Aim) -> bool:
    """Whether a visited point has all that is aimed at, within the bounds."""
    names, values, sense = chart.front.steerable, chart.front.values, chart.front.orientation
    for name, goal in {**aim.target, **aim.allow}.items():
        i = names.index(name)
        off = values[i] - goal
        if sense[i] * off > 0 or (sense[i] == 0 and off != 0):
            return False
    return True
