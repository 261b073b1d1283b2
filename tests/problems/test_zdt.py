import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pymoo.problems import get_problem
from torch import Tensor

from paretonav import ProblemError
from paretonav.problems.zdt import zdt

KINDS = pytest.mark.parametrize("k", [1, 2, 3])
SEEDS = st.integers(0, 10**6)
FEW = settings(max_examples=8, deadline=None)


def random_points(count: int, n: int, seed: int = 0) -> Tensor:
    return torch.rand(count, n, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@KINDS
@pytest.mark.parametrize("n", [2, 7, 30])
def test_values_are_those_of_pymoo(k: int, n: int) -> None:
    problem, x = zdt(k, n), random_points(50, n)
    x[:2] = torch.tensor([0.0, 1.0])[:, None]
    expected = get_problem(f"zdt{k}", n_var=n).evaluate(x.numpy())
    values = torch.stack([problem.evaluate(row).mean for row in x])
    torch.testing.assert_close(values, torch.from_numpy(expected), rtol=1e-10, atol=1e-10)


@KINDS
@FEW
@given(seed=SEEDS)
def test_derivatives_inside(k: int, seed: int) -> None:
    x = (0.1 + 0.8 * random_points(1, 4, seed)[0]).requires_grad_()
    problem = zdt(k, 4)
    assert torch.autograd.gradcheck(problem.fn, x)
    # f1 is linear, so only f2 has a second derivative.
    assert torch.autograd.gradgradcheck(lambda x: problem.fn(x)[1], x)


@KINDS
def test_at_the_left_end_the_value_is_exact_and_no_derivative_is_nan(k: int) -> None:
    problem, x = zdt(k, 4), torch.tensor([0.0, 0.2, 0.0, 1.0], dtype=torch.float64)
    losses, jacobian = problem.jacobian(x)
    assert losses.mean.tolist() == [0, 1 + 9 * float(x[1:].mean())]
    assert jacobian[0].tolist() == [1, 0, 0, 0]
    assert jacobian[1, 1:].tolist() == pytest.approx([3.0] * 3)
    assert jacobian[1, 0].isfinite()
    assert jacobian[1, 0] == 0 if k == 2 else jacobian[1, 0] < -1e99
    assert torch.autograd.functional.hessian(lambda x: problem.fn(x)[1], x).isfinite().all()


@pytest.mark.parametrize("k", [1, 3])
def test_next_to_the_left_end_derivatives_are_exact(k: int) -> None:
    x = torch.tensor([1e-20, 0.2, 0.0, 1.0], dtype=torch.float64)
    slope = zdt(k, 4).jacobian(x)[1][1, 0]
    assert float(slope) == pytest.approx(-0.5 * math.sqrt((1 + 9 * 0.4) / 1e-20), rel=1e-14)


@KINDS
def test_the_front_is_that_of_pymoo(k: int) -> None:
    front = zdt(k).front(2000)
    expected = get_problem(f"zdt{k}").pareto_front()
    gaps = torch.cdist(torch.from_numpy(expected), front)
    assert gaps.amin(1).max() < 0.03  # the steepest part is at f1 = 0
    assert (np.diff(front.numpy(), axis=0) * [1, -1] > 0).all()  # no point dominates another
    assert front.shape == (2000, 2)
    for f in torch.from_numpy(expected):
        assert zdt(k).front_distance(f) == pytest.approx(0, abs=1e-7)  # pymoo's ends are rounded


@KINDS
@pytest.mark.parametrize("count", [1, 2, 17])
def test_front_distance_is_zero_on_the_front(k: int, count: int) -> None:
    front = zdt(k).front(count)
    assert front.shape == (count, 2)
    assert max(zdt(k).front_distance(f) for f in front) < 1e-14


@KINDS
@FEW
@given(seed=SEEDS)
def test_front_distance_agrees_with_dense_sampling(k: int, seed: int) -> None:
    problem, dense = zdt(k, 5), zdt(k).front(100_001)
    for x in random_points(5, 5, seed):
        f = problem.evaluate(x).mean
        best = dense[dense[:, 0] <= f[0], 1].min()
        assert problem.front_distance(f) == pytest.approx(
            float(f[1] - best), abs=1e-2 if f[0] < 0.01 else 1e-3
        )
        assert problem.front_distance(f) > 0


def test_dominated_arcs_of_zdt3_are_not_on_the_front() -> None:
    problem = zdt(3, 2)
    for x1 in (0.12, 0.17, 0.3, 0.5, 0.61, 0.7, 0.9, 1.0):
        f = problem.evaluate(torch.tensor([x1, 0.0], dtype=torch.float64)).mean
        assert problem.front_distance(f) > 0.01


@KINDS
def test_the_default_start_is_inside_and_off_the_front(k: int) -> None:
    problem = zdt(k)
    x = problem.parameters()
    assert x.dtype == torch.float64
    assert ((x > 0.05) & (x < 0.95)).all()
    assert problem.front_distance(problem.evaluate(x).mean) > 0.1
    assert torch.equal(x, zdt(k).parameters())
    assert not torch.equal(x, zdt(k, seed=1).parameters())
    assert problem.bounds is not None
    assert problem.bounds.lower.tolist() == [0] * 30
    assert problem.bounds.upper.tolist() == [1] * 30
    assert zdt(k, 3, x0=torch.zeros(3)).parameters().tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"k": 4}, "k = 4 is not possible.*from 1 to 3"),
        ({"k": 0}, "k = 0 is not possible"),
        ({"k": 1, "n": 1}, "n = 1 is not possible.*at least 2"),
        ({"k": 1, "n": 2.5}, "n = 2.5 is not possible"),
        ({"k": 1, "n": 3, "x0": torch.zeros(2)}, r"x0 has shape \[2\].*n = 3"),
        ({"k": 1, "n": 2, "x0": torch.tensor([0.0, 2.0])}, r"x0\[1\] = 2 is outside"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ProblemError, match=message):
        zdt(**arguments)  # type: ignore[arg-type]
    with pytest.raises(ProblemError, match="count = 0"):
        zdt(1).front(0)
    with pytest.raises(ProblemError, match="f must be 2 finite numbers"):
        zdt(1).front_distance(torch.ones(3))
