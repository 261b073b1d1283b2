"""The way to aspiration levels, on fronts that are known."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize
from tests.two_regressions import two_regressions
from torch import Tensor

import paretonav as pn
from paretonav.problems.known import KnownFrontProblem
from paretonav.steering.stepping.correctors import Correction, Newton
from paretonav.steering.stepping.predictors import ObjectiveSpace, Prediction
from paretonav.steering.stepping.to_aspiration import _distance

Array = NDArray[np.float64]
FEW = settings(max_examples=8, deadline=None, derandomize=True)
SEEDS = st.integers(0, 1000)


def aim_from_the_middle(
    problem: KnownFrontProblem, target: dict[str, float], **options: object
) -> tuple[pn.Point, pn.Step]:
    nav = pn.Navigator(problem)
    start = nav.start()
    return start, nav.step(pn.Aim(target, **options))  # type: ignore[arg-type]


def shortfall(start: pn.Point, outcome: dict[str, float], target: dict[str, float]) -> float:
    return 0.5 * sum(max(outcome[k] - t, 0) ** 2 / start.losses[k] ** 2 for k, t in target.items())


def least_shortfall(
    problem: KnownFrontProblem, start: pn.Point, target: dict[str, float], x: Tensor
) -> float:
    """Over all of the variables, by L-BFGS from x."""
    which = [problem.names.index(name) for name in target]
    goal = torch.tensor(list(target.values()), dtype=torch.float64)
    sizes = torch.tensor([start.losses[name] for name in target], dtype=torch.float64)

    def value(x: Array) -> tuple[float, Array]:
        moving = torch.tensor(x, requires_grad=True)
        short = _values(problem, moving)[which] - goal
        result = 0.5 * (short / sizes).clamp_min(0).square().sum()
        (gradient,) = torch.autograd.grad(result, moving)
        return float(result.detach()), gradient.numpy()

    bounds = problem.bounds
    ends = None if bounds is None else list(zip(bounds.lower.numpy(), bounds.upper.numpy(), strict=True))
    made = minimize(
        value,
        x.numpy(),
        jac=True,
        method="L-BFGS-B",
        bounds=ends,
        options={"ftol": 1e-16, "gtol": 1e-12, "maxiter": 3000},
    )
    return float(made.fun)


def _values(problem: KnownFrontProblem, x: Tensor) -> Tensor:
    return problem.fn(x)  # type: ignore[attr-defined,no-any-return]


def require_met(target: dict[str, float], start: pn.Point, step: pn.Step) -> None:
    assert step.status is pn.StepStatus.ACCEPTED
    way = max(abs(start.losses[name] - value) for name, value in target.items())
    for name, value in target.items():
        assert step.point.losses[name] == pytest.approx(value, abs=2e-6 * way)


@pytest.mark.slow
@FEW
@given(st.integers(2, 5), SEEDS)
def test_what_is_on_the_front_is_reached(m: int, seed: int) -> None:
    problem = pn.problems.quadratic(n=8, m=m, seed=seed)
    weights = np.random.default_rng(seed).dirichlet(np.full(m, 2.0))
    outcome = problem.evaluate(problem.pareto_point(torch.from_numpy(weights))).mean.numpy()
    target = dict(zip(problem.names[: m - 1], outcome, strict=False))
    start, step = aim_from_the_middle(problem, target)
    require_met(target, start, step)
    # With m - 1 objectives given the last one follows.
    assert step.point.losses[problem.names[-1]] == pytest.approx(outcome[-1], rel=1e-4)


@pytest.mark.slow
@FEW
@given(st.integers(2, 4), st.integers(0, 100))
def test_on_a_concave_front_it_is_reached_as_well(m: int, seed: int) -> None:
    problem = pn.problems.dtlz(2, m, seed=seed)
    outcome = problem.front(1, seed=seed)[0].numpy()
    target = dict(zip(problem.names[: m - 1], outcome, strict=False))
    start, step = aim_from_the_middle(problem, target)
    require_met(target, start, step)
    assert problem.front_distance(list(step.point.losses.values())) < 1e-6  # type: ignore[arg-type]


@pytest.mark.slow
@FEW
@given(st.integers(2, 5), SEEDS, st.floats(0.3, 0.9), st.booleans())
def test_what_is_out_of_reach_ends_at_the_nearest_outcome(
    m: int, seed: int, share: float, concave: bool
) -> None:
    problem = pn.problems.dtlz(2, m, seed=seed) if concave else pn.problems.quadratic(n=8, m=m, seed=seed)
    nav = pn.Navigator(problem)
    start = nav.start()
    target = {name: share * value for name, value in start.losses.items()}
    step = nav.step(pn.Aim(target))
    reached = step.point if step.status is pn.StepStatus.SHORTENED else start
    assert step.status is not pn.StepStatus.ACCEPTED
    assert step.reason.startswith("the target is out of reach: ")
    assert "instead of" in step.reason
    # A convex front has one nearest outcome, a concave one may have several that are nearer than all around them.
    least = least_shortfall(problem, start, target, reached.parameters if concave else start.parameters)
    assert shortfall(start, reached.losses, target) == pytest.approx(least, rel=1e-6)


def test_the_end_of_the_front_is_said() -> None:
    start, step = aim_from_the_middle(pn.problems.quadratic(n=8, m=3), {"f1": -1.0})
    assert step.status is pn.StepStatus.SHORTENED
    assert "f2 and f3 have nothing left to give" in step.reason
    assert step.point.losses["f1"] < 1e-8 < start.losses["f1"]  # its minimum is zero


def test_a_hold_and_a_bound_that_stand_against_it_are_said() -> None:
    start, step = aim_from_the_middle(pn.problems.quadratic(n=8, m=3), {"f1": 0.0}, hold=["f2"])
    assert "holding f2 stands against it; the nearest outcome has f1 " in step.reason
    assert step.point.losses["f2"] == pytest.approx(start.losses["f2"], rel=1e-4)
    bound = {"f2": 1.01 * start.losses["f2"], "f3": 1.01 * start.losses["f3"]}
    _, step = aim_from_the_middle(pn.problems.quadratic(n=8, m=3), {"f1": 0.0}, allow=bound)
    assert "the bounds on f2 and f3 are reached" in step.reason
    for name, value in bound.items():
        assert step.point.losses[name] <= value
        assert step.point.losses[name] == pytest.approx(value, rel=1e-4)


def test_where_nothing_is_nearer_the_step_is_refused() -> None:
    nav = pn.Navigator(pn.problems.quadratic(n=8, m=3))
    nav.start()
    edge = nav.step(pn.Aim({"f1": -1.0}))
    assert edge.status is pn.StepStatus.SHORTENED
    nothing = nav.step(pn.Aim({"f1": -1.0}))
    assert nothing.status is pn.StepStatus.REJECTED
    assert nothing.legs == 0
    assert nothing.point is nav.here
    assert "out of reach" in nothing.reason


def test_a_preview_says_what_can_be_had_and_part_of_the_way_is_a_part() -> None:
    nav = pn.Navigator(pn.problems.quadratic(n=8, m=3))
    start = nav.start()
    near, far = 0.97 * start.losses["f1"], -1.0
    view = nav.preview(pn.Aim({"f1": near}))
    assert view.attainable
    assert view.nearest == {"f1": pytest.approx(near)}
    assert view.reach == 1.0
    assert nav.preview(pn.Aim({"f1": near}), 0.5).nearest["f1"] == pytest.approx(0.985 * start.losses["f1"])
    out = nav.preview(pn.Aim({"f1": far}))
    assert not out.attainable
    assert far < out.nearest["f1"] < start.losses["f1"]
    assert out.requested.shown == {"f1": pytest.approx(far - start.losses["f1"])}
    half = nav.step(pn.Aim({"f1": near}), 0.5)
    assert half.point.losses["f1"] == pytest.approx(0.985 * start.losses["f1"])
    assert half.point.amount == 0.5


class Elsewhere(Newton):
    """A corrector that ends where the first objective is worse than where the leg began."""

    def correct(self, problem: Any, theta: Any, *rest: Any, **options: Any) -> Correction:
        found = super().correct(problem, theta, *rest, **options)
        worse = found.theta + 0.3
        return replace(found, theta=worse, losses=problem.evaluate(worse), tangent=None)


def test_a_leg_that_leads_away_is_taken_back() -> None:
    nav = pn.Navigator(pn.problems.quadratic(n=8, m=3))
    start = nav.start()
    nav.method = replace(nav.method, corrector=Elsewhere())
    step = nav.step(pn.Aim({"f1": 0.9 * start.losses["f1"]}))
    assert step.achieved.train["f1"] > 0
    assert step.status is pn.StepStatus.REJECTED
    assert nav.here is start
    assert step.reason.startswith("the target was not reached: it came to f1 ")
    assert step.reason.endswith(
        "and short legs, too, came no nearer, whatever the model of the front promises"
    )


class OnceTooFar(ObjectiveSpace):
    """A predictor that believes in its model at most up to a length, and leads astray beyond."""

    def predict(self, problem: Any, front: Any, tangent: Any, plan: Any) -> Prediction:
        if np.abs(plan.predicted.train[0]) < 0.03 * front.losses[0]:
            return super().predict(problem, front, tangent, plan)
        theta = tangent.point(-torch.from_numpy(plan.coordinates))
        return Prediction(theta, problem.evaluate(theta), 1.0, 1)


@pytest.mark.slow
def test_shorter_legs_lead_where_long_ones_go_astray() -> None:
    nav = pn.Navigator(
        pn.problems.quadratic(n=8, m=3), predictor=OnceTooFar(), corrector=Newton(alignments=0)
    )
    start = nav.start()
    goal = 0.9 * start.losses["f1"]
    step = nav.step(pn.Aim({"f1": goal}))
    assert step.legs > 2
    assert step.point.losses["f1"] == pytest.approx(goal, rel=1e-2)


def distance(values: Any, *, exact: bool, attainable: bool) -> float:
    """From a target of 1, 2, 3 and 4: of what is better lower, better higher, either way, and held; in their units."""
    wish = SimpleNamespace(
        named=np.arange(4),
        scale=np.array([1.0, 10.0, 0.1, 1.0]),
        orientation=np.array([1.0, -1.0, 0.0, 1.0]),
        direction=np.array([-1.0, 1.0, 1.0, 0.0]),
    )
    made: Any = SimpleNamespace(wish=wish, exact=exact, attainable=attainable)
    goal = np.array([1.0, 2.0, 3.0, 4.0])
    return _distance(made, goal, goal + wish.scale * values)


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("attainable", [False, True])
def test_nearer_is_what_falls_less_short_of_the_target(exact: bool, attainable: bool) -> None:
    def far(*values: float) -> float:
        return distance(np.array(values), exact=exact, attainable=attainable)

    assert far(0, 0, 0, 0) == far(0, 0, 0, 0.5) == 0, "what is held is no target"
    for i, short in ((0, 1.0), (1, -1.0), (2, 1.0), (2, -1.0)):
        off = np.eye(4)[i] * short
        assert far(*off) > far(*(0.5 * off)) > 0
        better = far(*(-off))
        if (attainable and exact) or i == 2:
            assert better == far(*off)  # it is to come true as it is
        elif attainable:
            assert 0 < better < 1e-2 * far(*off)  # a shortfall weighs heavily
        else:
            assert better == 0


class Astray(ObjectiveSpace):
    """A predictor that leads astray until its legs are as short as this part of the first, and then right.

    Args:
        short: as parts of the first leg.
        goes: of what it is told to go.
    """

    promises = False

    def __init__(self, short: float, goes: float = 1.0) -> None:
        super().__init__()
        self.__dict__.update(short=short, goes=goes, longest=0.0, right=[])

    def predict(self, problem: Any, front: Any, tangent: Any, plan: Any) -> Prediction:
        told, length = self.__dict__, float(np.abs(plan.predicted.train[0]))
        told["longest"] = max(told["longest"], length)
        right = bool(told["right"]) or length <= told["short"] * told["longest"]
        told["right"] += [length] * right
        theta = tangent.point((told["goes"] if right else -1.0) * torch.from_numpy(plan.coordinates))
        return Prediction(theta, problem.evaluate(theta), 1.0, 1)


def legs_after(predictor: Astray) -> tuple[Array, pn.Step, float]:
    """The lengths of those that lead right, the step, and the change of the first loss that was asked for."""
    nav = pn.Navigator(
        pn.problems.quadratic(n=8, m=2, condition=2.0), predictor=predictor, corrector=Newton(alignments=0)
    )
    change = 0.05 * nav.start().losses["f1"]
    step = nav.step(pn.Aim({"f1": nav.here.losses["f1"] - change}))
    return np.array(predictor.__dict__["right"]), step, change


@pytest.mark.slow
@pytest.mark.parametrize("short", [0.3, 0.1, 0.02])
def test_after_legs_that_bring_what_they_promise_longer_ones_are_tried(short: float) -> None:
    """Twice as long each: from a sixty-fourth of the way it takes seven legs, not sixty-four."""
    lengths, step, change = legs_after(Astray(short))
    assert -step.achieved.train["f1"] == pytest.approx(change, rel=1e-2)
    growing = lengths[: int(lengths.argmax())]
    assert growing[0] < short * change
    np.testing.assert_allclose(growing[1:] / growing[:-1], 2, rtol=0.1)


@pytest.mark.slow
def test_after_legs_that_bring_half_of_what_they_promise_none_is_longer() -> None:
    lengths, step, change = legs_after(Astray(0.3, goes=0.5))
    assert -step.achieved.train["f1"] > 0.3 * change
    assert len(lengths) > 5
    assert (lengths <= 1.1 * lengths[0]).all()


@pytest.mark.parametrize("on", ["train", "validation"])
def test_an_aim_that_is_nearer_than_a_step_can_tell_is_met_where_the_model_is(on: Any) -> None:
    """And what is told of it is told of the data on which it was asked."""
    nav = pn.Navigator(two_regressions((1.0, 1.0)))
    start = nav.start()
    values = start.losses if on == "train" else start.validation
    assert values is not None
    step = nav.step(pn.Aim({"first": (1 - 1e-5) * values["first"]}, on=on))
    assert step.status is pn.StepStatus.ACCEPTED
    assert step.legs == 0
    assert torch.equal(step.point.parameters, start.parameters)
    assert step.point.losses == pytest.approx(start.losses)
    assert step.point.validation == pytest.approx(start.validation)
