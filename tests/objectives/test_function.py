from itertools import count

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from paretonav import Cost, FunctionProblem, ProblemError


def fn(x: Tensor) -> Tensor:
    return torch.stack([x.sin().sum(), (x - 1).pow(4).sum(), x.prod() + x[0]])


@settings(max_examples=15, deadline=None)
@given(n=st.integers(1, 6), seed=st.integers(0, 10**6))
def test_values_and_derivatives_are_those_of_the_function(n: int, seed: int) -> None:
    x = torch.randn(n, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    problem = FunctionProblem(fn, x)
    losses, jacobian = problem.jacobian(x + 1)
    assert torch.equal(losses.mean, fn(x + 1))
    assert torch.equal(problem.evaluate(x + 1).mean, fn(x + 1))
    torch.testing.assert_close(
        jacobian, torch.autograd.functional.jacobian(fn, x + 1), rtol=1e-14, atol=1e-14
    )
    (part,) = problem.curvature_sample()
    (same,) = problem.minibatches(3, torch.Generator())
    for composite in (part, same):
        assert composite.fraction == 1
        assert torch.equal(composite.losses(composite.outputs(x)), fn(x))
    assert not losses.batches.requires_grad
    assert not jacobian.requires_grad


def test_what_it_costs_is_counted() -> None:
    problem = FunctionProblem(fn, torch.ones(2))
    assert problem.cost == Cost()
    problem.evaluate(torch.ones(2))
    assert problem.cost == Cost(forward_passes=1)
    problem.jacobian(torch.ones(2))
    assert problem.cost == Cost(forward_passes=2, gradient_passes=3)


def test_the_current_parameters_change_only_when_they_are_set() -> None:
    x0 = torch.tensor([1.0, 2.0])
    problem = FunctionProblem(fn, x0)
    x0.zero_()
    problem.parameters().zero_()
    problem.evaluate(torch.zeros(2))
    problem.jacobian(torch.zeros(2))
    assert problem.parameters().tolist() == [1, 2]
    theta = torch.tensor([5.0, 6.0], requires_grad=True)
    problem.set_parameters(theta)
    with torch.no_grad():
        theta.zero_()
    assert problem.parameters().tolist() == [5, 6]
    assert not problem.parameters().requires_grad
    assert problem.state_dict(torch.ones(2))["x"].tolist() == [1, 1]
    with pytest.raises(ProblemError, match=r"shape \[3\] was given for 2 variables"):
        problem.set_parameters(torch.zeros(3))


def test_names_dtypes_and_other_defaults() -> None:
    problem = FunctionProblem(fn, torch.ones(2))
    assert problem.names == ("f1", "f2", "f3")
    assert FunctionProblem(fn, torch.ones(2), names=["a", "b", "c"]).names == ("a", "b", "c")
    assert (problem.m, problem.bounds, problem.weight_decay) == (3, None, 0)
    assert (problem.default_curvature, problem.stochastic, problem.has_validation) == ("exact", False, False)
    assert not problem.needs_training
    assert torch.equal(problem.train(), problem.parameters())
    assert problem.jacobian(torch.ones(2))[1].dtype == torch.float32
    assert problem.evaluate(torch.ones(2)).mean.dtype == torch.float64
    double = FunctionProblem(fn, torch.ones(2, dtype=torch.float64))
    assert double.jacobian(double.parameters())[1].dtype == torch.float64


def test_bounds_are_numbers_or_vectors() -> None:
    upper = torch.tensor([2.0, torch.inf])
    problem = FunctionProblem(fn, torch.ones(2, dtype=torch.float64), bounds=(-1, upper))
    assert problem.bounds is not None
    assert problem.bounds.lower.tolist() == [-1, -1]
    assert problem.bounds.upper.tolist() == [2, torch.inf]
    assert problem.bounds.lower.dtype == problem.bounds.upper.dtype == torch.float64
    problem.bounds.lower[0] = -5  # no view of one number
    assert problem.bounds.lower.tolist() == [-5, -1]


def test_a_start_at_the_optimum_of_one_objective_is_fine() -> None:
    def distances(x: Tensor) -> Tensor:
        return torch.stack([x.square().sum(), (x - 1).square().sum()])

    for bounds in (None, (0.0, 1.0)):
        problem = FunctionProblem(distances, torch.zeros(2), bounds=bounds)
        assert not problem.jacobian(torch.zeros(2))[1][0].any()


@pytest.mark.parametrize("which", range(3))
@pytest.mark.parametrize("noise", [1e-3, 0.1, 10.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_what_has_other_values_every_time_is_refused_at_once(
    which: int, noise: float, dtype: torch.dtype
) -> None:
    """Nothing could be said of a step: the objective that is random is named, and what to do about it."""
    drawn = count()

    def noisy(x: Tensor) -> Tensor:
        return fn(x) * (1 + noise * next(drawn) * (torch.arange(3) == which))

    x0 = torch.full((3,), 0.3, dtype=dtype)
    with pytest.raises(ProblemError, match=f"'f{which + 1}' is random: at x0 .*fix the seed inside of fn"):
        FunctionProblem(noisy, x0)
    assert FunctionProblem(fn, x0).names == ("f1", "f2", "f3")
