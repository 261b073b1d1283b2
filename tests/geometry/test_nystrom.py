"""The preconditioner against dense eigenvalues, and the solves with it against dense solutions."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import paretonav as pn
from paretonav.geometry import Geometry, Nystrom, nystrom, tangent_at
from paretonav.geometry.nystrom import Recorder
from paretonav.geometry.preconditioned import Nearby, preconditioned_minres
from paretonav.geometry.recycling import recycled_minres
from paretonav.geometry.right_hand_sides import RightHandSides

N, K, SHIFT = 60, 3, 1e-2
FEW = settings(max_examples=10, deadline=None, derandomize=True)
SEEDS = st.integers(0, 10**6)


class Operator:
    """A dense ``H + shift``, like ``Curvature``, that counts its products."""

    def __init__(self, H: Tensor, shift: float = SHIFT) -> None:
        self.H, self.shift, self.products = H, shift, 0

    def __call__(self, rows: Tensor) -> Tensor:
        self.products += len(rows)
        return rows @ self.H + self.shift * rows


def curvature(seed: int, rank: int = N, turn: float = 0.0) -> Tensor:
    """A positive semidefinite H with falling eigenvalues 1, ...; the same one, turned a little."""
    generator = torch.Generator().manual_seed(seed)
    Q = torch.linalg.qr(torch.randn(N, N, generator=generator, dtype=torch.float64)).Q
    skew = torch.randn(N, N, generator=generator, dtype=torch.float64)
    Q = torch.linalg.matrix_exp(turn * (skew - skew.T) / N**0.5) @ Q
    eigenvalues = torch.logspace(0, -5, N, dtype=torch.float64)
    eigenvalues[rank:] = 0
    return (Q * eigenvalues) @ Q.T


def right_hand_sides(seed: int) -> Tensor:
    return torch.randn(K, N, generator=torch.Generator().manual_seed(seed + 1), dtype=torch.float64)


def learnt(H: Tensor, seed: int, calls: int = 10) -> Nystrom:
    recorder = Recorder(Operator(H), SHIFT)
    recycled_minres(
        recorder, right_hand_sides(seed), tolerance=[1e-12] * K, max_iterations=calls, nearby=None
    )
    found = recorder.nystrom()
    assert found is not None
    return found


@FEW
@given(SEEDS)
def test_what_has_low_rank_is_known_exactly(seed: int) -> None:
    H = curvature(seed, rank=6)
    found = learnt(H, seed)
    exact = torch.linalg.eigvalsh(H).flip(0)
    torch.testing.assert_close(found.values[:5], exact[:5], rtol=1e-4, atol=0)
    dense = (found.vectors.T * found.values) @ found.vectors
    assert float((dense - H).norm()) <= 1e-4
    torch.testing.assert_close(
        found.vectors @ found.vectors.T, torch.eye(len(found.values)).double(), rtol=0, atol=1e-6
    )


@FEW
@given(SEEDS)
def test_it_never_overrates_the_curvature(seed: int) -> None:
    H = curvature(seed)
    found = learnt(H, seed)
    exact = torch.linalg.eigvalsh(H).flip(0)[: len(found.values)]
    assert (found.values <= exact * (1 + 1e-6)).all()  # a Nystroem approximation is below H
    assert (found.values.diff() <= 0).all()


@FEW
@given(SEEDS)
def test_the_root_is_symmetric_and_evens_out(seed: int) -> None:
    H = curvature(seed)
    S = learnt(H, seed).root(SHIFT)(torch.eye(N, dtype=torch.float64))
    torch.testing.assert_close(S, S.T, rtol=0, atol=1e-12)
    assert torch.linalg.eigvalsh(S).min() > 0
    evened = torch.linalg.cond(S @ (H + SHIFT * torch.eye(N)) @ S)
    assert evened < 0.2 * torch.linalg.cond(H + SHIFT * torch.eye(N))


@FEW
@given(SEEDS, st.sampled_from([0.0, 0.02, 0.5]))
def test_solutions_are_those_of_the_system_whatever_is_known_of_it(seed: int, turn: float) -> None:
    H, b = curvature(seed, turn=turn), right_hand_sides(seed)
    operator = Operator(H)
    solution, known = preconditioned_minres(
        operator,
        RightHandSides(b, K - 1),
        tolerance=1e-9,
        max_iterations=500,
        nearby=Nearby(None, learnt(curvature(seed), seed)),
        learn=True,
    )
    assert solution.converged
    assert solution.products == operator.products
    exact = torch.linalg.solve(H + SHIFT * torch.eye(N), b.T).T
    torch.testing.assert_close(solution.x, exact, rtol=0, atol=1e-6 * float(exact.abs().max()))
    assert (known is None) == (max(solution.iterations) > 20)  # what is of no use is not handed on


@FEW
@given(SEEDS)
def test_it_saves_products_nearby(seed: int) -> None:
    b = right_hand_sides(seed)
    _, known = preconditioned_minres(
        Operator(curvature(seed)),
        RightHandSides(b, K - 1),
        tolerance=0.02,
        max_iterations=200,
        nearby=Nearby(),
        learn=True,
    )
    assert known is not None
    near = Operator(curvature(seed, turn=0.01))
    plain = recycled_minres(near, b, tolerance=[0.02] * K, max_iterations=200, nearby=None)
    evened, _ = preconditioned_minres(
        near,
        RightHandSides(b, K - 1),
        tolerance=0.02,
        max_iterations=200,
        nearby=Nearby(None, known),
        learn=True,
    )
    assert evened.products < 0.7 * plain.products
    exact = torch.linalg.solve(near.H + SHIFT * torch.eye(N), b.T).T

    def lost(x: Tensor) -> float:  # of the energy, which is what a residual is to stand for
        return float(((exact - x) * near(exact - x)).sum() / (exact * b).sum())

    assert lost(evened.x) <= max(lost(plain.x), 2 * 0.02**2)


@pytest.mark.parametrize("learn", [True, False])
def test_nothing_is_learnt_where_it_may_not_be(learn: bool) -> None:
    _, known = preconditioned_minres(
        Operator(curvature(0)),
        RightHandSides(right_hand_sides(0), 0),
        tolerance=0.1,
        max_iterations=50,
        nearby=Nearby(),
        learn=learn,
    )
    assert (known is not None) == learn


def test_long_vectors_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nystrom, "_ENTRIES", 10 * N)
    recorder = Recorder(Operator(curvature(0)), SHIFT)
    for _ in range(8):
        recorder(right_hand_sides(0))
    found = recorder.nystrom()
    assert found is not None
    assert len(found.values) <= 9


def test_where_there_is_no_room_to_learn_there_is_one_solve(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nystrom, "_ENTRIES", 7 * N)
    operator, b = Operator(curvature(0)), right_hand_sides(0)
    solution, known = preconditioned_minres(
        operator,
        RightHandSides(b, K - 1),
        tolerance=0.02,
        max_iterations=100,
        nearby=Nearby(),
        learn=True,
    )
    assert known is None
    plain = recycled_minres(Operator(operator.H), b, tolerance=[0.02] * K, max_iterations=100, nearby=None)
    assert solution.products == plain.products


def test_products_that_are_not_finite_teach_nothing() -> None:
    recorder = Recorder(lambda rows: rows * float("nan"), SHIFT)
    for _ in range(8):
        recorder(right_hand_sides(0))
    assert recorder.nystrom() is None


@pytest.mark.slow
def test_a_step_hands_it_on_and_a_session_keeps_it(tmp_path: object) -> None:
    problem = pn.problems.digits(epochs=40, train_size=600, validation_size=200)
    nav = pn.Navigator(problem, session=f"{tmp_path}/walk")
    nav.start()
    first = nav.tangent.nystrom
    assert first is not None
    nav.step(pn.Improve({"west": 1.0}), 0.01)
    assert nav.tangent.nystrom is first
    del nav
    kept = pn.Navigator(problem, session=f"{tmp_path}/walk").tangent.nystrom
    assert kept is not None
    assert torch.equal(kept.vectors, first.vectors)


def test_functions_and_fixed_settings_go_without() -> None:
    quadratic = pn.problems.quadratic(n=10, m=3)
    weights = torch.full((3,), 1 / 3)
    assert tangent_at(quadratic, quadratic.parameters(), weights).nystrom is None
    problem = pn.problems.digits(epochs=1, train_size=300, validation_size=100)
    theta = problem.train()
    assert tangent_at(problem, theta, weights, Geometry(recycle=False)).nystrom is None
