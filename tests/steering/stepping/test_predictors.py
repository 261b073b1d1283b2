import logging
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize, nnls
from torch import Tensor

import paretonav as pn
from paretonav.geometry import FrontModel, Geometry, Tangent, measure_front, tangent_at
from paretonav.objectives import Problem
from paretonav.steering import Situation
from paretonav.steering.planning.plan import Plan
from paretonav.steering.preferences import Wish
from paretonav.steering.preferences.situation import situation
from paretonav.steering.stepping.predictors import ObjectiveSpace, PublishedProjection
from paretonav.steering.stepping.predictors.published import preferred_direction

MANY = settings(max_examples=60, deadline=None, derandomize=True)
SEEDS = st.integers(0, 10**6)


def randn(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def bare(jacobian: Tensor, basis: Tensor, **known: Any) -> Any:
    """What a direction in parameter space needs to know of a tangent."""
    zero = torch.zeros_like(jacobian[0])
    return SimpleNamespace(
        **{"jacobian": jacobian, "basis": basis, "weight_decay": 0.0, "theta": zero, "free": None, **known}
    )


def wish_of(weights: dict[int, float], m: int) -> Wish:
    names = tuple(f"f{i}" for i in range(m))
    return pn.Improve({names[i]: w for i, w in weights.items()}).wish(
        Situation(tuple(names), np.ones(m), np.ones(m))
    )


def at_front(problem: Any, weights: list[float]) -> tuple[Tangent, FrontModel]:
    w = torch.tensor(weights, dtype=torch.float64)
    tangent = tangent_at(problem, problem.pareto_point(w), w)
    return tangent, measure_front(problem, tangent, Geometry())


def plan_of(predictor: Any, at: tuple[Tangent, FrontModel], preference: Any, amount: float) -> Plan:
    tangent, front = at
    return predictor.plan(front, lambda: tangent, preference.wish(situation(front)), amount)


# The published direction


@MANY
@given(st.integers(2, 6), st.data())
def test_the_preferred_direction_ascends_no_selected_objective(m: int, data: st.DataObject) -> None:
    selected = data.draw(st.sets(st.integers(0, m - 1), min_size=1))
    n, seed = data.draw(st.integers(1, 12)), data.draw(SEEDS)
    weights = {i: float(w) for i, w in zip(selected, randn(m, seed=seed).abs() + 0.1, strict=False)}
    J = randn(m, n, seed=seed) * 10.0 ** randn(m, 1, seed=seed + 1)
    d = preferred_direction(bare(J, J[:0]), wish_of(weights, m))
    G = J[list(selected)] / J[list(selected)].norm(dim=1, keepdim=True)
    assert (G @ d).max() <= 1e-9


@MANY
@given(st.integers(2, 6), st.integers(2, 12), SEEDS)
def test_it_is_the_weighted_sum_of_projections_on_the_dual_cone(m: int, n: int, seed: int) -> None:
    """Against non-negative least squares in the n-dimensional matrices themselves."""
    J = randn(m, n, seed=seed)
    p = randn(m, seed=seed + 1).abs().numpy() + 0.1
    G = (J / J.norm(dim=1, keepdim=True)).numpy()
    expected = np.zeros(n)
    for g, share in zip(G, p / p.sum(), strict=True):
        t, _ = nnls(G.T, -g)
        expected -= share * (g + G.T @ t)
    d = preferred_direction(bare(J, J[:0]), wish_of(dict(enumerate(p)), m))
    np.testing.assert_allclose(d.numpy(), expected, atol=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_each_of_these_projections_is_the_nearest_point_of_the_cone(seed: int) -> None:
    """Against a general solver of the projection's own definition."""
    J = randn(3, 6, seed=seed)
    J[1] -= 1.5 * J[0]
    G = (J / J.norm(dim=1, keepdim=True)).numpy()
    expected = np.zeros(6)
    for g in G:
        inside = {"type": "ineq", "fun": lambda x: G @ x, "jac": lambda x: G}
        found = minimize(
            lambda x, g=g: (0.5 * (x - g) @ (x - g), x - g),
            np.zeros(6),
            jac=True,
            method="SLSQP",
            constraints=inside,
            options={"ftol": 1e-16, "maxiter": 500},
        )
        expected -= found.x / 3
    d = preferred_direction(bare(J, J[:0]), wish_of({0: 1, 1: 1, 2: 1}, 3))
    np.testing.assert_allclose(d.numpy(), expected, atol=1e-6)


def test_one_objective_is_preferred_along_its_own_gradient() -> None:
    J = randn(3, 8, seed=0)
    d = preferred_direction(bare(J, J[:0]), wish_of({1: 5.0}, 3))
    torch.testing.assert_close(d, -J[1] / J[1].norm())


def test_gradients_have_weight_decay_and_stop_at_active_bounds() -> None:
    J, theta = randn(3, 8, seed=0), randn(8, seed=1)
    free = torch.arange(8) > 2
    d = preferred_direction(bare(J, J[:0], weight_decay=0.5, theta=theta, free=free), wish_of({0: 1.0}, 3))
    g = (J[0] + 0.5 * theta) * free
    torch.testing.assert_close(d, -g / g.norm())


@MANY
@given(st.integers(2, 6), SEEDS)
def test_the_step_is_the_orthogonal_projection_on_the_tangent_space(m: int, seed: int) -> None:
    n = 15
    J, V = randn(m, n, seed=seed), randn(m - 1, n, seed=seed + 1)
    wish = wish_of({0: 0.7, 1: 0.3}, m)
    c = PublishedProjection(step=0.02)._coordinates(bare(J, V), wish)
    d = preferred_direction(bare(J, V), wish).numpy()
    projected = V.numpy().T @ np.linalg.lstsq(V.numpy().T, d, rcond=None)[0]
    np.testing.assert_allclose(
        -V.numpy().T @ c, 0.02 * projected / np.linalg.norm(projected), rtol=1e-6, atol=1e-12
    )


def test_dependent_basis_vectors_do_not_widen_the_tangent_space() -> None:
    J, V = randn(4, 15, seed=0), randn(3, 15, seed=1)
    V[2] = V[0] - 2 * V[1]
    wish = wish_of({0: 1.0}, 4)
    moved = -V.numpy().T @ PublishedProjection(step=0.02)._coordinates(bare(J, V), wish)
    d, two = preferred_direction(bare(J, V), wish).numpy(), V[:2].numpy().T
    projected = two @ np.linalg.lstsq(two, d, rcond=None)[0]
    np.testing.assert_allclose(moved, 0.02 * projected / np.linalg.norm(projected), rtol=1e-6, atol=1e-12)


def test_a_preference_for_everything_has_no_direction_at_a_critical_point() -> None:
    at = at_front(pn.problems.quadratic(12, 3), [0.2, 0.3, 0.5])
    everything = pn.Improve({"f1": 1.0, "f2": 1.0, "f3": 1.0})
    with pytest.raises(pn.InfeasiblePreferenceError, match="no part in the tangent space") as caught:
        plan_of(PublishedProjection(), at, everything, 0.05)
    assert caught.value.reach == 0


def test_the_published_plan_takes_no_notice_of_holds_and_amounts() -> None:
    at = at_front(pn.problems.quadratic(12, 3), [0.2, 0.3, 0.5])
    plans = [
        plan_of(PublishedProjection(), at, preference, amount)
        for preference in (pn.Improve({"f1": 1.0}), pn.Improve({"f1": 1.0}, hold=["f2"]))
        for amount in (0.01, 0.5)
    ]
    for other in plans[1:]:
        np.testing.assert_array_equal(other.coordinates, plans[0].coordinates)


def test_the_published_plan_requests_the_weights_at_the_size_it_predicts() -> None:
    at = at_front(pn.problems.quadratic(12, 3), [0.2, 0.3, 0.5])
    made = plan_of(PublishedProjection(), at, pn.Improve({"f1": 0.7, "f3": 0.3}, units="absolute"), 0.05)
    assert made.requested.shown["f1"] == pytest.approx(made.predicted.train[0])
    assert made.requested.shown["f1"] < 0
    assert made.requested.shown["f1"] / made.requested.shown["f3"] == pytest.approx(7 / 3)
    assert float(at[0].point(torch.from_numpy(made.coordinates)).dist(at[0].theta)) == pytest.approx(0.01)


def test_the_published_reach_is_the_edge_in_its_direction() -> None:
    tangent, front = at_front(pn.problems.quadratic(12, 2), [0.3, 0.7])
    wish = pn.Improve({"f1": 1.0}, units="relative").wish(situation(front))
    predictor = PublishedProjection()
    c = predictor.plan(front, lambda: tangent, wish, 0.05).coordinates
    edge = front.change(front.edge(c) * c)
    assert front.weights_at(front.edge(c) * c).min() == pytest.approx(0, abs=1e-9)
    assert predictor.reach(front, lambda: tangent, wish) == pytest.approx(-edge[0] / front.losses[0])


# Going there


class Watched:
    """A problem whose losses are told, and which remembers where it was asked."""

    bounds = None

    def __init__(self, problem: Problem, losses: Any) -> None:
        self._problem, self._losses = problem, losses
        self.asked: list[Tensor] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._problem, name)

    def evaluate(self, theta: Tensor, split: Any = "train") -> Any:
        assert split == "train"
        self.asked.append(theta.clone())
        return replace(self._problem.evaluate(theta), batches=self._losses(theta)[None])


PREDICTORS = [PublishedProjection(tries=6), ObjectiveSpace(tries=6, alignments=0)]


@pytest.mark.parametrize("predictor", PREDICTORS)
@pytest.mark.parametrize("halvings", [0, 1, 3])
def test_a_step_is_halved_until_what_was_to_improve_does(predictor: Any, halvings: int) -> None:
    problem = pn.problems.quadratic(12, 3)
    at = tangent, front = at_front(problem, [0.2, 0.3, 0.5])
    made = plan_of(predictor, at, pn.Improve({"f1": 1.0}), 0.01)
    whole = float(tangent.point(torch.from_numpy(made.coordinates)).dist(tangent.theta))

    def losses(theta: Tensor) -> Tensor:
        far = theta.dist(tangent.theta) > 1.01 * whole / 2**halvings
        return torch.from_numpy(front.losses) + (0.1 if far else 1.0) * (
            theta.dist(tangent.theta) / whole
        ) * (torch.from_numpy(made.predicted.train) * (-1 if far else 1))

    watched = Watched(problem, losses)
    prediction = predictor.predict(watched, front, tangent, made)
    assert prediction.share == 0.5**halvings
    assert prediction.tries == halvings + 1
    expected = tangent.point(torch.from_numpy(made.coordinates * prediction.share))
    torch.testing.assert_close(prediction.theta, expected)
    torch.testing.assert_close(prediction.losses.mean, losses(prediction.theta))


@pytest.mark.parametrize("predictor", PREDICTORS)
@pytest.mark.parametrize("change", [0.0, 1e-12, 0.3])
def test_a_search_that_fails_moves_nothing(predictor: Any, change: float) -> None:
    """A change of zero is none: losses that stay the same to the last bit have not improved.

    The losses that are told are those of the shortest try, so that somebody can say what came of it.
    """
    problem = pn.problems.quadratic(12, 3)
    at = tangent, front = at_front(problem, [0.2, 0.3, 0.5])
    theta, parameters = tangent.theta.clone(), problem.parameters()
    made = plan_of(predictor, at, pn.Improve({"f1": 1.0}), 0.01)
    watched = Watched(problem, lambda theta: torch.from_numpy(front.losses + change))
    prediction = predictor.predict(watched, front, tangent, made)
    assert (prediction.share, prediction.tries, len(watched.asked)) == (0.0, 6, 6)
    assert torch.equal(tangent.theta, theta)
    assert torch.equal(prediction.theta, theta)
    torch.testing.assert_close(prediction.losses.mean, torch.from_numpy(front.losses + change))
    assert torch.equal(problem.parameters(), parameters)


@pytest.mark.parametrize("predictor", PREDICTORS)
def test_losses_that_are_never_finite_are_named(predictor: Any) -> None:
    problem = pn.problems.quadratic(12, 3)
    at = tangent, front = at_front(problem, [0.2, 0.3, 0.5])
    made = plan_of(predictor, at, pn.Improve({"f1": 1.0}), 0.01)
    broken = torch.tensor([0.0, torch.nan, 0.0], dtype=torch.float64)
    watched = Watched(problem, lambda theta: torch.from_numpy(front.losses) + broken - 1)
    with pytest.raises(pn.NonFiniteError, match="'f2' is nan at the shortest of 6 steps"):
        predictor.predict(watched, front, tangent, made)


@pytest.mark.parametrize("predictor", PREDICTORS)
def test_losses_that_are_not_finite_far_away_shorten_the_step(predictor: Any) -> None:
    problem = pn.problems.quadratic(12, 3)
    at = tangent, front = at_front(problem, [0.2, 0.3, 0.5])
    made = plan_of(predictor, at, pn.Improve({"f1": 1.0}), 0.01)
    whole = float(tangent.point(torch.from_numpy(made.coordinates)).dist(tangent.theta))

    def losses(theta: Tensor) -> Tensor:
        far = theta.dist(tangent.theta) > 0.3 * whole
        return problem.evaluate(theta).mean / (0.0 if far else 1.0)

    prediction = predictor.predict(Watched(problem, losses), front, tangent, made)
    assert prediction.share == 0.25


def test_armijo_wants_a_part_of_the_predicted_decrease() -> None:
    problem = pn.problems.quadratic(12, 3)
    at = tangent, front = at_front(problem, [0.2, 0.3, 0.5])
    predictor = PublishedProjection(slope=0.5, tries=1)
    made = plan_of(predictor, at, pn.Improve({"f1": 1.0}), 0.01)
    slope = torch.from_numpy(front.response @ made.coordinates)
    for part, accepted in ((0.4, False), (0.6, True)):
        watched = Watched(problem, lambda theta, part=part: torch.from_numpy(front.losses) - part * slope)
        assert (predictor.predict(watched, front, tangent, made).share == 1) == accepted


def test_only_the_selected_objectives_decide() -> None:
    problem = pn.problems.quadratic(12, 3)
    at = tangent, front = at_front(problem, [0.2, 0.3, 0.5])
    made = plan_of(PublishedProjection(), at, pn.Improve({"f1": 1.0}), 0.01)
    change = torch.tensor([-0.1, 5.0, 7.0], dtype=torch.float64)
    watched = Watched(problem, lambda theta: torch.from_numpy(front.losses) + change)
    assert PublishedProjection().predict(watched, front, tangent, made).share == 1


@pytest.mark.parametrize("weight", [0.95, 0.85])
def test_at_a_corner_a_warning_names_what_still_moves(
    weight: float, caplog: pytest.LogCaptureFixture
) -> None:
    problem = pn.problems.quadratic(12, 3)
    rest = (1 - weight) / 2
    at = tangent, front = at_front(problem, [rest, weight, rest])
    made = plan_of(PublishedProjection(), at, pn.Improve({"f1": 1.0}), 0.01)
    with caplog.at_level(logging.WARNING, logger="paretonav"):
        PublishedProjection().predict(problem, front, tangent, made)
    assert [("'f2'" in m and "'f1' or 'f3'" in m) for m in caplog.messages] == (
        [True] if weight >= 0.9 else []
    )


@pytest.mark.parametrize("m", [2, 3, 5])
@pytest.mark.parametrize("bounds", [None, (-0.15, 0.15)])
def test_objective_space_arrives_where_it_was_to(m: int, bounds: tuple[float, float] | None) -> None:
    problem = pn.problems.quadratic(20, m, seed=m, bounds=bounds)
    at = tangent, front = at_front(problem, [1 / m] * m)
    hold = ["f2"] if m > 2 else []
    made = plan_of(ObjectiveSpace(tolerance=1e-3), at, pn.Improve({"f1": 1.0}, hold=hold), 0.03)
    before = problem.cost.forward_passes
    prediction = ObjectiveSpace(tolerance=1e-3).predict(problem, front, tangent, made)
    assert prediction.share == 1
    assert problem.cost.forward_passes - before <= 4
    change = prediction.losses.mean.numpy() - front.losses
    assert change[0] == pytest.approx(-0.03 * front.losses[0], rel=1e-3)
    if hold:
        assert abs(change[1]) <= 3e-5 * front.losses[0]
    np.testing.assert_allclose(change, made.predicted.train, atol=1e-3 * np.abs(made.predicted.train).max())
    if bounds is not None:
        assert prediction.theta.abs().max() <= 0.15


@pytest.mark.parametrize("predictor", [PublishedProjection(), ObjectiveSpace()])
def test_planning_takes_no_pass_over_data(predictor: Any) -> None:
    problem = pn.problems.quadratic(12, 3)
    at = tangent, front = at_front(problem, [0.2, 0.3, 0.5])
    before = problem.cost
    made = plan_of(predictor, at, pn.Improve({"f1": 1.0}), 0.01)
    predictor.reach(front, lambda: tangent, made.wish)
    assert problem.cost == before
