from typing import Any

import pytest
import scipy.sparse.linalg
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor

from paretonav.geometry.krylov import Solution, Status, minres

torch.set_num_threads(1)
SEEDS = st.integers(0, 2**32 - 1)
FEW = settings(max_examples=20, deadline=None)
DTYPES = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])


class Matrix:
    def __init__(self, matrix: Tensor) -> None:
        self.matrix, self.rows = matrix, []  # how many rows it was applied to, call by call

    def __call__(self, v: Tensor) -> Tensor:
        self.rows.append(len(v))
        return v @ self.matrix


def solve(a: Tensor, b: Tensor, **options: Any) -> Solution:
    return minres(lambda v: v @ a, b, **options)


def spectrum(n: int, digits: float, zeros: int = 0, indefinite: bool = False) -> Tensor:
    values = torch.logspace(0, -digits, n - zeros, dtype=torch.float64)
    values[1::2] *= -1 if indefinite else 1
    return torch.cat([values, values.new_zeros(zeros)])


def symmetric(eigenvalues: Tensor, seed: int, dtype: torch.dtype = torch.float64) -> Tensor:
    q = torch.linalg.qr(normal(len(eigenvalues), len(eigenvalues), seed=seed - 1)).Q
    a = (q * eigenvalues) @ q.T
    return (0.5 * (a + a.T)).to(dtype)


def normal(*shape: int, seed: int, dtype: torch.dtype = torch.float64) -> Tensor:
    g = torch.Generator().manual_seed(seed + 1)
    return torch.randn(*shape, generator=g, dtype=torch.float64).to(dtype)


def distance(x: Tensor, expected: Tensor) -> float:
    return float(((x - expected).norm(dim=1) / expected.norm(dim=1)).max())


def true_residuals(a: Tensor, b: Tensor, x: Tensor) -> Tensor:
    return (b.double() - x.double() @ a.double()).norm(dim=1) / b.double().norm(dim=1)


@DTYPES
@FEW
@given(n=st.integers(1, 25), seed=SEEDS, digits=st.floats(0, 3), exponent=st.integers(-40, 40))
def test_matches_a_dense_solver(dtype: Any, n: int, seed: int, digits: float, exponent: int) -> None:
    k, indefinite = 1 + seed % 6, seed % 4 < 2
    a = Matrix(symmetric(spectrum(n, digits, 0, indefinite), seed, dtype) * 2.0**exponent)
    b = normal(k, n, seed=seed, dtype=dtype) / 2.0**exponent
    solution = minres(a, b, tolerance=1e-11 if dtype == torch.float64 else 1e-5, max_iterations=40 * n)
    expected = torch.linalg.solve(a.matrix.double(), b.double().T).T
    assert solution.converged
    assert distance(solution.x, expected) < (1e-10 if dtype == torch.float64 else 3e-5) * 10**digits
    assert (solution.x.dtype, solution.residuals.dtype) == (dtype, torch.float64)
    assert solution.products == sum(a.rows) == sum(solution.iterations)
    assert a.rows == sorted(a.rows, reverse=True)
    assert solution.residuals.shape == (max(solution.iterations) + 1, k)
    assert indefinite or not any(solution.negative_curvature)


@pytest.mark.parametrize("indefinite", [False, True])
@pytest.mark.parametrize("warm", [False, True])
def test_iterates_are_those_of_scipy_and_the_history_is_true(indefinite: bool, warm: bool) -> None:
    a, b = symmetric(spectrum(40, 2, 0, indefinite), 3), normal(3, 40, seed=4)
    x0 = normal(3, 40, seed=5) * warm
    history = solve(a, b, tolerance=0, max_iterations=40, x0=x0).residuals
    assert (history.diff(dim=0) <= 0).all()
    for steps in range(16):
        ours = solve(a, b, tolerance=0, max_iterations=steps, x0=x0 if warm else None)
        assert ours.iterations == (steps,) * 3
        assert history[steps].numpy() == pytest.approx(true_residuals(a, b, ours.x), abs=1e-10)
        for i in range(3 if steps else 0):
            arrays = a.numpy(), b[i].numpy(), x0[i].numpy()
            theirs, _ = scipy.sparse.linalg.minres(*arrays, rtol=0, maxiter=steps)
            assert distance(ours.x[i : i + 1], torch.from_numpy(theirs)[None]) < 1e-11


@pytest.mark.parametrize(("dtype", "digits"), [(torch.float32, 4), (torch.float32, 5), (torch.float64, 6)])
def test_true_residual_drifts_as_documented(dtype: Any, digits: int) -> None:
    a, b = symmetric(spectrum(60, digits), 1, dtype), normal(4, 60, seed=2, dtype=dtype)
    solution = solve(a, b, tolerance=1e-2 if digits == 5 else 1e-4, max_iterations=2000)
    drift = (true_residuals(a, b, solution.x) - solution.residuals[-1]).abs()
    floor = torch.finfo(dtype).eps * solution.x.norm(dim=1) / b.norm(dim=1)  # ||A|| = 1
    assert (drift < (3 * floor if dtype == torch.float32 else 1e-7)).all()


@DTYPES
@FEW
@given(seed=SEEDS, indefinite=st.booleans(), digits=st.floats(0, 1))
def test_singular_systems(dtype: Any, seed: int, indefinite: bool, digits: float) -> None:
    a, b = symmetric(spectrum(24, digits, 7, indefinite), seed, dtype), normal(3, 24, seed=seed, dtype=dtype)
    inverse = torch.linalg.pinv(a.double(), rtol=1e-5, hermitian=True)
    accuracy = 1e-10 if dtype == torch.float64 else 1e-4
    consistent = solve(a, b @ a, tolerance=0.1 * accuracy, max_iterations=400)
    assert consistent.converged
    assert distance(consistent.x, (b @ a).double() @ inverse) < accuracy * 10**digits
    general = solve(a, b, max_iterations=400)
    least = true_residuals(a, b, b.double() @ inverse).numpy()
    assert general.status == (Status.LEAST_SQUARES,) * 3
    assert true_residuals(a, b, general.x).numpy() == pytest.approx(least, rel=0.1 * accuracy)
    assert general.residuals[-1].numpy() == pytest.approx(least, rel=0.1 * accuracy)
    assert indefinite or not any(consistent.negative_curvature + general.negative_curvature)


@DTYPES
@pytest.mark.parametrize("row", [[0.1, 0.3], [0.7, 0.1], [1.0, 1.0], [0.0, 0.0]])
def test_product_that_is_rounding_errors_only_is_taken_for_zero(dtype: Any, row: list[float]) -> None:
    u, null = torch.tensor(row, dtype=dtype), torch.tensor([[row[1], -row[0]]], dtype=dtype)
    null = null if any(row) else null + 1
    for x0 in (None, 0.5 * null):
        solution = minres(lambda v: (v @ u)[:, None] * u, null, x0=x0)
        assert solution.status == (Status.LEAST_SQUARES,)
        assert torch.equal(solution.x, 0 * null if x0 is None else x0)
        assert (solution.iterations, solution.residuals.tolist()) == ((0,), [[pytest.approx(1)]])
        assert solution.negative_curvature == (False,)


def least_curvature(a: Tensor, b: Tensor, steps: int) -> float:
    basis = (b / b.norm())[:, None]
    for _ in range(steps - 1):
        basis, _ = torch.linalg.qr(torch.cat([basis, (a @ basis[:, -1])[:, None]], dim=1))
    return float(torch.linalg.eigvalsh(basis.T @ a @ basis)[0])


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.integers(1, 12), st.integers(0, 3))
def test_negative_curvature_is_found_iff_it_is_in_the_space(seed: int, steps: int, negative: int) -> None:
    values = spectrum(20, 2)
    values[:negative] *= -0.1
    a, b = symmetric(values, seed), normal(1, 20, seed=seed)
    least = least_curvature(a, b[0], steps)
    assume(abs(least) > 1e-9)
    assert solve(a, b, tolerance=0, max_iterations=steps).negative_curvature == (least < 0,)
    assert negative or least > 0


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_numbers_that_are_not_finite_end_their_row_only(bad: float) -> None:
    a, b, calls = symmetric(spectrum(20, 2), 0), normal(4, 20, seed=1), []
    b[3, 3] = bad

    def operator(v: Tensor) -> Tensor:
        calls.append(len(v))
        product = v @ a
        product[1:2, 7] += bad if len(calls) == 4 else 0.0
        return product

    solution = minres(operator, b, tolerance=1e-10)
    before = solve(a, b[1:2], tolerance=0, max_iterations=3)
    assert solution.status == (Status.CONVERGED, Status.NON_FINITE, Status.CONVERGED, Status.NON_FINITE)
    assert distance(solution.x[1:2], before.x) < 1e-12
    assert true_residuals(a, b, solution.x)[[0, 2]].max() < 1.1e-10
    assert (solution.residuals[3:, 1] == solution.residuals[3, 1]).all()
    assert (solution.iterations[1], solution.products, solution.x[3].tolist()) == (3, sum(calls), [0] * 20)
    assert minres(lambda v: 1e-30 * v, torch.full((1, 2), 1e30)).status == (Status.NON_FINITE,)  # x is 1e60


def test_iteration_limit_is_a_status() -> None:
    a, b = Matrix(symmetric(spectrum(100, 10), 0)), normal(2, 100, seed=1)
    solution = minres(a, b, tolerance=1e-10, max_iterations=7)
    assert solution.status == (Status.ITERATION_LIMIT,) * 2
    assert (solution.converged, solution.iterations, a.rows) == (False, (7, 7), [2] * 7)
    none = minres(a, b, max_iterations=0)
    assert (none.x.norm().item(), none.residuals.tolist(), none.products) == (0, [[1, 1]], 0)
    assert minres(a, b, tolerance=1e-12).iterations == (200, 200)


def test_zero_right_hand_side_has_the_solution_zero() -> None:
    a, b = Matrix(symmetric(spectrum(10, 1), 0)), normal(3, 10, seed=1)
    b[1] = 0
    for x0 in (None, normal(3, 10, seed=2)):
        solution = minres(a, b, x0=x0)
        assert (solution.iterations[1], max(a.rows), float(solution.x[1].norm())) == (0, 2, 0)
        assert not solution.residuals[:, 1].any()
    assert (minres(a, 0 * b, x0=b).products, minres(a, b[:0]).residuals.shape) == (0, (1, 0))


def test_warm_start_saves_products_and_keeps_the_meaning_of_the_tolerance() -> None:
    a, b = symmetric(spectrum(40, 3), 0), normal(3, 40, seed=1)
    exact = torch.linalg.solve(a, b.T).T
    x0 = exact + 1e-4 * normal(3, 40, seed=2)
    before, warm = torch.stack([x0, b]), solve(a, b, x0=x0)
    assert torch.equal(before, torch.stack([x0, b]))
    assert warm.products == sum(warm.iterations) + 3 < solve(a, b).products
    assert true_residuals(a, b, warm.x).max() < 1.1e-6
    solved = solve(a, b, x0=exact)
    assert (solved.converged, solved.products, solved.iterations) == (True, 3, (0, 0, 0))


@DTYPES
@settings(max_examples=200, deadline=None, derandomize=True)
@given(k=st.integers(1, 6), n=st.integers(1, 70), seed=SEEDS, turned=st.booleans())
def test_a_tolerance_of_one_asks_for_no_product(dtype: Any, k: int, n: int, seed: int, turned: bool) -> None:
    """Not even where the last bit of a sum or of a root depends on the processor, or on the layout in memory."""
    rhs = normal(n, k, seed=seed, dtype=dtype).T if turned else normal(k, n, seed=seed, dtype=dtype)
    assume(rhs.norm(dim=1).all())
    a = Matrix(symmetric(spectrum(n, 2), 0, dtype))
    solution = minres(a, rhs, tolerance=1.0)
    assert (solution.converged, solution.products, a.rows) == (True, 0, [])


def test_ended_rows_are_left_out_of_the_products() -> None:
    a = Matrix(symmetric(spectrum(30, 3), 0))
    v = torch.linalg.eigh(a.matrix).eigenvectors  # a sum of j eigenvectors takes j iterations
    b = torch.stack([v[:, -1], normal(30, seed=1), v[:, -9::8].sum(1), v[:, -17::8].sum(1)])
    solution = minres(a, b, tolerance=1e-9)
    assert (solution.iterations[0], *solution.iterations[2:]) == (1, 2, 3)
    assert a.rows == [4, 3, 2] + [1] * (solution.iterations[1] - 3)
    assert distance(solution.x, torch.linalg.solve(a.matrix, b.T).T) < 1e-6


def test_operator_may_use_autograd_and_return_its_argument_or_its_own_memory() -> None:
    a, memory = symmetric(spectrum(8, 1), 0), torch.empty(2, 8, dtype=torch.float64)
    theta = torch.zeros(8, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(0.5 * theta @ a @ theta, theta, create_graph=True)
    b, plain = gradient + normal(2, 8, seed=0), normal(2, 8, seed=0)
    options: Any = {"is_grads_batched": True, "create_graph": True}
    solution = minres(lambda v: torch.autograd.grad(gradient, theta, v, **options)[0], b)
    assert not solution.x.requires_grad
    assert distance(solution.x, solve(a, plain).x) < 1e-12
    assert torch.equal(minres(lambda v: torch.mm(v, a, out=memory[: len(v)]), plain).x, solve(a, plain).x)
    assert torch.equal(minres(lambda v: v, plain).x, plain)


def test_shapes_and_types_are_checked() -> None:
    b = torch.ones(2, 3)
    cases = [(b[0], None, r"\[3\].*k, n"), (b.long(), None, "int64"), (b, b.T, r"3, 2.*2, 3")]
    for rhs, x0, message in cases:
        with pytest.raises(ValueError, match=message):
            minres(torch.neg, rhs, x0=x0)
    with pytest.raises(ValueError, match=r"2, 3.*3, 2"):
        minres(torch.t, b)


def test_each_right_hand_side_has_a_tolerance_of_its_own():
    A = torch.diag(torch.logspace(0, 3, 40, dtype=torch.float64))
    rhs = torch.ones(2, 40, dtype=torch.float64)
    loose, tight = minres(lambda v: v @ A, rhs, tolerance=[0.3, 1e-8]).iterations
    assert loose < tight
    with pytest.raises(ValueError, match="3 tolerances for 2"):
        minres(lambda v: v @ A, rhs, tolerance=[0.1] * 3)
