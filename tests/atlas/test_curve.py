"""The curve through visited points of two objectives, and places on it."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import paretonav as pn
from paretonav.atlas.chart import Chart
from paretonav.atlas.curve import Curve
from paretonav.atlas.spread import along_the_curve

FEW = settings(max_examples=10)


def charts(seed: int, count: int) -> tuple[pn.FunctionProblem, list[Chart]]:
    """Points at equal weights along the front of a quadratic, in no order."""
    problem = pn.problems.quadratic(n=5, m=2, seed=seed)
    found = []
    for place, w in enumerate(np.linspace(0.05, 0.95, count)):
        x = problem.pareto_point(torch.tensor([w, 1 - w], dtype=torch.float64))
        point = pn.Navigator(pn.FunctionProblem(problem.fn, x)).start()
        found.append(Chart(place, point.front, point.trust))
    return problem, found[::-2] + found[-2::-2]


@FEW
@given(st.integers(0, 30), st.integers(2, 5))
def test_it_goes_through_the_points_in_their_order(seed: int, count: int) -> None:
    _, given_charts = charts(seed, count)
    curve = Curve.through(given_charts, np.array([2.0, 0.5]))
    firsts = [chart.outcome[0] for chart in curve.charts]
    assert firsts == sorted(firsts)
    for chart, place in zip(curve.charts, curve.places, strict=True):
        assert np.allclose(curve.at(place), chart.outcome, rtol=1e-9)
    along = np.stack([curve.at(s) for s in np.linspace(0, curve.length, 50)])
    assert (np.diff(along[:, 0]) >= -1e-12).all()
    assert (np.diff(along[:, 1]) <= 1e-12).all()
    steps = np.linalg.norm(np.diff(along / curve.scale, axis=0), axis=1)
    assert np.allclose(steps, curve.length / 49, rtol=0.02)


@FEW
@given(st.integers(0, 30))
def test_it_is_far_nearer_to_the_front_than_chords(seed: int) -> None:
    problem, given_charts = charts(seed, 3)
    curve = Curve.through(given_charts, np.ones(2))
    ends = [chart.outcome for chart in curve.charts]
    chords = [problem.front_distance(torch.from_numpy((a + b) / 2)) for a, b in pairwise(ends)]
    middles = [curve.at((a + b) / 2) for a, b in pairwise(curve.places)]
    bent = [abs(problem.front_distance(torch.from_numpy(f))) for f in middles]
    assert max(bent) < 0.25 * max(chords)


def test_what_no_walk_crosses_has_no_length_and_no_places() -> None:
    _, found = charts(0, 5)
    whole = Curve.through(found, np.ones(2))
    a, b = whole.charts[1], whole.charts[2]
    broken = Curve.through(found, np.ones(2), {(a.point, b.point)})
    gap = whole.places[2] - whole.places[1]
    assert np.isclose(broken.length, whole.length - gap)
    for place in np.linspace(0, broken.length, 40):
        first = broken.at(place)[0]
        assert not a.outcome[0] + 1e-9 < first < b.outcome[0] - 1e-9


def test_a_single_point_is_a_curve_without_length() -> None:
    curve = Curve.through(charts(0, 2)[1][:1], np.ones(2))
    assert curve.length == 0
    assert np.array_equal(curve.at(0.0), curve.charts[0].outcome)


@pytest.mark.parametrize("count", [2, 3, 6])
def test_places_are_taken_by_points_that_are_near_and_the_others_are_missing(count: int) -> None:
    _, found = charts(1, 5)
    curve = Curve.through(found, np.ones(2))
    spread = along_the_curve(curve, count)
    assert spread.count == len(spread.missing)
    assert len(spread.chosen) <= count
    assert spread.chosen[0] is curve.charts[0]
    assert spread.chosen[-1] is curve.charts[-1]
    distances = [missing.distance for missing in spread.missing]
    assert distances == sorted(distances, reverse=True)
    for missing in spread.missing:
        left, right = sorted(chart.outcome[0] for chart in missing.near)
        assert left <= missing.outcome[0] <= right


def test_directions_that_fit_no_parabola_are_followed_all_the_same() -> None:
    _, (a, b) = charts(0, 2)
    flat = [replace(chart) for chart in (a, b)]
    for chart in flat:
        object.__setattr__(chart, "slopes", np.array([[1.0], [-1e-3]]))
    curve = Curve.through(flat, np.ones(2))
    along = np.stack([curve.at(s) for s in np.linspace(0, curve.length, 30)])
    assert (np.diff(along[:, 0]) >= -1e-12).all()
    assert (np.diff(along[:, 1]) <= 1e-12).all()
