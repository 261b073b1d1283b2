"""Corners of a box, where one point is optimal for many weights."""

from collections.abc import Iterable
from itertools import permutations
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import paretonav as pn
from paretonav.geometry import Geometry, active_set, measure_front, releasing_weights, tangent_at
from paretonav.problems.quadratic import Quadratic
from paretonav.steering.preferences.situation import situation
from paretonav.steering.stepping.creases import Side, plan_from_creases
from paretonav.steering.stepping.predictors import ObjectiveSpace


def boxed(n: int, m: int, seed: int, condition: float, width: float) -> Quadratic:
    return pn.problems.quadratic(n=n, m=m, seed=seed, condition=condition, bounds=(-width, width))


def least(problem: Quadratic, i: int) -> float:
    """The least of one objective in the box."""
    alone = torch.zeros(problem.m, dtype=torch.float64).index_fill(0, torch.tensor(i), 1.0)
    return float(problem.evaluate(problem.pareto_point(alone)).mean[i])


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(
    n=st.integers(1, 3),
    m=st.integers(2, 3),
    seed=st.integers(0, 999),
    condition=st.sampled_from([1.0, 10.0]),
    width=st.sampled_from([0.05, 0.1, 0.2]),
)
def test_a_corner_is_left_where_the_box_has_better(
    n: int, m: int, seed: int, condition: float, width: float
) -> None:
    problem = boxed(n, m, seed, condition, width)
    nav = pn.Navigator(problem)
    here = nav.start()
    cornered = bool((problem.bounds.clamp(here.parameters * 1e9) == here.parameters).all())  # type: ignore[union-attr]
    for i, name in enumerate(problem.names):
        value = here.losses[name]
        amount = 0.2 * (1 - least(problem, i) / value)
        if not cornered or amount < 1e-3:
            continue
        wish = pn.Improve({name: 1.0})
        try:
            preview = nav.preview(wish, amount)
        except pn.InfeasiblePreferenceError as refused:  # by what ends the next piece of the front
            amount = 0.5 * refused.reach
            preview = nav.preview(wish, amount)
        assert amount > 0
        step = nav.step(wish, amount)
        assert step.status is pn.StepStatus.ACCEPTED, step.reason
        assert step.achieved.train[name] == pytest.approx(-amount * value, rel=1e-3)
        assert step.predicted.train == preview.predicted.train
        assert abs(problem.front_distance(problem.evaluate(step.point.parameters).mean)) < 1e-6
        nav.go_to(0)


@pytest.mark.parametrize(
    ("n", "m", "seed", "condition", "width", "name"),
    [
        (1, 2, 976, 1.0, 0.05, "f1"),
        (2, 2, 980, 10.0, 0.2, "f1"),
        (2, 2, 980, 10.0, 0.2, "f2"),
        (2, 3, 549, 1.0, 0.05, "f3"),
        (3, 3, 837, 10.0, 0.1, "f1"),
    ],
)
def test_corners_that_said_no_direction(
    n: int, m: int, seed: int, condition: float, width: float, name: str
) -> None:
    nav = pn.Navigator(boxed(n, m, seed, condition, width))
    before = nav.start().losses[name]
    step = nav.step(pn.Improve({name: 1.0}), 0.05)
    assert step.status is pn.StepStatus.ACCEPTED
    assert step.achieved.train[name] == pytest.approx(-0.05 * before, rel=1e-3)
    largest = max(abs(change) for change in step.predicted.train.values())
    assert all(
        abs(step.achieved.train[k] - step.predicted.train[k]) <= 0.05 * largest for k in step.achieved.train
    )


def test_what_is_best_already_has_no_direction() -> None:
    """The one objective whose minimum in the box is the corner itself."""
    problem = pn.FunctionProblem(
        lambda x: torch.stack([(x[0] - 2) ** 2, (x[0] - 3) ** 2]), torch.ones(1).double(), bounds=(-1.0, 1.0)
    )
    nav = pn.Navigator(problem)
    nav.start()
    with pytest.raises(pn.InfeasiblePreferenceError) as refused:
        nav.step(pn.Improve({"f1": 1.0}), 0.05)
    assert refused.value.reach == 0


def test_the_border_is_where_a_multiplier_changes_its_sign() -> None:
    problem = boxed(1, 2, 976, 1.0, 0.05)
    theta = torch.full((1,), 0.05, dtype=torch.float64)
    tangent = tangent_at(problem, theta, torch.tensor([0.6, 0.4]))
    assert tangent.free is not None
    assert not tangent.free.any()
    weights = releasing_weights(problem, tangent, torch.tensor([1.0, 0.0]).double())
    assert weights is not None
    assert float(weights.sum()) == pytest.approx(1)
    assert abs(float(weights @ tangent.jacobian[:, 0])) < 1e-7
    free = active_set(problem, theta, tangent.jacobian, weights)
    assert free is not None
    assert free.all()
    assert releasing_weights(problem, tangent, tangent.weights) is None


class Refusing(ObjectiveSpace):
    """A predictor that refuses every plan, with these reaches in turn."""

    def __init__(self, reaches: Iterable[float]) -> None:
        super().__init__()
        self.__dict__["reaches"] = iter(reaches)

    def plan(self, front: Any, tangent: Any, wish: Any, amount: float) -> Any:
        reach = next(self.__dict__["reaches"])
        raise pn.InfeasiblePreferenceError("", reason=f"it reaches {reach}", reach=reach)


@pytest.mark.parametrize("reaches", [*permutations([0.0, 0.01, 0.02]), (0.02, 0.02, 0.02)])
def test_of_several_refusals_the_one_that_reaches_furthest_is_told(
    reaches: tuple[float, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = boxed(1, 2, 976, 1.0, 0.05)
    theta = torch.full((1,), 0.05, dtype=torch.float64)
    tangent = tangent_at(problem, theta, torch.tensor([0.6, 0.4]))
    front = measure_front(problem, tangent, Geometry())
    released = iter([tangent.weights, tangent.weights, None])
    monkeypatch.setattr("paretonav.steering.stepping.creases.releasing_weights", lambda *_: next(released))
    wish = pn.Improve({"f1": 1.0}).wish(situation(front))
    with pytest.raises(pn.InfeasiblePreferenceError) as refused:
        plan_from_creases(problem, Refusing(reaches), Side(front, lambda: tangent, Geometry()), wish, 0.05)
    assert refused.value.reach == max(reaches)
    assert refused.value.reason == f"it reaches {max(reaches)}"
