"""The tangent, the refined weights and the Newton step against dense linear algebra in float64."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.data import TensorDataset

import paretonav as pn
from paretonav.geometry import Geometry, measure_front, pareto_weights, tangent_at, weight_basis
from paretonav.geometry.algebra import absolute
from paretonav.geometry.calibration import calibration

EXACT = Geometry(damping=0.0, tolerance=1e-12, max_iterations=500)


def random_weights(m: int, seed: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).dirichlet(2 * np.ones(m)))


@given(m=st.integers(2, 50))
def test_weight_basis_is_orthonormal_and_sums_to_zero(m: int) -> None:
    B = weight_basis(m)
    torch.testing.assert_close(B.T @ B, torch.eye(m - 1).double())
    assert float(B.sum(0).abs().max()) < 1e-13


@settings(max_examples=20, deadline=None)
@given(m=st.integers(2, 6), seed=st.integers(0, 1000))
def test_tangent_at_an_exact_pareto_point(m: int, seed: int) -> None:
    problem = pn.problems.quadratic(n=15, m=m, seed=seed)
    weights = random_weights(m, seed)
    x = problem.pareto_point(weights)
    t = tangent_at(problem, x, weights, EXACT)

    A = torch.einsum("i,ijk->jk", weights, problem.Q)
    J = torch.einsum("ijk,ik->ij", problem.Q, x - problem.centres)
    B = weight_basis(m)
    V = torch.linalg.solve(A, J.T @ B)
    torch.testing.assert_close(t.basis.T, V, rtol=1e-7, atol=1e-9)
    torch.testing.assert_close(t.response, J @ V, rtol=1e-7, atol=1e-9)
    torch.testing.assert_close(t.weights, weights, rtol=0, atol=1e-6)
    assert t.residual < 1e-6
    assert abs(t.joint_gain) < 1e-12
    assert (
        float((t.weights @ t.response).abs().max()) < 1e-5
    )  # along the front the weighted sum does not move
    assert t.solution.converged

    # The definition: moving the weights moves the exact Pareto point along -V.
    h = 1e-5 * torch.ones(m - 1).double()
    moved = problem.pareto_point((weights + B @ h).clamp_min(0))
    if bool((weights + B @ h >= 0).all()):
        assert float((moved - t.point(h)).norm()) < 1e-2 * float((moved - x).norm()) + 1e-12


@settings(max_examples=20, deadline=None)
@given(m=st.integers(2, 5), seed=st.integers(0, 1000))
def test_newton_step_lowers_all_objectives_alike_and_its_gain_is_the_decrement(m: int, seed: int) -> None:
    problem = pn.problems.quadratic(n=12, m=m, seed=seed)
    rng = torch.Generator().manual_seed(seed)
    weights = random_weights(m, seed) * 0.5 + 0.5 / m
    x = problem.pareto_point(weights) + 1e-3 * torch.randn(12, generator=rng).double()
    t = tangent_at(problem, x, weights, EXACT)
    A = torch.einsum("i,ijk->jk", weights, problem.Q)
    J = torch.einsum("ijk,ik->ij", problem.Q, x - problem.centres)
    K = J @ torch.linalg.solve(A, J.T)
    if float(t.weights.min()) > 1e-9:
        # Independent: the least w^T K w with sum one is K^-1 1 / (1^T K^-1 1).
        w = torch.linalg.solve(K, torch.ones(m).double())
        torch.testing.assert_close(t.weights, w / w.sum(), rtol=1e-4, atol=1e-5)
        change = J @ t.normal_step
        torch.testing.assert_close(change, change.mean().expand(m), rtol=1e-4, atol=1e-9)
        assert float(-change.mean()) == pytest.approx(2 * t.joint_gain, rel=1e-4)
    assert t.joint_gain == pytest.approx(0.5 * float(t.weights @ K @ t.weights), rel=1e-4)


def test_weights_stay_in_the_simplex_when_the_stationary_ones_do_not() -> None:
    problem = pn.problems.quadratic(n=10, m=3, seed=1)
    x = problem.pareto_point(torch.tensor([1.0, 0.0, 0.0])) + 0.02
    t = tangent_at(problem, x, torch.tensor([0.98, 0.01, 0.01]), EXACT)
    assert float(t.weights.min()) >= 0
    assert float(t.weights.sum()) == pytest.approx(1)
    A = torch.einsum("i,ijk->jk", torch.tensor([0.98, 0.01, 0.01]).double(), problem.Q)
    J = torch.einsum("ijk,ik->ij", problem.Q, x - problem.centres)
    K = J @ torch.linalg.solve(A, J.T)
    best = float(t.weights @ K @ t.weights)
    for w in np.random.default_rng(0).dirichlet(np.ones(3), size=2000):
        assert best <= w @ K.numpy() @ w + 1e-9


def decayed(decay: float, seed: int = 0) -> pn.ModelProblem:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 2)).double()
    x = torch.randn(40, 3).double()
    y = torch.stack([x[:, 0] + x[:, 1] ** 2, x[:, 0] - x[:, 2]], 1)
    losses = {f"f{i}": (lambda o, b, i=i: ((o[:, i] - b[1][:, i]) ** 2).mean()) for i in range(2)}
    return pn.ModelProblem(model, losses, TensorDataset(x, y), weight_decay=decay)


def dense_gradients_and_hessian(
    problem: pn.ModelProblem, weights: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    (part,) = problem.curvature_sample()

    def values(v: torch.Tensor) -> torch.Tensor:
        return part.losses(part.outputs(v)) + 0.5 * problem.weight_decay * v @ v

    theta = problem.parameters()
    J = torch.autograd.functional.jacobian(values, theta)
    H = torch.autograd.functional.hessian(lambda v: weights @ values(v), theta)
    return J, H


def test_weight_decay_is_in_the_geometry_and_not_in_the_losses() -> None:
    problem = decayed(0.5)
    weights = torch.tensor([0.5, 0.5]).double()
    t = tangent_at(problem, problem.parameters(), weights, Geometry(curvature="exact", tolerance=1e-13))
    J, H = dense_gradients_and_hessian(problem, weights)
    V = torch.linalg.solve(H, J.T @ weight_basis(2))
    torch.testing.assert_close(t.basis.T, V, rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(t.objective_response, J @ V, rtol=1e-6, atol=1e-9)
    data = J - 0.5 * problem.parameters()
    torch.testing.assert_close(t.response, data @ V, rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(t.jacobian, data)
    assert t.damping == 0.0

    # The Newton step leaves the size of the parameters, and lowers the shown losses alike.
    assert abs(float(t.normal_step @ t.theta)) < 1e-8
    change = data @ t.normal_step
    assert float(change[0]) == pytest.approx(float(change[1]), rel=1e-5)
    assert float(-change.mean()) == pytest.approx(2 * t.joint_gain, rel=1e-5)


def test_calibrated_gauss_newton_solves_the_exact_system_in_its_span() -> None:
    problem = decayed(0.3, seed=3)
    weights = torch.tensor([0.6, 0.4]).double()
    t = tangent_at(problem, problem.parameters(), weights, Geometry(tolerance=1e-12))
    J, H = dense_gradients_and_hessian(problem, weights)
    X = torch.stack([t.basis[0], t.normal_step])
    # Galerkin: the residual of the exact system is orthogonal to the directions found.
    residual = H @ t.basis[0] - J.T @ weight_basis(2)[:, 0]
    assert float((X @ residual).abs().max()) < 1e-8 * float(residual.norm() * X.norm())


@settings(max_examples=50, deadline=None)
@given(k=st.integers(1, 6), seed=st.integers(0, 10_000))
def test_calibration_is_galerkin_where_curvature_is_clearly_positive(k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    F, E = rng.normal(size=(k, 2 * k)), rng.normal(size=(k, 2 * k))
    solved = torch.from_numpy(F @ F.T)
    exact = 0.5 * solved + 0.05 * torch.from_numpy(E @ E.T)
    Y = calibration(solved, exact)
    torch.testing.assert_close(exact @ Y, solved, rtol=1e-6, atol=1e-7 * float(solved.norm()))
    # Negative exact curvature never makes a step longer than five Gauss-Newton steps.
    Y = calibration(solved, -exact)
    torch.testing.assert_close(Y, 5 * torch.eye(k).double(), rtol=1e-5, atol=1e-5)


def test_active_bounds_leave_the_tangent() -> None:
    problem = pn.problems.zdt(1, n=6)
    x = torch.zeros(6).double()
    x[0] = 0.3
    _, J = problem.jacobian(x)
    weights, gradient = pareto_weights(problem, x, J)
    assert float(gradient.norm()) < 1e-12
    t = tangent_at(problem, x, weights, Geometry())
    assert t.free.tolist() == [True] + 5 * [False]
    assert not t.basis[:, 1:].any()
    # The front is f2 = 1 - sqrt(f1): its slope is the ratio of the responses.
    assert float(t.response[1, 0] / t.response[0, 0]) == pytest.approx(-0.5 / np.sqrt(0.3), rel=1e-6)


def test_a_parameter_at_its_bound_with_no_multiplier_is_fixed_too() -> None:
    problem = pn.FunctionProblem(
        lambda x: torch.stack([(x[0] - 1) ** 2 + x[1] ** 2, (x[0] + 1) ** 2 + x[1] ** 2]),
        torch.tensor([0.2, 0.0]).double(),
        bounds=(torch.tensor([-2.0, 0.0]), torch.tensor([2.0, 1.0])),
    )
    t = tangent_at(problem, problem.parameters(), torch.tensor([0.6, 0.4]))
    assert t.free.tolist() == [True, False]


def test_a_flat_front_is_solvable() -> None:
    problem = pn.problems.dtlz(1, m=3)
    x = torch.full((problem.parameters().numel(),), 0.5).double()
    t = tangent_at(problem, x, torch.full((3,), 1 / 3).double(), Geometry())
    assert t.solution.converged
    assert float(t.response.sum(0).abs().max()) < 1e-6 * float(
        t.response.abs().max()
    )  # the front is sum f = 1/2


def test_non_finite_curvature_is_reported() -> None:
    def fn(x: torch.Tensor) -> torch.Tensor:
        root = x[0].clamp_min(0).pow(1.5)  # first derivative 0 at 0, second infinite
        return torch.stack([root + (x**2).sum(), ((x - 1) ** 2).sum()])

    problem = pn.FunctionProblem(fn, torch.zeros(2).double())
    with pytest.raises(pn.NonFiniteError, match="curvature"):
        tangent_at(problem, torch.zeros(2).double(), torch.tensor([0.5, 0.5]))


@given(seed=st.integers(0, 1000), k=st.integers(1, 6))
def test_absolute_has_the_magnitudes_of_the_eigenvalues(seed: int, k: int) -> None:
    a = np.random.default_rng(seed).normal(size=(k, k))
    S = a + a.T
    P = absolute(S)
    np.testing.assert_allclose(P @ P, S @ S, atol=1e-7 * np.abs(S @ S).max() + 1e-12)
    assert np.linalg.eigvalsh(P).min() > 0
    assert np.linalg.eigvalsh(absolute(np.zeros((k, k)))).min() > 0


def test_front_model_needs_no_more_than_its_tangent() -> None:
    problem = pn.problems.quadratic(n=8, m=3)
    weights = torch.tensor([0.2, 0.3, 0.5]).double()
    t = tangent_at(problem, problem.pareto_point(weights), weights, EXACT)
    front = measure_front(problem, t, EXACT)
    assert front.names == problem.names
    np.testing.assert_array_equal(front.losses, t.losses.mean.numpy())


def test_solutions_from_nearby_leave_fixed_parameters_where_they_are() -> None:
    """A neighbour at which they were free has entries for them, which no product here would remove."""
    problem = pn.problems.quadratic(10, 3, seed=3, bounds=(-0.1, 0.1))
    assert problem.bounds is not None
    w = torch.tensor([0.2, 0.3, 0.5], dtype=torch.float64)
    inside = tangent_at(problem, 0.5 * problem.pareto_point(w), w)
    assert inside.free is not None
    assert inside.free.all()
    at_bounds = tangent_at(problem, problem.pareto_point(w), w, nearby=inside)
    assert at_bounds.free is not None
    assert 0 < (~at_bounds.free).sum() < 8
    assert not at_bounds.basis[:, ~at_bounds.free].any()
    assert not at_bounds.normal_step[~at_bounds.free].any()
    alone = tangent_at(problem, problem.pareto_point(w), w)
    torch.testing.assert_close(at_bounds.basis, alone.basis, rtol=1e-6, atol=1e-8)
