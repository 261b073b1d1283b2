"""The nearest outcome and the part along the front, against independent optimisation."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize

import paretonav as pn
from paretonav.geometry import FrontModel, Geometry, measure_front, tangent_at
from paretonav.steering.planning.along import along_the_front
from paretonav.steering.planning.nearest import _Search, nearest_outcome
from paretonav.steering.planning.plan import plan, reach
from paretonav.steering.planning.programme import Programme
from paretonav.steering.preferences import Fit
from paretonav.steering.preferences.situation import ranges, situation

Array = NDArray[np.float64]
FEW = settings(max_examples=25, deadline=None, derandomize=True)
SEEDS, SIZES = st.integers(0, 1000), st.integers(2, 6)


def front_of(m: int, seed: int) -> FrontModel:
    """The local model at a point of a quadratic's front, and weights that are not at its edge."""
    problem = pn.problems.quadratic(n=8, m=m, seed=seed)
    weights = torch.from_numpy(np.random.default_rng(seed).dirichlet(np.full(m, 5.0)))
    tangent = tangent_at(problem, problem.pareto_point(weights), weights)
    return measure_front(problem, tangent, Geometry())


def least_shortfall(front: FrontModel, goal: Array) -> float:
    """The least sum of squares of what is worse than ``goal`` in parts of the losses, by SLSQP from several starts."""

    def value(c: Array) -> tuple[float, Array]:
        r = np.maximum(front.losses + front.change(c) - goal, 0) / front.losses
        return 0.5 * float(r @ r), (r / front.losses) @ front.slopes(c)

    rng = np.random.default_rng(0)
    inside = {"type": "ineq", "fun": front.weights_at, "jac": lambda c: front.weight_basis}
    found = []
    for start in (np.zeros(front.m - 1), *0.05 * rng.normal(size=(3, front.m - 1))):
        made = minimize(
            value,
            start,
            jac=True,
            method="SLSQP",
            constraints=[inside],
            options={"ftol": 1e-16, "maxiter": 500},
        )
        if front.weights_at(made.x).min() > -1e-9:
            found.append(float(made.fun))
    return min(found)


@FEW
@given(SIZES, SEEDS, st.floats(0.3, 0.95))
def test_what_is_out_of_reach_ends_at_the_least_shortfall(m: int, seed: int, share: float) -> None:
    front = front_of(m, seed)
    goal = share * front.losses
    made = plan(front, pn.Aim(dict(zip(front.names, goal, strict=True))).wish(situation(front)), 1.0)
    assert not made.exact
    assert not made.attainable
    assert made.weights.min() > -1e-9
    r = np.maximum(front.losses + made.predicted.train - goal, 0) / front.losses
    assert 0.5 * r @ r <= least_shortfall(front, goal) * (1 + 1e-5)


@FEW
@example(6, 73)  # without the edge of the front there would be a nearer outcome, beyond it
@given(SIZES, SEEDS)
def test_a_target_that_is_worse_than_the_front_is_beaten_by_as_little_as_can_be(m: int, seed: int) -> None:
    front = front_of(m, seed)
    goal = 1.02 * front.losses
    made = plan(front, pn.Aim(dict(zip(front.names, goal, strict=True))).wish(situation(front)), 1.0)
    assert made.attainable
    r = (front.losses + made.predicted.train - goal) / front.losses
    assert r.max() <= 1e-7

    def value(c: Array) -> float:
        return float(0.5 * np.square((front.losses + front.change(c) - goal) / front.losses).sum())

    keep = {"type": "ineq", "fun": lambda c: (goal - front.losses - front.change(c)) / front.losses}
    inside = {"type": "ineq", "fun": front.weights_at}
    best = minimize(
        value, np.zeros(m - 1), method="SLSQP", constraints=[keep, inside], options={"ftol": 1e-14}
    )
    assert value(made.coordinates) <= value(best.x) * (1 + 1e-3) + 1e-9


@FEW
@given(st.integers(3, 6), SEEDS, st.floats(0.05, 0.6))
def test_an_aim_within_reach_is_the_cheapest_plan_for_it(m: int, seed: int, share: float) -> None:
    front = front_of(m, seed)
    improve = pn.Improve({"f1": 1.0}, hold=["f2"]).wish(situation(front))
    amount = share * min(1.0, reach(front, improve))
    assume(amount > 1e-3)
    aim = pn.Aim({"f1": front.losses[0] * (1 - amount)}, hold=["f2"]).wish(situation(front))
    there, made = plan(front, improve, amount), plan(front, aim, 1.0)
    assert made.exact
    np.testing.assert_allclose(made.predicted.train, there.predicted.train, rtol=0, atol=1e-5 * amount)
    np.testing.assert_allclose(
        plan(front, aim, 0.5).predicted.train[0], 0.5 * made.predicted.train[0], rtol=1e-6
    )


def test_an_aim_keeps_its_holds_and_bounds_where_it_cannot_be_reached() -> None:
    front = front_of(4, 1)
    bound = front.losses[2] * 1.02
    aim = pn.Aim({"f1": 0.0}, hold=["f2"], allow={"f3": bound}).wish(situation(front))
    made = plan(front, aim, 1.0)
    assert made.predicted.train[0] < -0.01 * front.losses[0]
    assert made.predicted.train[1] == pytest.approx(0, abs=1e-8)
    assert front.losses[2] + made.predicted.train[2] <= bound * (1 + 1e-8)
    free = plan(front, pn.Aim({"f1": 0.0}).wish(situation(front)), 1.0)
    assert free.predicted.train[0] < made.predicted.train[0]


@FEW
@given(SIZES, SEEDS)
def test_a_comparison_is_followed_as_far_as_the_front_does(m: int, seed: int) -> None:
    """The projection on the tangent plane, by least squares in parts of the losses."""
    front = front_of(m, seed)
    liked = np.random.default_rng(seed).normal(size=m)
    wish = pn.Prefer(
        dict(zip(front.names, front.losses * (1 + 0.1 * liked), strict=True)),
        dict(zip(front.names, front.losses, strict=True)),
    ).wish(situation(front))
    along = along_the_front(front, wish)
    assert along.fit is Fit.EXACT
    assert len(along.named) == m - 1
    d = wish.changes(1.0) / front.losses
    A = front.slopes(np.zeros(m - 1)) / front.losses[:, None]
    projected = A @ np.linalg.lstsq(A, d, rcond=None)[0]
    np.testing.assert_allclose(
        along.changes(1.0) / front.losses[along.named], projected[along.named], atol=1e-5 * np.abs(d).max()
    )


def test_a_comparison_of_what_is_better_in_everything_says_nothing() -> None:
    front = front_of(3, 0)
    normal = dict(zip(front.names, front.losses - 0.1 * front.normal * front.losses**2, strict=True))
    wish = pn.Prefer(normal, dict(zip(front.names, front.losses, strict=True))).wish(situation(front))
    with pytest.raises(pn.InfeasiblePreferenceError, match="gain or a loss for all"):
        plan(front, wish, 0.05)


def test_a_held_quantity_is_no_part_of_a_comparison() -> None:
    front = front_of(4, 2)
    wish = pn.Prefer({"f1": 1.0, "f3": 1.3}, {"f1": 1.2, "f3": 1.0}, hold=["f2"]).wish(situation(front))
    made = plan(front, wish, 0.01)
    assert made.predicted.train[1] == pytest.approx(0, abs=1e-8)
    assert made.predicted.train[0] < 0 < made.predicted.train[2]


@FEW
@given(st.integers(3, 6), SEEDS, st.sampled_from([0.0, 1e-3, 1.0]), st.integers(0, 5))
def test_what_is_prescribed_beside_a_hold_determines_the_rest(
    m: int, seed: int, apart: float, held: int
) -> None:
    """Also where a quantity does nearly the same as the held one, so that to prescribe it would say nothing more."""
    rng, held = np.random.default_rng(seed), held % m
    front = front_of(m, seed)
    R = rng.normal(size=front.response.shape)
    R[(held + 1) % m] = 10 * R[held] + apart * rng.normal(size=m - 1)
    front = replace(front, response=R, losses=rng.uniform(0.5, 2, m))
    wanted = dict(zip(front.names, 0.1 * rng.normal(size=m) * front.losses, strict=True))
    hold = front.names[held]
    wanted.pop(hold)
    better = {name: front.losses[front.names.index(name)] + change for name, change in wanted.items()}
    worse = {name: front.losses[front.names.index(name)] for name in wanted}
    wish = pn.Prefer(better, worse, hold=[hold]).wish(situation(front))
    along = along_the_front(front, wish)
    A = -R / front.losses[:, None]
    prescribed = A[along.named]
    assert np.linalg.matrix_rank(prescribed, tol=1e-6) == len(along.named) == m - 1
    # The nearest in the null space of the hold, by dense algebra.
    free = np.linalg.svd(A[held][None])[2][1:].T
    d = wish.changes(1.0) / front.losses[wish.named]
    nearest = A @ free @ np.linalg.lstsq(A[wish.named] @ free, d, rcond=None)[0]
    c = np.linalg.solve(prescribed, along.changes(1.0) / front.losses[along.named])
    np.testing.assert_allclose(A @ c, nearest, rtol=0, atol=1e-2 * np.abs(d).max())


def test_ranges_span_the_front_as_far_as_it_is_known() -> None:
    front = front_of(3, 4)
    local = ranges(front)
    assert (local > 0).all()
    better = dict(zip(front.names, front.losses * (0.01, 3.0, 1.0), strict=True))
    dominated = dict(zip(front.names, front.losses * 9.0, strict=True))
    seen = ranges(front, [better, dominated, dict(zip(front.names, front.losses, strict=True))])
    assert seen[0] >= 0.98 * front.losses[0]
    assert seen[1] >= 1.99 * front.losses[1]
    assert (seen < 8 * front.losses).all()
    # One objective alone comes to its end about where its reach is.
    wish = pn.Improve({"f1": 1.0}).wish(situation(front))
    assert local[0] >= 0.7 * reach(front, wish) * front.losses[0]


@pytest.mark.parametrize("orientation", [1.0, -1.0, 0.0])
@pytest.mark.parametrize("share", [0.5, 0.99])
@pytest.mark.parametrize("aim", [-0.3, 0.3])
def test_the_nearest_outcome_is_that_of_a_search_over_all_of_the_way(
    orientation: float, share: float, aim: float
) -> None:
    """Whichever way of a metric is better; of one of which nobody has said, both ways are off."""
    front = replace(
        front_of(2, 3),
        metric_names=("u",),
        metric_values=np.ones(1),
        metric_response=np.array([[1.0]]),
        metric_orientation=np.array([orientation]),
    )
    ends = front.edge(np.ones(1)), -front.edge(-np.ones(1))
    goal = {"f1": share * front.losses[0], "u": 1 + aim * ends[0]}
    wish = pn.Aim(goal).wish(situation(front))
    found, attainable = nearest_outcome(Programme(front, wish), 1.0, np.zeros(1))

    def short(c: Array) -> Array:
        r = (front.values + front.changes(c))[[0, 2]] - list(goal.values())
        r = r * [1.0, orientation or 1.0] / wish.scale[[0, 2]]
        return np.where([True, orientation != 0], np.maximum(r, 0), np.abs(r))

    least = min(float(np.square(short(c)).sum()) for c in np.linspace(*ends, 4001)[:, None])
    assert float(np.square(short(found)).sum()) <= least + 1e-9
    assert attainable == (short(found).max() <= 1e-8)


@FEW
@given(SIZES, SEEDS, st.booleans())
def test_the_search_has_the_curvature_of_what_it_minimises(m: int, seed: int, concave: bool) -> None:
    """The Hessian, by differences; of a bent front that is none of a convex function, the nearest that is."""
    front = front_of(m, seed)
    rng = np.random.default_rng(seed)
    bends = front.bend if not concave else front.bend * rng.choice([-1.0, 1.0], m)[:, None, None]
    front = replace(front, bend=bends)
    goal = dict(zip(front.names, 0.5 * front.losses, strict=True))
    search = _Search(Programme(front, pn.Aim(goal).wish(situation(front))), 1.0)
    c, h = 0.01 * rng.normal(size=m - 1), 1e-4
    assert (search.shortfall(c) > 0.1).all()

    def value(a: Array, b: Array) -> float:
        return sum(
            s * t * search.value(c + h * (s * a + t * b), surplus=False) for s in (1, -1) for t in (1, -1)
        ) / (4 * h**2)

    axes = np.eye(m - 1)
    hessian = np.array([[value(a, b) for b in axes] for a in axes])
    A = front.slopes(c) / front.losses[:, None]
    bent = hessian - A.T @ A
    found, size = search._curvature(c), np.abs(bent).max()
    # Moreau: the nearest in a cone, and what is left of it, which is at right angles and in the polar cone.
    assert np.linalg.eigvalsh(found).min() >= -1e-9 * size
    assert np.linalg.eigvalsh(bent - found).max() <= 1e-4 * size
    assert abs(np.trace(found @ (bent - found))) <= 1e-4 * size**2
    if not concave:
        np.testing.assert_allclose(found, bent, atol=1e-4 * size)
