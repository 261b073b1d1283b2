"""The comparison on known fronts is fair: the same budget, as many points, targets that are spread."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fronts
import paretonav as pn
from truth import truth


@settings(max_examples=10, deadline=None)
@given(m=st.integers(2, 10), count=st.integers(2, 12))
def test_targets_are_weights_that_keep_apart(m: int, count: int) -> None:
    weights = fronts.spread(m, count)
    assert weights.shape == (count, m)
    assert (weights > 0).all()
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    apart = np.linalg.norm(weights[:, None] - weights, axis=2) + 9 * np.eye(count)
    drawn = np.random.default_rng(1).dirichlet(np.ones(m), (20, count))
    chance = np.linalg.norm(drawn[:, :, None] - drawn[:, None], axis=3) + 9 * np.eye(count)
    assert apart.min() > chance.min(axis=(1, 2)).mean()


def test_a_walk_is_its_start_and_its_steps() -> None:
    problem = fronts.problems()["quadratic m=2"](0)
    visit = fronts.walk(problem)
    assert len(visit.points) == fronts.STEPS + 1
    assert visit.refused == visit.failed == 0
    assert visit.gradients == problem.cost.gradient_passes + 3 * problem.cost.hessian_products
    # The branches lead to either side of the start.
    first = np.array(visit.points)[:, 0]
    assert first.min() < first[0] < first.max()


def test_aims_come_to_attainable_targets() -> None:
    problem = fronts.problems()["DTLZ2 m=3"](0)
    targets = 0.8 * fronts.spread(3) + 0.2 / 3  # not at the very edge
    targets /= np.linalg.norm(targets, axis=1, keepdims=True)  # the front
    visit = fronts.aims(problem, targets)
    assert visit.refused == visit.failed == 0
    np.testing.assert_allclose(visit.points[1:], targets[1:], atol=1e-4)


def test_a_budget_ends_a_walk() -> None:
    make = fronts.problems()["DTLZ2 m=3"]
    start = pn.Navigator(make(0), **pn.ppe())
    start.start()
    budget = fronts.spent(start.problem.cost) + 1
    visit = fronts.walk(make(0), budget, pn.ppe())
    assert len(visit.points) == 2  # the step in which the budget is spent is the last


@pytest.mark.slow
def test_everybody_gets_the_same_budget() -> None:
    make = fronts.problems()["DTLZ2 m=3"]
    visited = fronts.visits(make, 0, truth(make(0), 100, 1 << 10))
    budget = max(visited[fronts.OURS].gradients, visited[fronts.AIMS].gradients)
    for method, visit in visited.items():
        if "published" not in method:
            assert visit.gradients <= budget, method
            assert len(visit.points) + visit.failed == fronts.STEPS + 1, method


def test_where_the_library_cannot_start_the_failure_is_counted() -> None:
    visit = fronts.walk(fronts.problems()["DTLZ6 m=3"](0))
    assert (visit.points, visit.failed) == ([], 1)


def test_the_longest_step_is_that_of_the_steepest_direction() -> None:
    problem = pn.problems.quadratic(n=20, m=2)
    steepest = float(problem.Q.mean(0).svd().S[0])
    # Four power iterations come near the largest eigenvalue from below.
    assert 1 <= fronts.longest(problem, problem.parameters()) * steepest / 2 < 1.6
