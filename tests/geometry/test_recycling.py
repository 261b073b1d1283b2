"""Solves that begin nearby against dense ones, and against those that begin from zero."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import paretonav as pn
from paretonav.geometry import recycling, tangent_at
from paretonav.geometry.krylov import Status, minres
from paretonav.geometry.recycling import recycled_minres

N, K = 40, 4
FEW = settings(max_examples=10, deadline=None, derandomize=True)
SEEDS = st.integers(0, 10**6)


def system(seed: int, indefinite: bool = False) -> tuple[Tensor, Tensor, Tensor]:
    """A symmetric A of condition 1e3, right-hand sides of very different sizes, and the dense solutions."""
    generator = torch.Generator().manual_seed(seed)
    Q = torch.linalg.qr(torch.randn(N, N, generator=generator, dtype=torch.float64)).Q
    eigenvalues = torch.logspace(-3, 0, N, dtype=torch.float64)
    if indefinite:
        eigenvalues[::5] *= -1
    A = (Q * eigenvalues) @ Q.T
    b = torch.randn(K, N, generator=generator, dtype=torch.float64)
    b[2] *= 1e-4  # as small as the gradient that is left near the front
    return A, b, torch.linalg.solve(A, b.T).T


def near(x: Tensor, by: float, seed: int) -> Tensor:
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(seed + 1), dtype=torch.float64)
    return x * (1 + by * noise)


def relative_residuals(A: Tensor, b: Tensor, x: Tensor) -> Tensor:
    return (b - x @ A).norm(dim=1) / b.norm(dim=1)


@FEW
@given(SEEDS, st.booleans(), st.sampled_from([1e-6, 1e-3, 0.1, 10.0]), st.sampled_from([1e-2, 1e-8]))
def test_the_solution_is_that_of_the_system_whatever_is_nearby(
    seed: int, indefinite: bool, by: float, tolerance: float
) -> None:
    A, b, x = system(seed, indefinite)
    tolerances = [tolerance, 10 * tolerance, tolerance, tolerance]
    found = recycled_minres(
        lambda v: v @ A, b, tolerance=tolerances, max_iterations=500, nearby=near(x, by, seed)
    )
    assert found.converged
    actual = relative_residuals(A, b, found.x)
    assert (actual <= 1.01 * torch.tensor(tolerances)).all()
    torch.testing.assert_close(found.residuals[-1], actual, rtol=1e-2, atol=1e-10)
    if tolerance == 1e-8:
        torch.testing.assert_close(found.x[[0, 2, 3]], x[[0, 2, 3]], rtol=0, atol=1e-4 * float(x.abs().max()))


@FEW
@given(SEEDS)
def test_it_takes_fewer_products_the_nearer_it_begins(seed: int) -> None:
    A, b, x = system(seed)
    spent = []
    for by in (1e-5, 1e-3):
        products: list[int] = []

        def operator(v: Tensor, counted: list[int] = products) -> Tensor:
            counted.append(len(v))
            return v @ A

        found = recycled_minres(
            operator, b, tolerance=[1e-2] * K, max_iterations=500, nearby=near(x, by, seed)
        )
        assert found.products == sum(products)
        spent.append(found.products)
    plain = minres(lambda v: v @ A, b, tolerance=1e-2, max_iterations=500).products
    assert spent[0] == K < spent[1] < plain


def test_without_a_neighbour_it_is_plain_minres() -> None:
    A, b, _ = system(0)
    found, plain = (
        recycled_minres(lambda v: v @ A, b, tolerance=[1e-3] * K, max_iterations=500, nearby=None),
        minres(lambda v: v @ A, b, tolerance=1e-3, max_iterations=500),
    )
    assert torch.equal(found.x, plain.x)
    assert found.products == plain.products


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    "kind", ["repeated", "nearly repeated", "one zero", "all zero", "fewer", "tiny and huge"]
)
def test_neighbours_that_say_little_do_no_harm(kind: str, dtype: torch.dtype) -> None:
    """In single precision the combination of two that are nearly equal would be mostly rounding errors."""
    for seed in range(6):
        A, b, x = system(seed)
        W = near(x, 1e-3, seed)
        if kind == "repeated":
            W[1] = W[0]
        elif kind == "nearly repeated":
            W[1] = near(W[0], 1e-7, seed)
        elif kind == "one zero":
            W[3] = 0
        elif kind == "all zero":
            W.zero_()
        elif kind == "fewer":
            W = W[:1]
        else:
            W *= torch.tensor([1e-12, 1.0, 1e12, 1.0], dtype=torch.float64)[:, None]
        A, b, W = (t.to(dtype) for t in (A, b, W))
        found = recycled_minres(lambda v, A=A: v @ A, b, tolerance=[1e-2] * K, max_iterations=500, nearby=W)
        assert found.converged
        assert float(relative_residuals(A, b, found.x).max()) < 1.02e-2
        assert float(found.residuals[0].max()) <= 1 + 1e-5


def test_rows_that_are_solved_already_take_no_iteration() -> None:
    A, b, x = system(3)
    b[1] = 0
    W = x.clone()
    W[0] = near(x[0], 0.5, 3)
    found = recycled_minres(lambda v: v @ A, b, tolerance=[1e-6] * K, max_iterations=500, nearby=W)
    assert found.iterations[0] > 0
    assert found.iterations[1:] == (0, 0, 0)
    assert not found.x[1].any()
    assert found.converged
    torch.testing.assert_close(found.x[2:], x[2:], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("rows", [2, 3, 5])
@pytest.mark.parametrize("broken", ["operator", "neighbour"])
def test_what_is_not_finite_is_a_status(rows: int, broken: str) -> None:
    b, W = torch.ones(rows, 9), torch.ones(rows, 9)
    factor = torch.nan if broken == "operator" else 1.0
    if broken == "neighbour":
        W[0, 0] = torch.inf
    found = recycled_minres(lambda v: factor * v, b, tolerance=[0.1] * rows, max_iterations=9, nearby=W)
    expected = Status.NON_FINITE if broken == "operator" else Status.CONVERGED
    assert set(found.status) == {expected}


def test_a_neighbour_with_other_active_bounds_moves_nothing_that_is_fixed() -> None:
    problem = pn.problems.quadratic(20, 3, seed=3, bounds=(-0.1, 0.1))
    nav = pn.Navigator(problem)
    nav.start()
    here = nav.tangent
    assert here.free is not None
    assert not here.free.all()
    inside = tangent_at(problem, torch.zeros(20, dtype=torch.float64), here.weights)
    again = tangent_at(problem, here.theta, here.weights, nearby=inside)
    assert not again.basis[:, ~here.free].any()
    alone = tangent_at(problem, here.theta, here.weights)
    torch.testing.assert_close(again.basis, alone.basis, rtol=1e-6, atol=1e-8)
    torch.testing.assert_close(again.response, alone.response, rtol=1e-6, atol=1e-8)


@FEW
@given(SEEDS, st.booleans())
def test_long_rows_are_solved_for_in_turn(seed: int, warm: bool) -> None:
    A, b, x = system(seed)
    b[1] = 0
    nearby = near(x, 0.1, seed) if warm else None
    how = {"tolerance": [1e-6, 1e-6, 1e-2, 1e-8], "max_iterations": 500, "nearby": nearby}
    at_once = recycled_minres(lambda v: v @ A, b, **how)
    told: list[float] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recycling, "_TOGETHER", 0)
        in_turn = recycled_minres(lambda v: v @ A, b, at=told.append, **how)
    assert in_turn.status == at_once.status
    # One row alone is multiplied by another kernel than four: where a residual is at the tolerance, rounding decides.
    for alone, together in zip(in_turn.iterations, at_once.iterations, strict=True):
        assert abs(alone - together) <= 1
    assert in_turn.products == sum(in_turn.iterations) + K * warm
    assert (relative_residuals(A, b, in_turn.x)[[0, 2, 3]] <= 1.01 * torch.tensor([1e-6, 1e-2, 1e-8])).all()
    torch.testing.assert_close(in_turn.x, at_once.x, rtol=0, atol=0.1 * float(x.abs().max()))
    assert told == sorted(told)
    assert told[0] >= 0
    assert told[-1] <= 1
