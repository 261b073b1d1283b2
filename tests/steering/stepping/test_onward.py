"""From the end of a leg to the point where the next one begins."""

from typing import Any

import numpy as np
import pytest
import torch
from tests import regression

import paretonav as pn
from paretonav.geometry import FrontModel, Geometry, Tangent, anchored_tangent, measure_front, tangent_at
from paretonav.geometry.anchored import PULLS
from paretonav.objectives import Problem
from paretonav.steering.preferences.situation import situation
from paretonav.steering.stepping.correctors import Correction
from paretonav.steering.stepping.onward import (
    held_stronger,
    place_on_the_way,
    tangent_after,
    with_train_losses,
)
from paretonav.steering.stepping.place import Place
from paretonav.steering.stepping.trust import Trust

GEOMETRY = Geometry(samples=None)
TRUST = Trust(1.0, GEOMETRY, adapts=False)


def network() -> pn.ModelProblem:
    return regression.problem(
        metrics={"level": pn.Metric(lambda o, b: o[:, 0].mean(), higher_is_better=True)}
    )


def held(problem: Problem, pull: float = 1e-2) -> Tangent:
    return anchored_tangent(problem, problem.parameters(), GEOMETRY, pull=pull)


def placed(front: FrontModel, tangent: Tangent) -> Place:
    return Place(front, tangent, TRUST)


def moved(problem: Problem, tangent: Tangent, **known: Any) -> Correction:
    """The end of a leg that nobody has measured."""
    theta = tangent.point(torch.full((len(tangent.basis),), 1e-3, dtype=torch.float64))
    return Correction(theta, None, problem.training_weights, None, 0, converged=True, **known)


@pytest.mark.parametrize("pull", PULLS)
@pytest.mark.parametrize("weaker", [True, False])
def test_a_model_that_is_held_is_held_anew(pull: float, weaker: bool) -> None:
    problem = network()
    tangent = held(problem, pull)
    correction = moved(problem, tangent)
    after = tangent_after(problem, correction, tangent, GEOMETRY, weaker=weaker)
    assert torch.equal(after.theta, correction.theta)
    assert torch.equal(after.weights, problem.training_weights)
    assert after.anchor is not None
    # As in Levenberg and Marquardt's method, but never below the weakest there is.
    expected = max(PULLS[-1], pull * 10**-0.5) if weaker else pull
    assert after.anchor.part == pytest.approx(expected)
    torch.testing.assert_close(after.losses.mean, problem.evaluate(correction.theta).mean)


def test_what_has_been_evaluated_is_not_evaluated_again() -> None:
    problem = network()
    tangent = held(problem)
    correction = moved(problem, tangent)
    whole = tangent_after(problem, correction, tangent, GEOMETRY)
    known = moved(problem, tangent, evaluated=problem.jacobian(correction.theta))
    before = problem.cost.gradient_passes
    again = tangent_after(problem, known, tangent, GEOMETRY)
    assert problem.cost.gradient_passes == before
    assert torch.equal(again.basis, whole.basis)


def test_a_tangent_that_the_corrector_has_solved_for_is_taken() -> None:
    problem = pn.problems.quadratic(n=8, m=3)
    weights = torch.full((3,), 1 / 3, dtype=torch.float64)
    there = tangent_at(problem, problem.pareto_point(weights), weights)
    correction = Correction(there.theta, there.losses, weights, there, 1, converged=True)
    assert tangent_after(problem, correction, there, Geometry()) is there


def test_at_a_critical_point_the_front_goes_on() -> None:
    problem = pn.problems.quadratic(n=8, m=3)
    weights = torch.tensor([0.2, 0.3, 0.5], dtype=torch.float64)
    start = tangent_at(problem, problem.pareto_point(torch.full((3,), 1 / 3).double()), weights)
    theta = problem.pareto_point(weights)
    after = tangent_after(problem, Correction(theta, None, weights, None, 0, True), start, Geometry())
    assert after.anchor is None
    assert torch.equal(after.theta, theta)
    assert after.joint_gain == pytest.approx(0, abs=1e-12)
    assert held_stronger(problem, after, Geometry()) is None


def test_a_stronger_pull_where_a_leg_did_not_come_true_up_to_the_strongest() -> None:
    problem = network()
    tangent, parts = held(problem, 1e-4), [1e-4]
    while (stronger := held_stronger(problem, tangent, GEOMETRY)) is not None:
        assert torch.equal(stronger.theta, tangent.theta)
        assert stronger.anchor is not None
        parts.append(stronger.anchor.part)
        before = problem.cost.gradient_passes
        tangent = stronger
    assert problem.cost.gradient_passes == before, "the point is the same, so nothing is evaluated again"
    assert parts == pytest.approx([1e-4, 1e-3, 1e-2, 1e-1])


def test_with_a_stronger_pull_the_same_gain_takes_a_shorter_way() -> None:
    problem = network()
    weak = held(problem, 1e-4)
    strong = held_stronger(problem, weak, GEOMETRY)
    assert strong is not None
    lengths = []
    for tangent in (weak, strong):
        c = np.linalg.pinv(tangent.response.numpy()) @ np.array([0.01, 0.01])
        lengths.append(float((tangent.point(torch.from_numpy(c)) - tangent.theta).norm()))
    assert lengths[1] < lengths[0]


@pytest.mark.parametrize(
    ("wish", "asked", "measured"),
    [
        (pn.Improve({"small": 1.0}), "validation", True),
        (pn.Improve({"small": 1.0}), "train", False),
        (pn.Improve({"level": 1.0}), "train", True),
        (pn.Improve({"small": 1.0}, hold=["level"]), "train", True),
    ],
)
def test_on_the_way_validation_data_are_read_where_the_wish_is_about_them(
    wish: pn.Improve, asked: Any, measured: bool
) -> None:
    problem = network()
    tangent = held(problem)
    start = measure_front(problem, tangent, GEOMETRY).on(asked)
    place = place_on_the_way(problem, placed(start, tangent), tangent, wish.wish(situation(start)))
    front = place.front
    assert place.trust is TRUST
    assert front.asked == asked
    assert (front.validation_losses is not None) == measured
    assert (front.metric_names == ("level",)) == measured
    count = len(start.values) if measured else start.m
    np.testing.assert_allclose(front.values, start.values[:count])


def test_a_bound_on_a_metric_is_a_wish_about_it() -> None:
    problem = network()
    tangent = held(problem)
    start = measure_front(problem, tangent, GEOMETRY).on("train")
    bounded = pn.Improve({"small": 1.0}, allow={"level": float(start.metric_values[0]) - 1.0})
    place = place_on_the_way(problem, placed(start, tangent), tangent, bounded.wish(situation(start)))
    assert place.front.metric_names == ("level",)


def test_the_end_of_a_leg_is_measured_on_training_data_once() -> None:
    problem = network()
    correction = moved(problem, held(problem))
    before = problem.cost.gradient_passes
    known = with_train_losses(problem, correction)
    assert known.losses is not None
    torch.testing.assert_close(known.losses.mean, problem.evaluate(correction.theta).mean)
    assert known.evaluated is not None
    assert problem.cost.gradient_passes > before
    cost = problem.cost.forward_passes
    assert with_train_losses(problem, known) is known
    assert problem.cost.forward_passes == cost
