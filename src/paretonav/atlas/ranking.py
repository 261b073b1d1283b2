"""From which of the visited points to go somewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paretonav.atlas.chart import Chart
from paretonav.errors import PreferenceError
from paretonav.steering.planning.plan import Plan, plan
from paretonav.steering.preferences import Preference
from paretonav.steering.preferences.situation import situation

Array = NDArray[np.float64]
Visited = Sequence[Mapping[str, float]]

_MOST = 5  # points that are planned from: those whose outcomes are nearest; a plan takes some milliseconds


@dataclass(frozen=True, eq=False)
class Candidate:
    """A visited point from which one could go, and how near that would come.

    Attributes:
        chart: of the point.
        plan: from there.
        miss: how far the named quantities are predicted to be from their targets, in the units given.
        doubt: what that may be off by, as the model is of second order.
    """

    chart: Chart
    plan: Plan
    miss: float
    doubt: float


def ranked(
    charts: Sequence[Chart],
    preference: Callable[[Chart], Preference],
    target: Mapping[str, float],
    scale: Mapping[str, float],
    visited: Visited,
) -> list[Candidate]:
    """The points from which to go to some values, the best first.

    Args:
        charts: of the points.
        preference: what is asked for at each, all of the way.
        target: name -> value.
        scale: name -> what a change of it is counted in.
        visited: values by name of all points, for their ranges.

    Raises:
        PreferenceError: it makes no sense at any of them; the reason is that at the nearest.
    """
    found, refusal = [], None
    for chart in sorted(charts, key=lambda chart: _off(chart, target, scale))[:_MOST]:
        try:
            wish = preference(chart).wish(situation(chart.front, lambda: visited))
            made = plan(chart.front, wish, 1.0)
        except PreferenceError as refused:
            refusal = refusal or refused
            continue
        found.append(_candidate(chart, made, target, scale))
    if not found and refusal is not None:
        raise refusal
    return sorted(found, key=lambda each: each.miss + each.doubt)


def _off(chart: Chart, target: Mapping[str, float], scale: Mapping[str, float]) -> float:
    values = dict(zip(chart.front.steerable, chart.front.values.tolist(), strict=True))
    return float(np.linalg.norm([(values[name] - goal) / scale[name] for name, goal in target.items()]))


def _candidate(
    chart: Chart, made: Plan, target: Mapping[str, float], scale: Mapping[str, float]
) -> Candidate:
    names = chart.front.steerable
    which = [names.index(name) for name in target]
    sizes = np.array([scale[name] for name in target])
    came = (chart.front.values + made.changes)[which]
    # Better than wanted is off as well: somebody pays for it.
    off = (came - np.array(list(target.values()))) / sizes
    far = float(np.linalg.norm(made.changes[which] / sizes))
    return Candidate(chart, made, float(np.linalg.norm(off)), far**3)
