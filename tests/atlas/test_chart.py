"""What a visited point predicts of the front around it."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import paretonav as pn
from paretonav.atlas.chart import Chart, _mixtures

FEW = settings(max_examples=10)


def chart_of(problem: pn.Problem) -> Chart:
    nav = pn.Navigator(problem)
    point = nav.start()
    return Chart(point.id, point.front, point.trust)


@FEW
@given(st.integers(0, 30), st.integers(2, 4))
def test_many_outcomes_at_once_are_those_one_by_one(seed: int, m: int) -> None:
    front = chart_of(pn.problems.quadratic(n=6, m=m, seed=seed)).front
    first, second = np.random.default_rng(seed).normal(size=(2, 5, m - 1))
    none = np.zeros_like(first)
    expected = [front.values + front.changes(c) for c in first]
    assert np.allclose(front.outcomes(first, none), expected, rtol=1e-12, atol=1e-12)
    expected = [front.values + front.changes(1e-6 * c) for c in second]
    assert np.allclose(front.outcomes(none, 1e-6 * second), expected, rtol=1e-9, atol=1e-9)


@FEW
@given(st.integers(0, 30))
def test_samples_lie_near_the_front_and_around_the_point(seed: int) -> None:
    problem = pn.problems.quadratic(n=6, m=3, seed=seed)
    chart, scale = chart_of(problem), np.ones(3)
    samples = chart.samples(scale, 0.02)
    assert len(samples) > 100
    off = samples - chart.outcome
    assert np.linalg.norm(off, axis=1).max() < 0.05
    for direction in np.vstack([np.eye(3), -np.eye(3)]):  # along each objective, either way
        assert (off @ direction).max() > 0
    distances = [abs(problem.front_distance(torch.from_numpy(f))) for f in samples[::37]]
    assert max(distances) < 0.004


@FEW
@given(st.integers(0, 30), st.permutations([0, 1, 2]), st.lists(st.floats(0.01, 100), min_size=3, max_size=3))
def test_samples_depend_neither_on_the_order_of_objectives_nor_on_their_units(
    seed: int, order: list[int], units: list[float]
) -> None:
    problem = pn.problems.quadratic(n=6, m=3, seed=seed)
    point = pn.Navigator(problem).start()
    twin_of = pn.FunctionProblem(
        lambda x: torch.tensor(units, dtype=torch.float64) * problem.fn(x)[order], point.parameters
    )
    here, twin = chart_of(problem), chart_of(twin_of)
    scale = np.array([1.0, 2.0, 3.0])
    expected, found = here.samples(scale, 0.2)[:, order], twin.samples(scale[order] * units, 0.2) / units
    assert expected.shape == found.shape
    gaps = np.linalg.norm(expected[:, None] - found, axis=2).min(axis=1)
    assert gaps.max() < 1e-5


@pytest.mark.parametrize("m", [2, 3, 5, 10])
def test_there_are_mixtures_of_all_objectives_and_each_is_there_once(m: int) -> None:
    mixtures = _mixtures(m)
    assert mixtures.shape[1] == m
    assert (np.abs(mixtures).sum(axis=0) > 0).all()
    directions = mixtures / np.linalg.norm(mixtures, axis=1, keepdims=True)
    assert len(np.unique(directions.round(9), axis=0)) == len(mixtures)


def test_two_objectives_that_do_not_stand_against_each_other_have_no_tangent() -> None:
    chart = chart_of(pn.problems.quadratic(n=6, m=2))
    way = chart.tangent(np.ones(2))
    assert way is not None
    assert way[0] > 0 > way[1]
    assert np.isclose(np.linalg.norm(way), 1)
    object.__setattr__(chart, "slopes", np.ones((2, 1)))
    assert chart.tangent(np.ones(2)) is None
