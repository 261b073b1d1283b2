"""What the benchmarks measure, against cases whose answer is known."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import measures
import paretonav as pn

FINITE = st.floats(-1, 1, allow_subnormal=False)


def test_errors_are_relative_to_what_was_said() -> None:
    assert measures.error(np.array([3.0, 4.0]), np.array([3.0, 1.0])) == pytest.approx(0.6)
    assert measures.miss(np.array([-1.0, 0.0]), np.zeros(2)) == 1


@pytest.mark.parametrize(
    ("achieved", "degrees"), [([-2.0, 0.0], 0), ([0.0, 1.0], 90), ([1.0, 0.0], 180), ([0.0, 0.0], 90)]
)
def test_angle(achieved: list[float], degrees: float) -> None:
    assert measures.angle(np.array([-1.0, 0.0]), np.array(achieved)) == pytest.approx(degrees)


@given(arrays(float, 4, elements=st.floats(0.1, 1)), arrays(float, 2, elements=st.floats(0.1, 1)))
def test_in_the_tangent_plane_the_exchange_is_one(weights: np.ndarray, gains: np.ndarray) -> None:
    weights = weights / weights.sum()
    change = np.concatenate([-gains, np.full(2, weights[:2] @ gains / weights[2:].sum())])
    assert measures.efficiency(change, weights, [0, 1]) == pytest.approx(1)
    assert measures.efficiency(change + 0.01, weights, [0, 1]) < 1  # as off the front, above it


def test_exchange_at_its_ends() -> None:
    weights = np.array([0.5, 0.5])
    assert measures.efficiency(np.array([-1.0, -1.0]), weights, [0]) == math.inf
    assert measures.efficiency(np.array([1.0, 1.0]), weights, [0]) == 0
    assert math.isnan(measures.efficiency(np.zeros(2), weights, [0]))


def test_a_front_covers_itself() -> None:
    front = pn.problems.dtlz(2, m=3).front(500, seed=0).numpy()
    assert measures.igd_plus(front, front) == 0
    assert measures.igd_plus(front + 0.1, front) == pytest.approx(0.1 * math.sqrt(3), rel=0.2)
    assert measures.non_dominated_share(front) == 1
    # A ball's octant is missing from the cube.
    assert measures.hypervolume(front, [1, 1, 1]) == pytest.approx(1 - math.pi / 6, abs=0.05)
    assert measures.hypervolume(front[:1] + 2, [1, 1, 1]) == 0


def test_dominated_points_lower_the_share() -> None:
    assert measures.non_dominated_share([[0, 1], [1, 0], [2, 2], [1, 0]]) == 0.75


@given(st.lists(st.lists(FINITE, min_size=1, max_size=4), min_size=1, max_size=4))
def test_the_median_is_inside_its_interval(groups: list[list[float]]) -> None:
    found = measures.median(groups, draws=50)
    assert found.value == pytest.approx(np.median(np.concatenate(groups)))
    assert found.low <= found.high
    if len(groups) == 1:
        assert found.low == found.value == found.high


def test_the_interval_covers_the_median_of_all_seeds() -> None:
    generator = np.random.default_rng(0)
    inside = 0
    for _ in range(100):
        groups = [list(generator.normal(generator.normal(), 0.1, 3)) for _ in range(15)]
        found = measures.median(groups, draws=200)
        inside += found.low <= 0 <= found.high
    assert inside >= 85


def test_medians_of_infinite_and_missing_numbers() -> None:
    found = measures.median([[1.0, math.inf], [math.nan, math.inf]])
    assert found.value == math.inf
    assert math.isnan(measures.median([[math.nan]]).value)
