"""What is said of a step."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

import paretonav as pn
from paretonav.objectives import Cost, Losses
from paretonav.steering.measured import Measured
from paretonav.steering.outcome import Outcome
from paretonav.steering.planning.plan import Plan
from paretonav.steering.planning.predictions import predictions
from paretonav.steering.preferences.situation import situation
from paretonav.steering.reporting.report import Report, Taken, misses
from paretonav.steering.stepping.target import Target

B = 5
ASKED = pn.Improve({"f1": 1.0}), 0.05


def losses(seed: int, metrics: bool) -> Losses:
    generator = torch.Generator().manual_seed(seed)
    batches, extra = (torch.rand(B, 3, generator=generator, dtype=torch.float64) for _ in range(2))
    fractions = torch.full((B,), 1 / B, dtype=torch.float64)
    return Losses(batches, fractions, ("u", "v"), extra[:, :2]) if metrics else Losses(batches, fractions)


@pytest.fixture(scope="module")
def start() -> pn.Point:
    point = pn.Navigator(pn.problems.quadratic(n=6, m=3)).start()
    front = replace(
        point.front,
        metric_names=("u", "v"),
        metric_values=np.array([0.5, 0.8]),
        metric_response=np.ones((2, 2)),
        metric_orientation=np.array([-1.0, 0.0]),
    )
    return replace(point, front=front)


def plan_at(point: pn.Point, preference: Any, amount: float = 0.05) -> Plan:
    wish = preference.wish(situation(point.front))
    return Plan.along(point.front, wish, amount, np.array([0.01, -0.02]))


@pytest.mark.parametrize("validation", [True, False])
def test_changes_are_of_the_data_that_they_are_named_for(start: pn.Point, validation: bool) -> None:
    train, on_validation = losses(0, not validation), losses(1, True) if validation else None
    after = Measured(losses(2, not validation), losses(3, True) if validation else None)
    before = replace(start, measured=Measured(train, on_validation))
    made = plan_at(start, pn.Improve({"f1": 1.0}))
    step = Report(before, *ASKED, Cost).kept(start, Taken(made, after), "")
    assert step.status is pn.StepStatus.ACCEPTED
    assert step.point is start
    difference = (after.train.batches - train.batches).numpy()
    np.testing.assert_allclose(list(step.achieved.train.values()), difference.mean(0))
    assert step.achieved.train.standard_errors
    np.testing.assert_allclose(
        list(step.achieved.train.standard_errors.values()), difference.std(0, ddof=1) / np.sqrt(B)
    )
    shown, then = after.shown, before.measured.shown
    np.testing.assert_allclose(
        list(step.achieved.metrics.values()), (shown.metric_batches - then.metric_batches).mean(0)
    )
    assert list(step.achieved.metrics) == ["u", "v"]
    assert bool(step.achieved.validation) == validation
    if validation:
        np.testing.assert_allclose(list(step.achieved.validation.values()), (shown.mean - then.mean).numpy())
    assert step.requested == made.requested


def test_a_rejected_step_has_no_changes_on_validation(start: pn.Point) -> None:
    before = replace(start, measured=Measured(losses(0, False), losses(1, True)))
    made = plan_at(start, pn.Improve({"f1": 1.0}))
    step = Report(before, *ASKED, Cost).rejected(Taken(made, Measured(losses(2, False))), "why")
    assert step.status is pn.StepStatus.REJECTED
    assert step.point is before
    assert not step.achieved.validation
    assert not step.achieved.metrics
    assert step.reason == "why"


def test_of_a_step_that_was_rejected_on_validation_data_no_training_losses_are_known(start: pn.Point) -> None:
    before = replace(start, measured=Measured(losses(0, False), losses(1, True)))
    made = plan_at(start, pn.Improve({"f1": 1.0}))
    after = losses(3, True)
    step = Report(before, *ASKED, Cost).rejected(Taken(made, Measured(None, after)), "why")
    assert dict(step.achieved.train) == {}
    np.testing.assert_allclose(
        list(step.achieved.validation.values()), (after.mean - before.measured.validation.mean).numpy()
    )
    assert list(step.achieved.metrics) == ["u", "v"]


def test_predictions_carry_the_errors_of_their_kind(start: pn.Point) -> None:
    planned = plan_at(start, pn.Improve({"f1": 1.0}))
    made = replace(
        planned,
        predicted=replace(planned.predicted, validation=np.array([1.0, 2.0, 3.0])),
        errors=Outcome(np.full(3, 0.1), np.full(3, 0.2), np.array([0.3, 0.4]), "train"),
    )
    said = predictions(start.front, made)
    assert said.train.standard_errors == dict.fromkeys(("f1", "f2", "f3"), 0.1)
    assert said.validation == {"f1": 1.0, "f2": 2.0, "f3": 3.0}
    assert said.validation.standard_errors == dict.fromkeys(("f1", "f2", "f3"), 0.2)
    assert said.metrics.standard_errors == {"u": 0.3, "v": 0.4}


def missed(start: pn.Point, preference: Any, **values: float) -> list[str]:
    """What is said where these values were reached; all others are as planned."""
    made = plan_at(start, preference)
    goal = Target.of(made, start.front, pn.problems.quadratic(n=6, m=3), 0.01)
    reached = start.front.values.copy()
    reached[goal.named] = goal.values
    for name, value in values.items():
        reached[start.front.steerable.index(name)] += value
    front = replace(start.front, losses=reached[:3], metric_values=reached[3:])
    return list(misses(made, goal, front))


def test_a_target_that_was_missed_is_named(start: pn.Point) -> None:
    size = start.losses["f1"] * 0.05
    wish = pn.Improve({"f1": 1.0})
    assert missed(start, wish) == []
    assert missed(start, wish, f1=0.05 * size) == []
    assert missed(start, wish, f1=-size) == []  # more than was asked for
    assert missed(start, wish, f1=0.5 * size) == ["f1 misses its target by 50% of the change asked of it"]


def test_a_miss_is_told_in_parts_of_what_was_asked_of_the_same_quantity(start: pn.Point) -> None:
    """However much was asked of others, whose changes may be larger, and in other units."""
    beside = pn.Improve({"f1": 1.0, "f2": 0.25, "u": 0.25})
    asked = {name: abs(change) for name, change in plan_at(start, beside).requested.shown.items()}
    assert asked["f2"] < 0.5 * asked["f1"]
    (said,) = missed(start, beside, f2=2 * asked["f2"])
    assert said == "f2 misses its target by 200% of the change asked of it"
    (said,) = missed(start, beside, u=-0.5 * asked["u"])
    assert said == "u misses its target by 50% of the change asked of it"


def test_what_was_to_be_held_is_off_by_a_part_of_its_value(start: pn.Point) -> None:
    """Nothing was asked of it, so there is nothing else that the miss would be a part of."""
    wish = pn.Improve({"f1": 1.0}, hold=["f3", "u"])
    assert missed(start, wish, f3=0.02 * start.losses["f3"]) == [
        "f3 was to be held, and is off by 2% of its value"
    ]
    assert missed(start, wish, u=-0.3 * 0.5) == ["u was to be held, and is off by 30% of its value"]
    closed = replace(start, front=replace(start.front, metric_values=np.array([0.0, 0.8])))
    assert missed(closed, wish, u=-0.002) == ["u was to be held, and is off by 0.002"]


def test_of_a_metric_the_other_way_is_a_miss(start: pn.Point) -> None:
    wish = pn.Improve({"u": 1.0})
    assert missed(start, wish, u=0.02) == []
    assert missed(start, wish, u=-0.0125)[0].startswith("u misses its target by 50%")
    either = pn.Direction({"v": 1.0})
    for off in (0.02, -0.02):
        assert missed(start, either, v=off)[0].startswith("v misses its target by 50%")
