import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize

import paretonav as pn
from paretonav.geometry import Anchor, FrontModel, absolute, weight_basis
from paretonav.objectives import Losses
from paretonav.steering.outcome import Outcome
from paretonav.steering.planning.plan import Plan, plan, reach, within_the_model
from paretonav.steering.planning.programme import Programme, kinder
from paretonav.steering.preferences import Preference, Wish
from paretonav.steering.preferences.situation import situation
from paretonav.steering.stepping.creases import pushed_out

Array = NDArray[np.float64]
FEW = settings(max_examples=30, deadline=None, derandomize=True)
SEEDS = st.integers(0, 10**6)
SIZES = st.integers(2, 8)


def front_model(
    m: int, seed: int, *, concave: bool = False, box: bool = False, common: bool = False, bend: float = 1.0
) -> FrontModel:
    """A consistent front: S = B^T R is the weighted sum of the Q_i, and alpha^T R = 0."""
    rng = np.random.default_rng(seed)
    B, alpha = weight_basis(m).numpy(), rng.dirichlet(np.full(m, 3.0))
    factors = rng.normal(size=(m, m - 1, 2 * m))
    Q = factors @ factors.transpose(0, 2, 1) * (-1 if concave else 1)
    S = np.tensordot(alpha, Q, 1)
    R = B @ S - alpha @ B @ S  # B^T R = S as B^T 1 = 0
    R, S, Q = (x * 0.5 / np.abs(R).max() for x in (R, S, bend * Q))
    G = rng.normal(size=(5, m - 1))
    rows = (G, 0.1 * np.linalg.norm(G, axis=1), np.arange(5)) if box else (G[:0], G[:0, 0], np.arange(0))
    return FrontModel(
        names=tuple(f"f{i + 1}" for i in range(m)),
        losses=rng.uniform(0.5, 2, m),
        weights=alpha,
        weight_basis=B,
        response=R,
        bend=S[None] * bend if common else Q,
        curvature=absolute(S),
        validation_losses=None,
        validation_response=rng.normal(size=R.shape),
        box=rows,
        joint_gain=0.0,
        residual=0.0,
    )


def preferences(m: int) -> list[Preference]:
    found: list[Preference] = [pn.Improve({"f1": 1.0})]
    if m >= 3:
        found += [
            pn.Improve({"f1": 0.7, "f2": 0.3}),
            pn.Improve({"f1": 1.0}, hold=["f2"]),
            pn.Direction({"f1": -1.0, "f2": 0.5}),
        ]
    if m >= 4:
        found.append(pn.Improve({"f1": 0.7, "f2": 0.3}, hold=["f4"]))
    return found


def some_wish(front: FrontModel, seed: int) -> Wish:
    choices = preferences(front.m)
    return choices[seed % len(choices)].wish(situation(front))


def require_feasible(front: FrontModel, made: Plan) -> None:
    scale = np.abs(made.wish.changes(made.amount)).max()
    c = made.coordinates
    named = made.wish.named
    # By the formula of the front's second order, apart from FrontModel's own.
    Q = np.broadcast_to(front.bend, (front.m, *front.curvature.shape))
    change = -front.response @ c + 0.5 * np.einsum("ijk,j,k->i", Q, c, c)
    np.testing.assert_allclose(change[named], made.wish.changes(made.amount), rtol=0, atol=1e-8 * scale)
    np.testing.assert_allclose(made.predicted.train, change, rtol=0, atol=1e-12)
    np.testing.assert_allclose(made.weights, front.weights + front.weight_basis @ c, rtol=0, atol=1e-12)
    assert made.weights.min() > -1e-9
    assert made.weights.sum() == pytest.approx(1)
    G, h, _ = front.box
    assert (G @ c <= h + 1e-9).all()


@FEW
@given(SIZES, SEEDS, st.booleans(), st.booleans(), st.booleans(), st.floats(0.001, 0.99))
def test_a_plan_keeps_every_constraint_of_the_model(
    m: int, seed: int, concave: bool, box: bool, common: bool, share: float
) -> None:
    front = front_model(m, seed, concave=concave, box=box, common=common)
    wish = some_wish(front, seed)
    amount = share * reach(front, wish)
    if amount > 0:
        require_feasible(front, plan(front, wish, amount))


@pytest.mark.slow
@settings(max_examples=60, deadline=None, derandomize=True)
@given(SIZES, SEEDS, st.booleans(), st.booleans())
def test_the_reach_is_the_boundary_of_what_can_be_planned(
    m: int, seed: int, concave: bool, box: bool
) -> None:
    # On a concave front of many objectives what is possible need not end where the way to it does.
    front = front_model(m, seed, concave=concave and m <= 3, box=box)
    wish = some_wish(front, seed)
    limit = reach(front, wish)
    assert np.isfinite(limit)
    if limit > 0:
        assert plan(front, wish, 0.99 * limit).amount == 0.99 * limit
    with pytest.raises(pn.InfeasiblePreferenceError) as caught:
        plan(front, wish, max(1.02 * limit, 1e-6))
    assert caught.value.reach == pytest.approx(limit, rel=1e-3)
    assert caught.value.reason
    assert caught.value.reason in str(caught.value)


def by_slsqp(front: FrontModel, wish: Wish, amount: float, start: Array) -> Array | None:
    """The cheapest feasible coordinates that SciPy finds."""
    named, target, metric = wish.named, wish.changes(amount), front.curvature

    def slopes(c: Array) -> Array:
        return np.broadcast_to(front.bend @ c, front.response.shape)[named] - front.response[named]

    G, h, _ = front.box
    constraints = [
        {"type": "eq", "fun": lambda c: front.change(c)[named] - target, "jac": slopes},
        {"type": "ineq", "fun": front.weights_at, "jac": lambda c: front.weight_basis},
        {"type": "ineq", "fun": lambda c: h - G @ c, "jac": lambda c: -G},
    ]
    found = minimize(
        lambda c: (0.5 * c @ metric @ c, metric @ c),
        start,
        jac=True,
        method="SLSQP",
        constraints=constraints[: 2 if len(h) == 0 else 3],
        options={"ftol": 1e-14, "maxiter": 300},
    ).x
    kept = np.abs(front.change(found)[named] - target).max() <= 1e-7 * np.abs(target).max()
    inside = front.weights_at(found).min() >= -1e-8 and (G @ found <= h + 1e-8).all()
    return found if kept and inside else None


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(3, 8), SEEDS, st.booleans(), st.booleans(), st.floats(0.05, 0.6))
def test_a_plan_is_the_cheapest_one(m: int, seed: int, concave: bool, box: bool, share: float) -> None:
    front = front_model(m, seed, concave=concave, box=box)
    wish = some_wish(front, seed)
    amount = share * reach(front, wish)
    if amount == 0:
        return
    c = plan(front, wish, amount).coordinates
    cost = c @ front.curvature @ c
    for start in (c, np.zeros(m - 1)):
        found = by_slsqp(front, wish, amount, start)
        if found is not None:
            assert cost <= found @ front.curvature @ found * (1 + 5e-3)


def test_slsqp_finds_what_it_is_asked_for() -> None:
    """Else the test above could not fail."""
    found = 0
    for seed in range(20):
        front = front_model(6, seed, concave=seed % 2 == 0)
        wish = some_wish(front, 0)
        found += by_slsqp(front, wish, 0.3 * reach(front, wish), np.zeros(5)) is not None
    assert found >= 18


@pytest.mark.parametrize("m", range(2, 9))
def test_on_a_linear_front_the_reach_is_where_a_weight_runs_out(m: int) -> None:
    front = front_model(m, m, bend=0.0)
    wish = pn.Improve({"f1": 1.0}, hold=[f"f{i}" for i in range(2, m)]).wish(situation(front))
    c = np.linalg.solve(front.response[: m - 1], -wish.changes(1.0))
    assert reach(front, wish) == pytest.approx(front.edge(c), rel=1e-3)


def test_a_concave_front_reaches_as_far_as_its_weights() -> None:
    """With two objectives the coordinate is one number, and the change it makes is -r c + q c^2 / 2."""
    for seed in range(10):
        front = front_model(2, seed, concave=True)
        wish = pn.Improve({"f1": 1.0}).wish(situation(front))
        (r,), q = front.response[0], front.bend[0, 0, 0]
        edges = -front.weights / front.weight_basis[:, 0]
        changes = [-r * c + q * c**2 / 2 for c in edges]
        limit = min(-changes[i] / front.losses[0] for i in range(2) if -r * edges[i] < 0)
        assert reach(front, wish) == pytest.approx(limit, rel=1e-3)


def test_a_convex_front_ends_where_it_turns_round() -> None:
    """It falls until its slope -r + q c is zero, by r^2 / 2q."""
    front = front_model(2, 0, bend=4.0)
    wish = pn.Improve({"f1": 1.0}).wish(situation(front))
    (r,), q = front.response[0], front.bend[0, 0, 0]
    limit = r**2 / (2 * q) / front.losses[0]
    assert front.weights_at(np.array([r / q])).min() > 0
    assert reach(front, wish) == pytest.approx(limit, rel=1e-3)
    with pytest.raises(pn.InfeasiblePreferenceError, match="bends too much"):
        plan(front, wish, 1.1 * limit)


def test_flat_fronts_have_plans() -> None:
    front = front_model(4, 1, bend=0.0)
    flat = FrontModel(**{**vars(front), "curvature": absolute(np.zeros((3, 3)))})
    wish = pn.Improve({"f1": 0.7, "f2": 0.3}).wish(situation(front))
    require_feasible(flat, plan(flat, wish, 0.5 * reach(flat, wish)))


def infeasible(front: FrontModel, preference: Preference, amount: float) -> pn.InfeasiblePreferenceError:
    with pytest.raises(pn.InfeasiblePreferenceError) as caught:
        plan(front, preference.wish(situation(front)), amount)
    assert re.search(r"an amount of .* is not possible here: .*; the largest possible is", str(caught.value))
    return caught.value


def test_the_reason_is_that_none_is_left_to_pay() -> None:
    front = front_model(3, 0)
    for preference in (
        pn.Improve({"f1": 1.0, "f2": 1.0, "f3": 1.0}),
        pn.Improve({"f1": 1.0}, hold=["f2", "f3"]),
        pn.Direction({"f1": -1.0, "f2": 1.0, "f3": 0.0}),
    ):
        error = infeasible(front, preference, 0.01)
        assert "none is left to pay" in error.reason
        assert error.reach == 0
        assert reach(front, preference.wish(situation(front))) == 0


def test_the_reason_is_a_spent_weight() -> None:
    front = front_model(2, 0, bend=0.0)
    assert "f2 has nothing left to give" in infeasible(front, pn.Improve({"f1": 1.0}), 10).reason
    assert "f1 has nothing left to give" in infeasible(front, pn.Improve({"f2": 1.0}), 10).reason


def test_the_reason_is_a_hold() -> None:
    front = front_model(3, 3, bend=0.0)
    free = reach(front, pn.Improve({"f1": 1.0}).wish(situation(front)))
    error = infeasible(front, pn.Improve({"f1": 1.0}, hold=["f2"]), 10)
    assert error.reach < free
    assert error.reason == f"holding f2 stands against it (without that, {100 * free:.3g}% is possible)"


def test_the_reason_is_a_bound() -> None:
    front = front_model(2, 0, bend=0.0)
    limit = reach(front, pn.Improve({"f1": 1.0}).wish(situation(front)))
    c = np.linalg.solve(front.response[:1], [0.5 * limit * front.losses[0]])
    tight = FrontModel(**{**vars(front), "box": (np.sign(c)[None], np.abs(c), np.array([17]))})
    error = infeasible(tight, pn.Improve({"f1": 1.0}), 0.9 * limit)
    assert error.reach == pytest.approx(0.5 * limit, rel=1e-3)
    assert "parameter 17 reaches its bound" in error.reason


def test_the_reason_is_that_the_objectives_do_not_compete() -> None:
    front = front_model(3, 0)
    response = front.response.copy()
    response[1] = response[0]
    error = infeasible(
        FrontModel(**{**vars(front), "response": response, "bend": 0 * front.bend}),
        pn.Improve({"f1": 0.7, "f2": 0.3}),
        0.01,
    )
    assert error.reach == 0
    assert error.reason == "no direction along the front changes f1 and f2 in this way"


@FEW
@given(SIZES, SEEDS, st.floats(0.1, 0.9))
def test_a_share_of_a_plan_goes_that_part_of_the_way(m: int, seed: int, share: float) -> None:
    front = front_model(m, seed)
    wish = some_wish(front, seed)
    whole = plan(front, wish, 0.5 * reach(front, wish))
    part = whole.share(front, share)
    np.testing.assert_allclose(part.coordinates, share * whole.coordinates)
    assert part.amount == pytest.approx(share * whole.amount)
    np.testing.assert_allclose(part.weights, front.weights_at(part.coordinates))
    np.testing.assert_allclose(part.predicted.train, front.change(part.coordinates))
    for name, change in part.requested.shown.items():
        assert change == pytest.approx(share * whole.requested.shown[name])
    assert whole.share(front, 1.0) is whole


def test_validation_is_predicted_by_its_own_response() -> None:
    front = front_model(3, 0)
    bend = front.bend * np.array([0.5, 1.0, 3.0])[:, None, None]
    front = replace(front, validation_bend=bend)
    made = plan(front, pn.Improve({"f1": 1.0}).wish(situation(front)), 0.02)
    c = made.coordinates
    assert front.validation_response is not None
    np.testing.assert_allclose(
        made.predicted.validation, -front.validation_response @ c + 0.5 * np.array([c @ b @ c for b in bend])
    )
    np.testing.assert_allclose(made.predicted.train, front.change(c))
    np.testing.assert_allclose(made.changes, made.predicted.train)


def test_a_plan_is_for_the_validation_losses_where_they_are_asked_for() -> None:
    front = front_model(3, 0)
    before = Losses(torch.tensor([[1.0, 2.0, 4.0]]).double(), torch.ones(1).double())
    front = replace(front, validation_losses=before, validation_bend=front.bend, asked="validation")
    made = plan(front, pn.Improve({"f1": 1.0}).wish(situation(front)), 0.02)
    assert made.requested.shown == {"f1": pytest.approx(-0.02 * 1.0)}
    assert made.predicted.validation[0] == pytest.approx(-0.02)
    np.testing.assert_allclose(made.changes, made.predicted.validation)
    assert made.predicted.train[0] != pytest.approx(-0.02 * front.losses[0])


class Counting(Programme):
    """Counts the quadratic programmes that are solved."""

    solved = 0

    def nearest(self, *given: Array) -> Array | None:
        self.solved += 1
        return super().nearest(*given)


def test_what_is_cheapest_already_takes_one_more_look() -> None:
    """What is left to gain then is rounding, and not worth another round."""
    for seed in range(12):
        front = front_model(5, seed)
        wish = some_wish(front, 0)
        amount = 0.3 * reach(front, wish)
        programme = Counting(front, wish)
        c = programme.follow(amount)[1]
        for _ in range(4):
            c = programme.cheapest(wish.changes(amount), c)
        programme.solved = 0
        again = programme.cheapest(wish.changes(amount), c)
        assert programme.solved == 1
        np.testing.assert_array_equal(again, c)


@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e3])
def test_a_bound_that_is_as_good_as_reached_stops_no_plan(unit: float) -> None:
    """There the front has a crease and goes on; in whatever units the parameter is."""
    front = front_model(2, 0, bend=0.0)
    wish = pn.Improve({"f1": 1.0}).wish(situation(front))
    limit = reach(front, wish)
    c = np.linalg.solve(front.response[:1], [limit * front.losses[0]])
    for room, stops in ((0.0, False), (1e-5, False), (1e-3, True)):
        row = unit * np.sign(c)[None]
        at_bound = replace(front, box=(row, unit * np.array([room]), np.array([17])))
        assert (reach(at_bound, wish) < 0.5 * limit) == stops
        assert pushed_out(at_bound, c).tolist() == ([] if stops else [17])
        assert pushed_out(at_bound, -c).tolist() == []


def held(front: FrontModel, **changed: Any) -> FrontModel:
    """The same as around a model that is held."""
    return replace(front, anchor=Anchor(0.01, 0.01, ""), **changed)


def test_what_is_guessed_beyond_the_model_goes_on_in_proportion_and_costs_the_square() -> None:
    front = front_model(4, 0)
    made = plan(front, pn.Improve({"f1": 1.0}).wish(situation(front)), 0.01)
    predicted = np.array([-0.01, 0.02, -0.03, 0.0])
    made = replace(made, predicted=Outcome(predicted, 2 * predicted, np.zeros(0), "train"))
    for times in (1.0, 2.0, 5.0):
        guess = made.extended(front, times * 0.01, "why")
        expected = [-0.01 * times, 0.02 * times**2, -0.03, 0.0]  # what others gain does not go on
        np.testing.assert_allclose(guess.predicted.train, expected)
        np.testing.assert_allclose(guess.changes, expected)
        np.testing.assert_allclose(guess.predicted.validation, 2 * np.array(expected))
        assert guess.requested.shown["f1"] == pytest.approx(times * made.requested.shown["f1"])
        assert guess.modelled * guess.amount == pytest.approx(made.modelled * made.amount)


def test_no_loss_is_believed_to_more_than_double_but_what_is_named_or_a_gap() -> None:
    """A bound of the wish's own stays where it is tighter."""
    front = held(front_model(4, 0), absolute=("f2",))
    values = dict(zip(front.names, front.losses, strict=True))
    wish = pn.Improve({"f1": 1.0}, allow={"f3": 1.5 * values["f3"], "f4": 3 * values["f4"]})
    room = within_the_model(front, wish.wish(situation(front))).room
    np.testing.assert_allclose(room, [np.inf, np.inf, 0.5 * values["f3"], values["f4"]])
    free = replace(front, anchor=None)
    np.testing.assert_allclose(
        within_the_model(free, wish.wish(situation(free))).room,
        [np.inf, np.inf, 0.5 * values["f3"], 2 * values["f4"]],
    )


@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e3])
def test_what_improves_by_its_bend_more_than_by_half_of_its_slope_is_not_believed(unit: float) -> None:
    """Around a model that is held: there nothing has been measured as far away as bends alone would lead."""
    Q = np.zeros((2, 1, 1))
    Q[0] = -unit
    response, losses = unit * np.array([[1.0], [-1.0]]), np.full(2, unit)
    front = held(front_model(2, 0), response=response, bend=Q, losses=losses)
    programme = Programme(front, pn.Improve({"f1": 1.0}).wish(situation(front)))
    for c, believed in ((0.1, True), (0.95, True), (1.05, False), (2.0, False)):
        target = unit * np.array([-c - 0.5 * c**2])
        assert (programme.meet(target, np.array([c])) is not None) == believed


@FEW
@given(SEEDS)
def test_bounds_of_the_programme_are_those_of_the_changes_either_way(seed: int) -> None:
    """Of what is better higher, too: linear in the coordinates, with what the bends have brought already."""
    rng = np.random.default_rng(seed)
    front = replace(
        front_model(3, seed),
        metric_names=("u", "v"),
        metric_values=np.array([1.0, 2.0]),
        metric_response=rng.normal(size=(2, 2)),
        metric_orientation=np.array([-1.0, 1.0]),
    )
    allow = {"f3": front.losses[2] + 0.1, "u": 0.9, "v": 2.2}
    programme = Programme(front, pn.Improve({"f1": 1.0}, allow=allow).wish(situation(front)))
    slopes, offsets, c = rng.normal(size=(5, 2)), rng.normal(size=5), rng.normal(size=2)
    A, upper = programme.limits(slopes, offsets)
    np.testing.assert_allclose(A @ c - upper, programme.beyond(slopes @ c + offsets))
    worst = front.values + slopes @ c + offsets
    passed = [worst[2] > allow["f3"], worst[3] < allow["u"], worst[4] > allow["v"]]
    assert (programme.beyond(slopes @ c + offsets) > 0).tolist() == passed


@FEW
@given(st.integers(3, 6), SEEDS, st.integers(1, 2))
def test_the_others_are_spared_the_most_that_twice_the_cost_can_do(m: int, seed: int, named: int) -> None:
    """Where nothing bends: the least of a linear function in a ball beside the cheapest plan, by dense algebra."""
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=(m, 2 * m))
    front = replace(
        front_model(m, seed),
        weight_basis=np.eye(m),
        response=rng.normal(size=(m, m)),
        bend=np.zeros((m, m, m)),
        curvature=factor @ factor.T,
        validation_response=None,
        box=(np.zeros((0, m)), np.zeros(0), np.arange(0)),
        anchor=Anchor(0.01, 0.01, ""),
    )
    wish = pn.Direction({f"f{i + 1}": -1.0 + i for i in range(named)}).wish(situation(front))
    programme, target = Programme(front, wish), wish.changes(0.01)
    cheapest = programme.cheapest(target, programme.follow(0.01)[1])
    found = kinder(programme, target, cheapest)

    M, A = front.curvature, -front.response[:named]
    by_algebra = np.linalg.solve(M, A.T) @ np.linalg.solve(A @ np.linalg.solve(M, A.T), target)
    np.testing.assert_allclose(cheapest, by_algebra, rtol=1e-5, atol=1e-8)
    cost = cheapest @ M @ cheapest
    free = np.linalg.svd(A)[2][named:].T
    pays = -(front.response[named:] / front.sizes_of(front.losses)[named:, None]).sum(axis=0) @ free
    beside = np.linalg.solve(free.T @ M @ free, pays)
    best = cheapest - free @ beside * np.sqrt(cost / (pays @ beside))
    np.testing.assert_allclose(found, best, rtol=0, atol=1e-5 * np.abs(best).max())
    np.testing.assert_allclose(A @ found, target, rtol=0, atol=1e-9)
    assert found @ M @ found == pytest.approx(2 * cost, rel=1e-5)
