"""Solutions for several shifts from one space, against dense solves."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tensors import normal
from torch import Tensor

from paretonav.geometry.krylov_space import KrylovSpace
from paretonav.geometry.nystrom import Nystrom

N = 30
SHIFTS = (1e-3, 1e-1, 10.0)
CLOSE = {"rtol": 1e-4, "atol": 1e-6}  # what is less than 1e-5 of a block is taken for rounding
FEW = settings(max_examples=20, deadline=None, derandomize=True)


class Operator:
    """A matrix that counts the rows it multiplies."""

    def __init__(self, H: Tensor) -> None:
        self.H, self.rows = H, 0

    def __call__(self, rows: Tensor) -> Tensor:
        self.rows += len(rows)
        return rows @ self.H


def semidefinite(seed: int, rank: int = N) -> Tensor:
    """Eigenvalues over three decades, as many as the rank; the rest are zero."""
    basis = torch.linalg.qr(normal(N, N, seed=seed))[0]
    values = torch.zeros(N, dtype=torch.float64)
    values[:rank] = torch.logspace(1, -2, rank, dtype=torch.float64)
    return basis.T @ (values[:, None] * basis)


def dense(H: Tensor, rhs: Tensor, shift: float) -> Tensor:
    solution: Tensor = torch.linalg.solve(H + shift * torch.eye(len(H), dtype=H.dtype), rhs.T).T
    return solution


def residual(H: Tensor, rhs: Tensor, x: Tensor, shift: float) -> float:
    return float(((rhs - x @ H - shift * x).norm(dim=1) / rhs.norm(dim=1)).max())


def complete(space: KrylovSpace) -> KrylovSpace:
    while space.extend():
        pass
    return space


@FEW
@given(seed=st.integers(0, 1000), k=st.integers(1, 4), rank=st.sampled_from([3, 12, N]))
def test_a_complete_space_solves_for_every_shift(seed: int, k: int, rank: int) -> None:
    H, rhs = semidefinite(seed, rank), normal(k, N, seed=seed + 1)
    operator = Operator(H)
    space = complete(KrylovSpace(operator, rhs))
    assert space.products == operator.rows == space.dimensions <= min(N, rank + k)
    assert space.largest == pytest.approx(10, rel=1e-6)
    for shift in SHIFTS:
        x, left = space.solve(shift)
        torch.testing.assert_close(x, dense(H, rhs, shift), **CLOSE)
        assert left < 1e-3


@FEW
@given(
    seed=st.integers(0, 1000), k=st.integers(1, 3), blocks=st.integers(1, 4), shift=st.sampled_from(SHIFTS)
)
def test_the_residual_that_is_told_is_the_true_one(seed: int, k: int, blocks: int, shift: float) -> None:
    H, rhs = semidefinite(seed), normal(k, N, seed=seed + 1)
    space = KrylovSpace(Operator(H), rhs)
    for _ in range(blocks):
        assert space.extend()
    x, left = space.solve(shift)
    assert left == pytest.approx(residual(H, rhs, x, shift), rel=1e-5, abs=1e-8)
    assert left > 1e-5, "so that there was something to compare"


@FEW
@given(seed=st.integers(0, 1000), blocks=st.integers(1, 6))
def test_solutions_are_the_best_of_the_space(seed: int, blocks: int) -> None:
    """In the norm of the matrix, as conjugate gradients' are; a larger space is never worse."""
    H, rhs, shift = semidefinite(seed), normal(2, N, seed=seed + 1), 0.1
    A, exact = H + shift * torch.eye(N, dtype=H.dtype), dense(H, rhs, shift)
    space, errors = KrylovSpace(Operator(H), rhs), []
    for _ in range(blocks):
        space.extend()
        off = space.solve(shift)[0] - exact
        errors.append((off @ A * off).sum(1))
        assert ((off @ A) @ space.eigenvectors().vectors.T).abs().max() < 1e-8
    for before, after in pairwise(errors):
        assert (after <= before * (1 + 1e-9)).all()


def test_without_any_product_there_is_the_shift_alone() -> None:
    rhs = normal(2, N)
    space = KrylovSpace(Operator(semidefinite(0)), rhs)
    x, left = space.solve(2.0)
    torch.testing.assert_close(x, rhs / 2)
    assert (left, space.products, space.dimensions, space.largest) == (1.0, 0, 0, 0.0)


def test_dependent_right_hand_sides_cost_nothing() -> None:
    H, two = semidefinite(0), normal(2, N)
    rhs = torch.stack([two[0], two[1], two[0] + 2 * two[1], two[0], 0 * two[0]])
    space = KrylovSpace(Operator(H), rhs)
    assert space.extend()
    assert space.products == 2
    for shift in SHIFTS:
        torch.testing.assert_close(complete(space).solve(shift)[0], dense(H, rhs, shift), **CLOSE)


def test_right_hand_sides_of_very_different_lengths_are_all_solved_for() -> None:
    """Down to what rounding leaves of a product; shorter ones are told apart by their own residual."""
    H, rhs = semidefinite(0), normal(2, N) * torch.tensor([[1.0], [1e-3]]).double()
    x = complete(KrylovSpace(Operator(H), rhs)).solve(0.1)[0]
    torch.testing.assert_close(x[1], dense(H, rhs, 0.1)[1], rtol=1e-3, atol=1e-7)


def test_no_more_vectors_than_there_is_room_for() -> None:
    space = KrylovSpace(Operator(semidefinite(0)), normal(3, N), most=10)
    assert complete(space).dimensions == 9
    assert not space.extend()
    assert space.products == 9


def test_zeros_are_solved_by_zeros() -> None:
    space = KrylovSpace(Operator(semidefinite(0)), torch.zeros(2, N, dtype=torch.float64))
    assert not space.extend()
    x, _ = space.solve(0.1)
    assert not x.any()


@FEW
@given(seed=st.integers(0, 1000), known=st.integers(1, 10), blocks=st.integers(1, 4))
def test_known_eigenvectors_make_the_same_products_worth_more(seed: int, known: int, blocks: int) -> None:
    H, rhs, shift = semidefinite(seed), normal(2, N, seed=seed + 1), 0.01
    values, vectors = torch.linalg.eigh(H)
    nystrom = Nystrom(values.flip(0)[:known], vectors.flip(1)[:, :known].T.contiguous())
    plain, helped = KrylovSpace(Operator(H), rhs), KrylovSpace(Operator(H), rhs, nystrom)
    for space in (plain, helped):
        for _ in range(blocks):
            space.extend()
    A, exact = H + shift * torch.eye(N, dtype=H.dtype), dense(H, rhs, shift)
    with_it, without = (((x := s.solve(shift)[0]) - exact) @ A * (x - exact) for s in (helped, plain))
    assert helped.products <= plain.products
    assert (with_it.sum(1) <= without.sum(1) * (1 + 1e-6) + 1e-12).all()


@FEW
@given(seed=st.integers(0, 1000), k=st.integers(1, 3))
def test_a_space_is_gone_on_from(seed: int, k: int) -> None:
    """With the same matrix, what has been found is not multiplied again."""
    H, rhs = semidefinite(seed, rank=12), normal(k, N, seed=seed + 1)
    known = complete(KrylovSpace(Operator(H), rhs)).eigenvectors()
    assert (known.values[:-1] >= known.values[1:]).all()
    torch.testing.assert_close(known.vectors @ known.vectors.T, torch.eye(len(known.values)).double())
    operator = Operator(H)
    again = complete(KrylovSpace(operator, rhs, known))
    assert operator.rows == 0
    torch.testing.assert_close(again.solve(0.1)[0], dense(H, rhs, 0.1), **CLOSE)
    other = normal(1, N, seed=seed + 2)
    onward = complete(KrylovSpace(operator, other, known))
    torch.testing.assert_close(onward.solve(0.1)[0], dense(H, other, 0.1), **CLOSE)


def test_single_precision_is_as_good_as_its_products() -> None:
    H, rhs = semidefinite(0).float(), normal(2, N, dtype=torch.float32)
    space = complete(KrylovSpace(Operator(H), rhs))
    x, _ = space.solve(0.1)
    assert x.dtype == torch.float32
    torch.testing.assert_close(x.double(), dense(H.double(), rhs.double(), 0.1), rtol=1e-2, atol=1e-4)
    vectors = space.eigenvectors().vectors
    torch.testing.assert_close(vectors @ vectors.T, torch.eye(len(vectors)), rtol=0, atol=1e-4)


def test_room_is_used_to_the_last_vector() -> None:
    space = KrylovSpace(Operator(semidefinite(0)), normal(3, N), most=9)
    assert complete(space).dimensions == 9


@pytest.mark.parametrize("new", [1.0, 1e-2, 1e-3])
def test_what_is_new_is_orthogonal_to_what_is_known_however_little_it_is(new: float) -> None:
    """In single precision what is left of a vector has rounding errors of the whole of it."""
    vectors = torch.linalg.qr(normal(N, N))[0].float()
    known = Nystrom(torch.linspace(2, 1, 10), vectors[:10])
    rhs = normal(2, 10, dtype=torch.float32) @ vectors[:10] + new * vectors[10:12]
    space = KrylovSpace(Operator(semidefinite(0).float()), rhs, known)
    assert space.extend()
    found = space.eigenvectors().vectors
    assert len(found) == 12
    torch.testing.assert_close(found @ found.T, torch.eye(12), rtol=0, atol=1e-5)


@pytest.mark.parametrize("apart", [1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 0.0])
def test_right_hand_sides_that_are_all_but_equal_are_solved_for_in_single_precision(apart: float) -> None:
    """What tells them apart is rounding, which must not be taken for a direction of its own twice."""
    H, first = semidefinite(0).float(), normal(1, N, dtype=torch.float32)
    rhs = torch.cat([first, first + apart * normal(1, N, seed=1, dtype=torch.float32)])
    space = complete(KrylovSpace(Operator(H), rhs))
    vectors = space.eigenvectors().vectors
    torch.testing.assert_close(vectors @ vectors.T, torch.eye(len(vectors)), rtol=0, atol=1e-4)
    assert space.largest <= (1 + 1e-4) * float(torch.linalg.eigvalsh(H)[-1])
    x, told = space.solve(0.1)
    left = (x @ H + 0.1 * x - rhs).norm(dim=1) / rhs.norm(dim=1)
    assert float(left.max()) <= 1.5 * told + 1e-3


def test_a_curvature_that_is_negative_by_rounding_counts_as_none() -> None:
    """A Gauss-Newton matrix has none; so nothing goes further than without curvature, nor the other way."""
    H = torch.diag(torch.tensor([1.0, -1e-3] + [0.5] * (N - 2), dtype=torch.float64))
    rhs = torch.ones(1, N, dtype=torch.float64)
    space = complete(KrylovSpace(Operator(H), rhs))
    for shift in (1e-4, 1e-3, 1e-2):
        assert space.solve(shift)[0][0, 1] == pytest.approx(1 / shift)
    assert space.eigenvectors().values.min() == 0
