"""The other methods do what their papers say: where they go, and what it costs."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from torchjd.aggregation import UPGrad as TorchjdUPGrad

import paretonav as pn
from peers.descent import Fixed, Rule, descend, root
from peers.epo import EPO
from peers.mgda import MGDA
from peers.pmgda import PMGDA
from peers.upgrad import DaqpProjector, UPGrad

SEEDS = st.integers(0, 10**6)
FEW = settings(max_examples=15, deadline=None, derandomize=True)


def gradients(seed: int, m: int = 3, n: int = 6) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(m, n)) * [[10.0], [1.0], [0.3], [3.0]][:m]


@FEW
@given(SEEDS, st.integers(2, 4))
def test_a_root_has_the_gramian(seed: int, m: int) -> None:
    J = gradients(seed, m)
    R = root(J @ J.T)
    np.testing.assert_allclose(R @ R.T, J @ J.T, atol=1e-10)


@FEW
@given(SEEDS, st.integers(2, 4))
def test_mgda_takes_the_shortest_combination(seed: int, m: int) -> None:
    J = gradients(seed, m)
    G = J @ J.T
    w = MGDA()(np.ones(m), G)
    assert w.min() >= 0
    assert w.sum() == pytest.approx(1)
    dense = minimize(
        lambda v: v @ G @ v,
        np.full(m, 1 / m),
        jac=lambda v: 2 * G @ v,
        bounds=[(0, 1)] * m,
        method="SLSQP",
        constraints={"type": "eq", "fun": lambda v: v.sum() - 1},
        options={"ftol": 1e-14, "maxiter": 500},
    )
    assert w @ G @ w <= dense.fun * (1 + 1e-6) + 1e-9
    assert (G @ w >= w @ G @ w - 1e-7).all()  # so all objectives fall


@FEW
@given(SEEDS, st.booleans())
def test_upgrad_is_that_of_torchjd_and_harms_nobody(seed: int, preferred: bool) -> None:
    J = gradients(seed)
    preference = np.array([0.5, 0.3, 0.2]) if preferred else None
    w = UPGrad(preference)(np.ones(3), J @ J.T)
    reference = TorchjdUPGrad(
        pref_vector=None if preference is None else torch.from_numpy(preference), projector=DaqpProjector()
    )(torch.from_numpy(J))
    np.testing.assert_allclose(w @ J, reference.numpy(), rtol=1e-5, atol=1e-6)
    # Up to torchjd's regularisation nobody loses.
    assert ((J @ J.T / np.trace(J @ J.T) + 1e-4 * np.eye(3)) @ w >= -1e-6).all()


@FEW
@given(SEEDS)
def test_epo_lowers_the_largest_or_all(seed: int) -> None:
    J = gradients(seed)
    G = J @ J.T
    losses, ray = np.random.default_rng(seed).uniform(0.2, 2, 3), np.array([1.0, 2.0, 0.5])
    w = EPO(ray)(losses, G)
    assert w.min() >= -1e-9
    assert w.sum() == pytest.approx(1)
    assert (G @ w)[np.argmax(losses / ray)] >= -1e-7 * np.trace(G)  # the farthest above the ray never rises
    on_ray = EPO(ray)(0.7 * ray, G)
    assert (G @ on_ray >= -1e-7 * np.trace(G)).all()


@FEW
@given(SEEDS)
def test_pmgda_approaches_the_ray_or_lowers_all(seed: int) -> None:
    J = gradients(seed)
    G = J @ J.T
    losses, ray = np.random.default_rng(seed).uniform(0.2, 2, 3), np.array([1.0, 2.0, 0.5])

    def distance(f: np.ndarray) -> float:
        return float(np.linalg.norm(f - f @ ray / (ray @ ray) * ray))

    w = PMGDA(ray)(losses, G)
    short = 1e-6 / np.linalg.norm(G @ w)
    if distance(losses) > 0.02 * np.linalg.norm(losses):
        assert distance(losses - short * (G @ w)) < distance(losses)
    on_ray = PMGDA(ray)(0.7 * ray, G)
    np.testing.assert_allclose(on_ray, MGDA()(losses, G), atol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("method", [EPO, PMGDA])
@settings(max_examples=2, deadline=None, derandomize=True)
@given(SEEDS)
def test_rays_lead_to_the_front_where_the_losses_are_proportional(method: Any, seed: int) -> None:
    generator = np.random.default_rng(seed)
    problem = pn.problems.quadratic(n=6, m=3)
    sought = problem.evaluate(
        problem.pareto_point(torch.from_numpy(generator.dirichlet([4.0] * 3)))
    ).mean.numpy()
    start = torch.from_numpy(generator.normal(size=6))
    found = problem.evaluate(descend(problem, start, method(sought), rate=0.1, epochs=400).theta).mean
    assert (
        np.degrees(np.arccos(min(1.0, found.numpy() @ sought / float(found.norm()) / np.linalg.norm(sought))))
        < 4
    )
    assert problem.front_distance(found) < 0.02 * float(found.norm())


@pytest.mark.slow
@pytest.mark.parametrize("method", [EPO, PMGDA])
def test_rays_are_met_on_a_concave_front(method: Any) -> None:
    problem = pn.problems.dtlz(2, m=3)
    ray = np.array([0.8, 0.5, 0.4])
    found = problem.evaluate(
        descend(problem, problem.parameters(), method(ray), rate=0.1, epochs=400).theta
    ).mean
    assert problem.front_distance(found) < 0.02
    assert found.numpy() @ ray / float(found.norm()) / np.linalg.norm(ray) > 0.998


@pytest.mark.slow
@settings(max_examples=3, deadline=None, derandomize=True)
@given(SEEDS)
def test_a_weighted_sum_ends_at_its_minimiser(seed: int) -> None:
    problem = pn.problems.quadratic(n=5, m=2)
    w = np.random.default_rng(seed).dirichlet([2.0, 2.0])
    run = descend(problem, problem.parameters(), Fixed(w), rate=0.1, epochs=500)
    torch.testing.assert_close(run.theta, problem.pareto_point(torch.from_numpy(w)), rtol=0, atol=1e-3)


def test_bounds_are_kept_and_do_not_stop_the_rest() -> None:
    problem = pn.problems.zdt(1)
    run = descend(problem, problem.parameters(), MGDA(), rate=0.1, epochs=300)
    assert ((run.theta >= 0) & (run.theta <= 1)).all()
    assert problem.front_distance(problem.evaluate(run.theta).mean) < 1e-2


def small() -> pn.ModelProblem:
    return pn.problems.digits(epochs=2, train_size=512, validation_size=100)


@pytest.mark.parametrize(
    ("rule", "backward"),
    [(Fixed(np.full(3, 1 / 3)), 1), (MGDA(), 3), (UPGrad(), 3), (EPO(np.ones(3)), 3), (PMGDA(np.ones(3)), 3)],
)
def test_models_are_trained_and_passes_counted(rule: Rule, backward: int) -> None:
    problem = small()
    theta = problem.parameters()
    before = problem.evaluate(theta).mean
    run = descend(problem, theta, rule, rate=3e-3, epochs=3)
    assert run.epochs == pytest.approx(3)
    assert run.gradient_passes == pytest.approx(3 * backward)
    assert float(problem.evaluate(run.theta).mean.max()) < float(before.max())
    assert torch.equal(problem.parameters(), theta)


def test_a_descent_is_that_of_its_seed_and_ends_in_time() -> None:
    problem = small()
    theta = problem.parameters()
    runs = [descend(problem, theta, MGDA(), rate=1e-3, epochs=1, seed=seed).theta for seed in (1, 1, 2)]
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])
    assert descend(problem, theta, MGDA(), rate=1e-3, seconds=0).epochs == pytest.approx(0.5)
    annealed = descend(problem, theta, Fixed(np.full(3, 1 / 3)), rate=1e-2, epochs=2, anneal=True)
    assert annealed.epochs == pytest.approx(2)
    with pytest.raises(ValueError, match="seconds or epochs"):
        descend(problem, theta, MGDA(), rate=1e-3)


def test_what_is_not_finite_ends_a_descent() -> None:
    problem = small()
    run = descend(problem, problem.parameters(), MGDA(), rate=1e30, epochs=5)
    assert run.epochs < 5
    assert problem.evaluate(run.theta).mean.isfinite().all()


@pytest.mark.parametrize("rule", [Fixed(np.array([0.5, 0.5])), MGDA()])
def test_a_function_that_is_not_finite_ends_a_descent(rule: Rule) -> None:
    problem = pn.FunctionProblem(
        lambda x: torch.stack([(x - 1).square().sum(), x.sqrt().sum()]), torch.ones(2).double()
    )
    theta = torch.full((2,), -1.0, dtype=torch.float64)
    assert descend(problem, theta, rule, rate=0.1, epochs=5).epochs == 0
