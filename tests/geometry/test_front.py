"""The local front model against exact fronts."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import paretonav as pn
from paretonav.geometry import FrontModel, Geometry, path_curvature, tangent_at
from paretonav.objectives import Cost

EXACT = Geometry(damping=0.0, tolerance=1e-12, max_iterations=500)


def model_at(
    problem: pn.FunctionProblem, x: torch.Tensor, weights: torch.Tensor
) -> tuple[FrontModel, object]:
    t = tangent_at(problem, x, weights, EXACT)
    return FrontModel.from_tangent(problem, t, EXACT), t


@settings(max_examples=15, deadline=None)
@given(m=st.integers(2, 5), seed=st.integers(0, 1000))
def test_path_curvature_equals_the_dense_one(m: int, seed: int) -> None:
    problem = pn.problems.quadratic(n=9, m=m, seed=seed)
    V = torch.randn(m - 1, 9, generator=torch.Generator().manual_seed(seed)).double()
    cost = Cost()
    Q = path_curvature(problem.curvature_sample(), problem.parameters(), V, m, cost)
    torch.testing.assert_close(Q, torch.einsum("aj,ijk,bk->iab", V, problem.Q, V))
    assert cost.hessian_products == m * (m - 1)


@settings(max_examples=20, deadline=None)
@given(m=st.integers(2, 5), seed=st.integers(0, 1000))
def test_change_is_right_to_second_order_and_lies_on_the_exact_front(m: int, seed: int) -> None:
    problem = pn.problems.quadratic(n=12, m=m, seed=seed)
    rng = np.random.default_rng(seed)
    weights = torch.from_numpy(rng.dirichlet(5 * np.ones(m)))
    x = problem.pareto_point(weights)
    front, tangent = model_at(problem, x, weights)
    direction = rng.normal(size=m - 1)
    direction /= np.linalg.norm(front.response @ direction)
    scale = float(front.losses.mean())
    s = min(0.05 * scale, 0.5 * front.edge(direction))
    c = s * direction
    predicted = front.change(c)
    # Along the linearised path a quadratic's change is exactly its second-order model.
    achieved = (problem.evaluate(tangent.point(torch.from_numpy(c))).mean - problem.evaluate(x).mean).numpy()
    np.testing.assert_allclose(predicted, achieved, rtol=1e-6, atol=1e-9)
    # And the path leaves the exact front only at higher order.
    off = problem.front_distance(torch.from_numpy(front.losses + predicted))
    first = problem.front_distance(torch.from_numpy(front.losses - front.response @ c))
    assert abs(off) <= 0.2 * abs(first) + 1e-9
    assert abs(off) <= 0.01 * np.linalg.norm(predicted)


def test_common_bend_of_many_objectives_is_the_displacement_along_one() -> None:
    m = 12
    problem = pn.problems.quadratic(n=40, m=m, seed=3)
    weights = torch.full((m,), 1 / m).double()
    front, _ = model_at(problem, problem.pareto_point(weights), weights)
    assert front.bend.shape == (1, m - 1, m - 1)
    c = np.random.default_rng(0).normal(size=m - 1)
    c *= 0.03 * front.losses.mean() / np.linalg.norm(front.response @ c)
    off = problem.front_distance(torch.from_numpy(front.losses + front.change(c)))
    first = problem.front_distance(torch.from_numpy(front.losses - front.response @ c))
    assert abs(off) <= 0.1 * abs(first)


def test_concave_front() -> None:
    problem = pn.problems.dtlz(2, m=3, n=8)
    x = torch.full((8,), 0.5).double()
    x[:2] = torch.tensor([0.4, 0.6])
    f = problem.evaluate(x).mean
    front, tangent = model_at(problem, x, f / f.sum())
    S = tangent.weight_basis.T @ tangent.objective_response
    assert float(torch.linalg.eigvalsh(0.5 * (S + S.T)).max()) < 0
    for c in np.eye(2) * 0.05 / np.abs(front.response).max():
        outcome = front.losses + front.change(c)
        assert abs(outcome @ outcome - 1) < 2e-4
        assert abs((front.losses - front.response @ c) @ (front.losses - front.response @ c) - 1) > 1e-3


def test_exchange_rates_are_those_of_the_exact_front() -> None:
    problem = pn.problems.dtlz(2, m=3, n=8)
    x = torch.full((8,), 0.5).double()
    x[:2] = torch.tensor([0.4, 0.6])
    f = problem.evaluate(x).mean.numpy()
    front, _ = model_at(problem, x, torch.from_numpy(f / f.sum()))
    rates = front.exchange_rates()  # on the sphere: f_i df_i + f_j df_j = 0
    for i in range(3):
        assert np.isnan(rates[i, i])
        for j in set(range(3)) - {i}:
            assert rates[i, j] == pytest.approx(-f[i] / f[j], rel=1e-6)


def test_edge_is_where_the_first_weight_is_spent() -> None:
    problem = pn.problems.quadratic(n=10, m=4, seed=2)
    weights = torch.tensor([0.1, 0.2, 0.3, 0.4]).double()
    front, _ = model_at(problem, problem.pareto_point(weights), weights)
    for c in np.random.default_rng(0).normal(size=(20, 3)):
        s = front.edge(c)
        assert front.weights_at(s * c).min() == pytest.approx(0, abs=1e-6)
        assert front.weights_at(0.99 * s * c).min() > 0


def test_edge_respects_the_box() -> None:
    problem = pn.problems.zdt(2, n=5)
    x = torch.zeros(5).double()
    x[0] = 0.9
    front, tangent = model_at(problem, x, torch.tensor([0.5, 0.5]))
    outward = np.array([1.0]) * -np.sign(float(tangent.basis[0, 0]))
    s = front.edge(outward)
    assert float(tangent.point(torch.from_numpy(s * outward))[0]) <= 1 + 1e-9
    G, h, entry = front.box
    assert set(entry) == {0}
    assert (G @ (s * outward) <= h + 1e-9).all()
