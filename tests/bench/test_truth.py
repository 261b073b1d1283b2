"""Volumes and samples of known fronts, against closed forms and against each other."""

import math

import numpy as np
import pytest

import measures
import paretonav as pn
from truth import distances, truth


@pytest.mark.parametrize("m", [3, 5, 10])
def test_the_volume_of_a_sphere_and_of_a_simplex(m: int) -> None:
    ball = math.pi ** (m / 2) / math.gamma(m / 2 + 1) / 2**m
    found = truth(pn.problems.dtlz(2, m), 200)
    assert found is not None
    assert found.volume == pytest.approx(1.1**m - ball, rel=5e-3)
    found = truth(pn.problems.dtlz(1, m), 200)
    assert found is not None
    assert found.volume == pytest.approx(0.55**m - 0.5**m / math.factorial(m), rel=5e-3)


@pytest.mark.parametrize(
    "problem",
    [
        pn.problems.quadratic(n=8, m=2),
        pn.problems.quadratic(n=8, m=3),
        pn.problems.dtlz(5, 3),
        pn.problems.dtlz(6, 3),
        pn.problems.dtlz(7, 2),
        pn.problems.dtlz(7, 3),
    ],
    ids=["quadratic 2", "quadratic 3", "DTLZ5", "DTLZ6", "DTLZ7 2", "DTLZ7 3"],
)
def test_a_dense_sample_covers_nearly_all_and_never_more(problem: pn.FunctionProblem) -> None:
    found = truth(problem, 1000, 1 << 13)
    assert found is not None
    assert 0.93 < found.coverage(found.front) < 1.01
    assert measures.non_dominated_share(found.front) == 1
    assert max(distances(problem, found.front[:20])) < 1e-6


def test_an_unknown_front_is_said_to_be_unknown() -> None:
    problem = pn.problems.dtlz(6, 5)
    assert truth(problem) is None
    assert all(map(math.isnan, distances(problem, np.ones((2, 5)))))
