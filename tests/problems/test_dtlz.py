import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pymoo.problems import get_problem
from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting
from torch import Tensor

from paretonav import ProblemError
from paretonav.problems.dtlz import DTLZ, dtlz

KINDS = pytest.mark.parametrize("k", [1, 2, 3, 4, 5, 6, 7])
SEEDS = st.integers(0, 10**6)
FEW = settings(max_examples=6, deadline=None)
KNOWN = [(k, m) for k in range(1, 8) for m in (2, 3, 4, 6) if k not in (5, 6) or m <= 3]


def random_points(count: int, n: int, seed: int = 0) -> Tensor:
    return torch.rand(count, n, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def outcomes(problem: DTLZ, x: Tensor) -> Tensor:
    return torch.stack([problem.evaluate(row).mean for row in x])


def non_dominated(f: Tensor) -> Tensor:
    first = NonDominatedSorting().do(f.numpy(), only_non_dominated_front=True)
    return torch.isin(torch.arange(len(f)), torch.from_numpy(first))


@KINDS
@pytest.mark.parametrize(("m", "n"), [(2, 2), (2, 8), (3, 7), (3, 12), (5, 10)])
def test_values_are_those_of_pymoo(k: int, m: int, n: int) -> None:
    x = random_points(40, n)
    x[:2] = torch.tensor([0.0, 1.0])[:, None]
    if k == 4:
        x[20:] = x[20:] ** 0.01  # where x^100 is not just 0
    expected = torch.from_numpy(get_problem(f"dtlz{k}", n_var=n, n_obj=m).evaluate(x.numpy()))
    torch.testing.assert_close(outcomes(dtlz(k, m, n), x), expected, rtol=1e-10, atol=1e-10)


@KINDS
@pytest.mark.parametrize("m", [2, 4])
@settings(max_examples=3, deadline=None)
@given(seed=SEEDS)
def test_derivatives_inside(k: int, m: int, seed: int) -> None:
    x = 0.1 + 0.8 * random_points(1, m + 1, seed)[0]
    if k == 4:
        x[: m - 1] = x[: m - 1] ** 0.01
    problem = dtlz(k, m, m + 1)
    x.requires_grad_()
    # The values of 1 and 3 are in the hundreds, so that differences have larger errors.
    assert torch.autograd.gradcheck(problem.fn, x, atol=1e-4)
    assert torch.autograd.gradgradcheck(lambda x: problem.fn(x)[-1], x, atol=1e-2, rtol=1e-2)


@pytest.mark.parametrize("k", [1, 2, 4, 5, 7])
def test_derivatives_at_the_corners_are_finite(k: int) -> None:
    problem = dtlz(k, 4, 6)
    for corner in (0.0, 1.0):
        x = torch.full((6,), corner, dtype=torch.float64)
        assert problem.jacobian(x)[1].isfinite().all()
        hessian = torch.autograd.functional.hessian(lambda x: problem.fn(x).sum(), x)
        assert hessian.isfinite().all()


def test_slope_of_dtlz6_at_its_optimum_is_infinite() -> None:
    x = torch.tensor([0.4, 0.3, 0.0, 0.1], dtype=torch.float64)
    losses, jacobian = dtlz(6, 3, 4).jacobian(x)
    assert losses.mean.isfinite().all()
    assert jacobian[:, 2].isinf().all()
    assert jacobian[:, [0, 1, 3]].isfinite().all()


@pytest.mark.parametrize(("k", "m"), KNOWN)
def test_front_distance_is_zero_on_the_front_only(k: int, m: int) -> None:
    problem = dtlz(k, m)
    front = problem.front(60)
    assert front.shape == (60, m)
    assert max(problem.front_distance(f) for f in front) < 1e-12
    assert non_dominated(front).all()
    assert not torch.equal(front, problem.front(60, seed=1))
    assert torch.equal(front, problem.front(60))
    for f in outcomes(problem, random_points(20, len(problem.parameters()))):
        assert problem.front_distance(f) > 0.1


@pytest.mark.parametrize("k", [1, 2, 3, 4])
@pytest.mark.parametrize("m", [2, 3])
def test_the_front_is_that_of_pymoo(k: int, m: int) -> None:
    problem = dtlz(k, m)
    expected = torch.from_numpy(get_problem(f"dtlz{k}", n_obj=m, n_var=m + 5).pareto_front())
    assert max(problem.front_distance(f) for f in expected) < 1e-12
    assert torch.cdist(expected, problem.front(800)).amin(1).max() < 0.15


@pytest.mark.parametrize(("k", "m"), KNOWN)
def test_front_distance_of_outcomes_off_the_front(k: int, m: int) -> None:
    problem = dtlz(k, m)
    for f in problem.front(5):
        if k == 7:
            worse, expected = f + 0.3 * torch.eye(m, dtype=torch.float64)[-1], 0.3
        else:
            worse, expected = 1.3 * f, 0.15 if k == 1 else 0.3
        assert problem.front_distance(worse) == pytest.approx(expected)


@pytest.mark.parametrize("k", [5, 6])
def test_the_curve_dominates_everything_with_three_objectives(k: int) -> None:
    problem = dtlz(k, 3, 6)
    x = random_points(200, 6)
    x[::3, 2:] = 0.5 if k == 5 else 0.0
    x[1::3, 2:] = 0.5 + 0.05 * (x[1::3, 2:] - 0.5) if k == 5 else 1e-12 * x[1::3, 2:]
    on_curve = x.clone()
    on_curve[:, 2:] = 0.5 if k == 5 else 0.0
    assert (outcomes(problem, on_curve) <= outcomes(problem, x) + 1e-12).all()


@pytest.mark.parametrize("k", [5, 6])
@FEW
@given(seed=SEEDS)
def test_distance_from_the_curve_agrees_with_dense_sampling(k: int, seed: int) -> None:
    problem = dtlz(k, 3, 6)
    angle = torch.linspace(0, math.pi / 2, 20_001, dtype=torch.float64)
    flat = angle.cos() / math.sqrt(2)
    curve = torch.stack([flat, flat, angle.sin()], 1)
    f = outcomes(problem, random_points(10, 6, seed) * 0.5)
    expected = torch.cdist(f, curve).amin(1)
    assert [problem.front_distance(row) for row in f] == pytest.approx(expected.tolist(), abs=1e-6)


@pytest.mark.parametrize("k", [5, 6])
def test_the_curve_is_not_the_front_with_four_objectives(k: int) -> None:
    problem = dtlz(k, 4, 4)
    z = 1.0  # g = 1/4 or 1
    f = problem.evaluate(torch.tensor([0.0, 1.0, 1.0, z], dtype=torch.float64)).mean
    # The curve's points (c/2, c/2, c/sqrt 2, s) with f4 <= 0 have c = 1.
    assert f[3] == 0
    assert f[0] < 0.5 - 0.01
    for call in (lambda: problem.front(3), lambda: problem.front_distance(f)):
        with pytest.raises(ProblemError, match=rf"m = 4: DTLZ{k}'s front is unknown; use m <= 3"):
            call()


@pytest.mark.parametrize(("m", "side"), [(2, 601), (3, 41)])
def test_dtlz7_front_is_the_non_dominated_part_of_its_surface(m: int, side: int) -> None:
    problem = dtlz(7, m)
    line = torch.linspace(0, 1, side, dtype=torch.float64)
    p = torch.cartesian_prod(*[line] * (m - 1)).reshape(-1, m - 1)
    f = outcomes(problem, torch.cat([p, torch.zeros(len(p), 20, dtype=torch.float64)], 1))
    distance = torch.tensor([problem.front_distance(row) for row in f], dtype=torch.float64)
    # The least f_m on the grid among the points that are no worse in the others.
    best = torch.stack([f[(p <= row).all(1), -1].min() for row in p])
    assert (distance >= f[:, -1] - best - 1e-12).all()
    torch.testing.assert_close(distance, f[:, -1] - best, rtol=0, atol=30 / side**2)
    on_front = distance < 1e-12
    assert on_front[non_dominated(f)].sum() >= on_front.sum() - 4 * side ** (m - 2)
    assert (distance[non_dominated(f)] < 30 / side**2).all()


@KINDS
@pytest.mark.parametrize("m", [2, 3, 5])
def test_the_default_start_is_inside_and_in_the_basin_of_the_front(k: int, m: int) -> None:
    problem = dtlz(k, m)
    x = problem.parameters()
    p, z = x[: m - 1], x[m - 1 :]
    assert len(z) == {1: 5, 7: 20}.get(k, 10)
    assert x.dtype == torch.float64
    assert ((x > 0.01) & (x < 0.999)).all()
    assert len(set(p.tolist())) == m - 1
    offset = z if k in (6, 7) else z - 0.5
    assert (offset.abs() > 0.005).all()
    assert (offset.abs() < {1: 0.03, 3: 0.03}.get(k, 0.21)).all()
    assert torch.equal(x, dtlz(k, m).parameters())
    assert not torch.equal(x, dtlz(k, m, seed=1).parameters())
    jacobian = problem.jacobian(x)[1]
    assert (jacobian[:, : m - 1].norm(dim=0) > 0.01).all()
    # Straight from there to the optimum, the sum of the objectives never rises.
    optimum = torch.cat([p, torch.full_like(z, 0.0 if k in (6, 7) else 0.5)])
    path = outcomes(
        problem, torch.stack([torch.lerp(x, optimum, t) for t in torch.linspace(0, 1, 50).double()])
    )
    if k not in (5, 6):
        assert all((after <= before + 1e-9).all() for before, after in pairwise(path))
    if k not in (5, 6) or m <= 3:
        assert problem.front_distance(path[-1]) < 1e-12
        assert problem.front_distance(path[0]) > 0.01


def test_bounds_and_given_starts() -> None:
    problem = dtlz(2, 2, 3, x0=torch.tensor([0.0, 1.0, 0.5]))
    assert problem.parameters().tolist() == [0, 1, 0.5]
    assert problem.bounds is not None
    assert problem.bounds.lower.tolist() == [0] * 3
    assert problem.bounds.upper.tolist() == [1] * 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"k": 0}, "k = 0 is not possible.*from 1 to 7"),
        ({"k": 8}, "k = 8 is not possible.*from 1 to 7"),
        ({"k": 2, "m": 1}, "m = 1 is not possible.*at least 2"),
        ({"k": 2, "m": 4, "n": 3}, "n = 3 is not possible.*at least 4"),
        ({"k": 2, "x0": torch.zeros(2)}, r"x0 has shape \[2\].*n = 12"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ProblemError, match=message):
        dtlz(**arguments)  # type: ignore[arg-type]
    with pytest.raises(ProblemError, match="count = 0"):
        dtlz(1).front(0)
    with pytest.raises(ProblemError, match="f must be 3 finite numbers"):
        dtlz(1).front_distance(torch.ones(2))
