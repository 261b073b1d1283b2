import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from paretonav import ProblemError
from paretonav.problems.fonseca import fonseca_fleming

SEEDS = st.integers(0, 10**6)
FEW = settings(max_examples=10, deadline=None)


def random_point(n: int, seed: int) -> Tensor:
    return torch.randn(n, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)).clamp(-4, 4)


@FEW
@given(SEEDS, st.integers(1, 6))
def test_values_and_derivatives_are_those_of_the_formula(seed: int, n: int) -> None:
    problem, x = fonseca_fleming(n), random_point(n, seed)
    expected = [1 - math.exp(-np.sum((x.numpy() - sign / math.sqrt(n)) ** 2)) for sign in (1, -1)]
    assert problem.evaluate(x).mean.tolist() == pytest.approx(expected, abs=1e-14)
    x.requires_grad_()
    assert torch.autograd.gradcheck(problem.fn, x)
    assert torch.autograd.gradgradcheck(problem.fn, x)


@pytest.mark.parametrize("n", [1, 2, 3, 10])
def test_pareto_points_are_stationary_and_on_the_front(n: int) -> None:
    problem = fonseca_fleming(n)
    for share in np.linspace(-1, 1, 21):
        x = problem.pareto_point(share / math.sqrt(n))
        losses, jacobian = problem.jacobian(x)
        assert x.tolist() == [share / math.sqrt(n)] * n
        assert problem.front_distance(losses.mean) < 1e-12
        first, second = jacobian
        opposed = first.norm() * second + second.norm() * first
        assert opposed.abs().max() < 1e-14


@FEW
@given(SEEDS, st.integers(2, 5))
def test_front_distance_agrees_with_dense_sampling(seed: int, n: int) -> None:
    problem = fonseca_fleming(n)
    s = torch.linspace(-1, 1, 100_001, dtype=torch.float64)
    dense = torch.stack([-torch.expm1(-((s - 1) ** 2)), -torch.expm1(-((s + 1) ** 2))], 1)
    f = problem.evaluate(random_point(n, seed)).mean
    best = dense[dense[:, 0] <= f[0], 1].min()
    assert problem.front_distance(f) == pytest.approx(float(f[1] - best), abs=1e-4)
    assert problem.front_distance(f) > 0


def test_front_distance_far_away() -> None:
    problem = fonseca_fleming(3)
    f = problem.evaluate(torch.full((3,), -4.0, dtype=torch.float64)).mean  # f1 rounds to 1
    assert problem.front_distance(f) == pytest.approx(float(f[1]))


def test_the_default_start_is_off_the_front_where_there_is_slope() -> None:
    problem = fonseca_fleming()
    losses, jacobian = problem.jacobian(problem.parameters())
    assert problem.front_distance(losses.mean) > 0.01
    assert (jacobian.norm(dim=1) > 0.1).all()
    assert torch.equal(problem.parameters(), fonseca_fleming().parameters())
    assert not torch.equal(problem.parameters(), fonseca_fleming(seed=1).parameters())
    assert fonseca_fleming(2, x0=torch.ones(2)).parameters().tolist() == [1, 1]
    assert problem.bounds is not None
    assert problem.bounds.lower.tolist() == [-4] * 3
    assert problem.bounds.upper.tolist() == [4] * 3


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ProblemError, match=r"n = 0 is not possible.*at least 1"):
        fonseca_fleming(0)
    with pytest.raises(ProblemError, match=r"x0 has shape \[2\]"):
        fonseca_fleming(3, x0=torch.zeros(2))
    for t in (0.6, -0.6, float("nan")):
        with pytest.raises(ProblemError, match=rf"t = {t} is not on the Pareto set"):
            fonseca_fleming(4).pareto_point(t)
    with pytest.raises(ProblemError, match="f must be 2 finite numbers"):
        fonseca_fleming().front_distance(torch.ones(3))
