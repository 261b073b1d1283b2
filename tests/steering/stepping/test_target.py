"""Where a step is to arrive, and when it has."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import paretonav as pn
from paretonav.geometry import FrontModel, Geometry, measure_front, tangent_at
from paretonav.steering.outcome import Outcome
from paretonav.steering.planning.plan import Plan
from paretonav.steering.preferences.situation import situation
from paretonav.steering.stepping.target import Limits, Target

FEW = settings(max_examples=25, deadline=None, derandomize=True)
PROBLEM = pn.problems.quadratic(n=6, m=3)
METRICS = ("accuracy", "revenue", "gap")


WEIGHTS = torch.full((3,), 1 / 3, dtype=torch.float64)
TANGENT = tangent_at(PROBLEM, PROBLEM.pareto_point(WEIGHTS), WEIGHTS, Geometry())
FRONT = measure_front(PROBLEM, TANGENT, Geometry())


def front(losses: list[float], metrics: list[float]) -> FrontModel:
    """At a point with these values; metrics are made up."""
    return replace(
        FRONT,
        losses=np.array(losses),
        metric_names=METRICS,
        metric_values=np.array(metrics),
        metric_response=np.arange(6.0).reshape(3, 2),
        metric_orientation=np.array([-1.0, -1.0, 1.0]),
    )


def target(
    preference: Any, amount: float = 0.1, losses: Any = (1.0, 2.0, 4.0), metrics: Any = (0.9, 5000.0, 0.02)
) -> Target:
    model = front(list(losses), list(metrics))
    wish = preference.wish(situation(model))
    return Target.of(Plan.along(model, wish, amount, np.zeros(2)), model, PROBLEM, 0.01)


def test_values_are_those_here_plus_what_was_asked() -> None:
    goal = target(pn.Improve({"f1": 1.0, "accuracy": 0.5}, hold=["f3"], units="absolute"))
    assert goal.named.tolist() == [0, 2, 3]
    assert goal.values == pytest.approx([0.9, 4.0, 0.95])
    assert not goal.trains(PROBLEM)
    assert target(pn.Improve({"f1": 1.0})).trains(PROBLEM)
    assert not replace(target(pn.Improve({"f1": 1.0})), split="validation").trains(PROBLEM)


def test_the_response_is_that_of_the_named_quantities() -> None:
    model = front([1.0, 2.0, 4.0], [0.9, 5000.0, 0.02])
    goal = target(pn.Improve({"f1": 1.0}, hold=["revenue"]))
    np.testing.assert_allclose(goal.response, [model.response[0], [2.0, 3.0]])


def test_what_is_held_is_held_in_its_own_units() -> None:
    """A tenth of the revenue is not the measure of an accuracy."""
    goal = target(pn.Improve({"revenue": 1.0}, hold=["accuracy", "f1"]))
    assert goal.named.tolist() == [0, 3, 4]
    assert goal.scale == pytest.approx([0.1, 0.09, 500.0])
    # Of one that is small the change asked of another may be the smaller measure.
    goal = target(pn.Improve({"gap": 1.0}, hold=["accuracy"]), amount=0.5)
    assert goal.scale == pytest.approx([0.01, 0.01])
    goal = target(pn.Improve({"f3": 1.0}, hold=["f1"]), losses=(1e-3, 1.0, 100.0))
    assert goal.scale == pytest.approx([1e-3, 10.0])


@pytest.mark.parametrize("held", ["f2", "gap"])
@pytest.mark.parametrize("improved", ["f1", "accuracy"])
def test_what_is_zero_can_be_held(held: str, improved: str) -> None:
    goal = target(
        pn.Improve({improved: 1.0}, hold=[held]), losses=(1.0, 0.0, 4.0), metrics=(0.9, 5000.0, 0.0)
    )
    assert (goal.scale > 0).all()
    assert np.isfinite(goal.scale).all()


def test_a_metric_is_met_within_a_twentieth_and_a_loss_within_the_precision() -> None:
    """A metric goes by leaps of one example; to ask more of it would be to go on for nothing."""
    goal = target(pn.Improve({"f1": 1.0, "accuracy": 1.0, "gap": 1.0}))
    asked = np.abs(goal.values - [1.0, 0.9, 0.02])
    for i, part in enumerate((0.01, 0.05, 0.05)):  # a loss by the precision of ``target``
        off = asked * np.eye(3)[i]
        assert goal.met(0.99 * part * off)
        assert not goal.met(1.01 * part * off)


@FEW
@given(
    st.lists(st.floats(0, 1e4), min_size=6, max_size=6),
    st.floats(1e-4, 1),
    st.lists(st.sampled_from(["improve", "hold", "free"]), min_size=6, max_size=6),
)
def test_scales_are_positive_and_at_least_what_was_asked(
    values: list[float], amount: float, kinds: list[str]
) -> None:
    names = (*PROBLEM.names, *METRICS)
    values = [1.0, *values[1:]]
    weights = {"f1": 1.0} | {
        n: 0.5 for n, kind in zip(names, kinds, strict=True) if kind == "improve" and n != "f1"
    }
    hold = [n for n, kind in zip(names, kinds, strict=True) if kind == "hold" and n not in weights]
    goal = target(pn.Improve(weights, hold=hold, units="absolute"), amount, values[:3], values[3:])
    here = np.array(values)[goal.named]
    assert (goal.scale > 0).all()
    assert (goal.scale >= np.abs(goal.values - here) - 1e-9 * np.abs(here)).all()
    assert goal.met(np.zeros(len(goal.named)))
    assert goal.met(0.99 * goal.tolerance)
    assert not goal.met(1.01 * goal.tolerance * np.eye(len(goal.named))[0])
    assert not goal.met(np.full(len(goal.named), np.nan))


def test_the_excess_is_measured_where_it_is_shown() -> None:
    """Losses where they are asked for, metrics on the validation data."""
    x = torch.linspace(-1, 1, 30, dtype=torch.float64)[:, None]
    data = [torch.utils.data.TensorDataset(part) for part in (x[:20], x[20:])]
    model = torch.nn.Linear(1, 1).double()
    losses = {"a": lambda o, b: (o - 1).square().mean(), "b": lambda o, b: (o + b[0]).square().mean()}
    level = pn.Metric(lambda o, b: o.mean(), higher_is_better=True)
    problem = pn.ModelProblem(model, losses, *data, metrics={"level": level})
    theta = problem.parameters()
    ones = np.ones(2)
    named, values = np.array([1, 2]), np.array([0.25, -0.5])
    outputs = model(x).detach()
    shown = {"train": slice(0, 20), "validation": slice(20, 30)}
    level_there = float(outputs[20:].mean()) + 0.5
    for split, part in shown.items():
        goal = Target(named, values, 0.01 * ones, ones, np.zeros((2, 1)), split)  # type: ignore[arg-type]
        expected = [float(losses["b"](outputs[part], [x[part]])) - 0.25, level_there]
        assert goal.excess(problem, theta) == pytest.approx(expected)
        known = problem.evaluate(theta, split)  # type: ignore[arg-type]
        before = problem.cost.forward_passes
        assert goal.excess(problem, theta, known) == pytest.approx(expected)
        # Of the validation data what is known of the losses is known of the metrics, too.
        assert problem.cost.forward_passes - before == pytest.approx(0.5 if split == "train" else 0)
        only = replace(goal, named=named[:1], values=values[:1])
        before = problem.cost.forward_passes
        assert only.excess(problem, theta, known) == pytest.approx(expected[:1])
        assert problem.cost.forward_passes == before, "no pass over other data"


def planned(preference: Any) -> tuple[FrontModel, Plan, Target]:
    """A plan by which the quantities change like this, whatever the coordinates say."""
    model = front([1.0, 2.0, 4.0], [0.9, 5000.0, 0.02])
    made = Plan.along(model, preference.wish(situation(model)), 0.1, np.zeros(2))
    predicted = Outcome(np.array([-0.1, 0.2, 0.04]), np.zeros(0), np.array([-0.05, 0.0, 0.0]), "train")
    made = replace(made, predicted=predicted)
    return model, made, Target.of(made, model, PROBLEM, 0.01)


def test_a_bound_is_met_from_the_inside_as_precisely_as_the_targets_are() -> None:
    """In parts of what is predicted of it; a metric by no less than a twentieth, as it goes by leaps."""
    model, made, goal = planned(pn.Improve({"f1": 1.0}, allow={"f2": 2.2, "accuracy": 0.85}))
    limits = Limits.of(made.wish, model)
    both = goal.and_bounds(limits, np.array([0, 1]), made, model)
    assert both.named.tolist() == [0, 1, 3]
    assert both.scale[1:] == pytest.approx([0.2, 0.05])
    assert both.tolerance[1:] == pytest.approx([0.01 * 0.2, 0.05 * 0.05])
    # Within the tolerance the bound itself is not passed.
    assert both.values[1] + both.tolerance[1] == pytest.approx(2.2)
    assert both.values[2] - both.tolerance[2] == pytest.approx(0.85)
    one = goal.and_bounds(limits, np.array([1]), made, model)
    np.testing.assert_array_equal(one.named, [0, 3])
    np.testing.assert_array_equal(one.values, both.values[[0, 2]])


def test_what_was_promised_of_others_is_met_in_parts_of_the_largest_change() -> None:
    """One that was to change by next to nothing is not brought back to a part of that."""
    model, made, goal = planned(pn.Improve({"f1": 1.0}))
    both = goal.and_promised(np.array([1, 2]), made, model)
    assert both.named.tolist() == [0, 1, 2]
    assert both.values == pytest.approx([0.9, 2.2, 4.04])
    assert both.scale[1:] == pytest.approx([0.1 * 2.0, 0.1 * 4.0])
    assert both.tolerance[1:] == pytest.approx(0.01 * both.scale[1:])
    np.testing.assert_array_equal(both.response[1:], model.response[1:])
