"""Farthest points among what was visited and what is predicted."""

import numpy as np
import torch

import paretonav as pn
from paretonav.atlas.chart import Chart
from paretonav.atlas.region import Region
from paretonav.atlas.spread import farthest


def charts(weights: list[list[float]]) -> list[Chart]:
    problem = pn.problems.quadratic(n=5, m=3)
    found = []
    for place, w in enumerate(weights):
        x = problem.pareto_point(torch.tensor(w, dtype=torch.float64))
        point = pn.Navigator(pn.FunctionProblem(problem.fn, x)).start()
        found.append(Chart(place, point.front, point.trust))
    return found


CORNERS = [[0.9, 0.05, 0.05], [0.05, 0.9, 0.05], [0.05, 0.05, 0.9]]
MIDDLE = [1 / 3, 1 / 3, 1 / 3]


def region(**allow: float) -> Region:
    return Region(("f1", "f2", "f3"), np.ones(3), allow, "absolute", np.ones(3))


def test_ends_come_first_and_then_what_is_furthest_from_them() -> None:
    found = charts([MIDDLE, *CORNERS])
    spread = farthest(found, region(), 4, found[1:])
    assert {chart.point for chart in spread.chosen[:3]} == {1, 2, 3}
    assert len(spread.chosen) == 4
    assert len(spread.spacing) == 4


def test_too_many_ends_are_thinned_out() -> None:
    found = charts(CORNERS)
    spread = farthest(found, region(), 2, found)
    assert len(spread.chosen) == 2
    apart = np.linalg.norm(found[0].outcome - found[1].outcome)
    assert np.isclose(max(spread.spacing), max(apart, *spread.spacing))
    assert not spread.missing


def test_what_is_missing_is_a_prediction_within_the_bounds_and_says_whose_it_is() -> None:
    found = charts(CORNERS)
    for allow in ({}, {"f1": float(found[1].outcome[0]) * 0.8}):
        counted = region(**allow).counted(found)
        missing = farthest(counted, region(**allow), 8, counted).missing[0]
        assert missing.distance > 0.1
        assert missing.near[0] in counted
        assert all(missing.outcome[0] <= worst for worst in allow.values())
        nearest = min(np.linalg.norm(chart.outcome - missing.outcome) for chart in counted)
        assert np.isclose(nearest, missing.distance)


def test_where_it_has_failed_nothing_is_missing_any_more() -> None:
    found = charts(CORNERS)
    first = farthest(found, region(), 8, found).missing[0]
    again = farthest(found, region(), 8, found, [(first.outcome, 0.5 * first.distance)]).missing[0]
    assert np.linalg.norm(again.outcome - first.outcome) > 0.5 * first.distance
    assert not farthest(found, region(), 8, found, [(first.outcome, 100.0)]).missing


def test_points_beyond_bounds_or_worse_than_others_do_not_count() -> None:
    found = charts([MIDDLE, *CORNERS, MIDDLE])
    worse = Chart(9, pn.Navigator(pn.problems.quadratic(n=5, m=3)).start(polish=False).front, found[0].trust)
    values = worse.front.values
    assert [chart.point for chart in region().counted([*found, worse])][:4] == [0, 1, 2, 3]
    assert 4 not in [chart.point for chart in region().counted(found)]  # it is as good as the first
    inside = region(f1=float(found[0].outcome[0])).counted(found)
    assert [chart.point for chart in inside if chart.outcome[0] > found[0].outcome[0]] == []
    assert region(f2=-1.0).counted(found) == []
    assert region(f2=-1.0).beyond(values[None])[0, 0] > 0


def test_a_unit_is_a_range_a_size_or_one() -> None:
    found = charts(CORNERS)
    outcomes = np.stack([chart.outcome for chart in found])
    for units, expected in (
        ("range", np.ptp(outcomes, axis=0)),
        ("relative", np.array([1.0, 2.0, 3.0])),
        ("absolute", np.ones(3)),
    ):
        there = Region(("f1", "f2", "f3"), np.ones(3), {}, units, np.array([1.0, 2.0, 3.0]))  # type: ignore[arg-type]
        assert np.allclose(there.scale(found), expected)
    alone = Region(("f1", "f2", "f3"), np.ones(3), {}, "range", np.array([1.0, 2.0, 3.0]))
    assert np.allclose(alone.scale(found[:1]), [1.0, 2.0, 3.0])
