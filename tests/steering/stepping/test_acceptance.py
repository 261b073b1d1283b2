"""Which promises count as kept."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import paretonav as pn
from paretonav.geometry import FrontModel, Geometry, measure_front, tangent_at
from paretonav.objectives import Losses
from paretonav.steering.measured import Measured
from paretonav.steering.outcome import Outcome
from paretonav.steering.planning.plan import Plan
from paretonav.steering.preferences.situation import situation
from paretonav.steering.stepping.acceptance import Broken, broken

FEW = settings(max_examples=40, deadline=None, derandomize=True)
PROBLEM = pn.problems.quadratic(n=6, m=3)
WEIGHTS = torch.full((3,), 1 / 3, dtype=torch.float64)
BASE = measure_front(PROBLEM, tangent_at(PROBLEM, PROBLEM.pareto_point(WEIGHTS), WEIGHTS), Geometry())
BEFORE = np.array([1.0, 2.0, 4.0])
RELATIVE = np.array([-0.02, 0.04, 0.01])  # predicted: the largest change is 4 %
METRICS = np.array([0.8, 10.0, 5.0])


def losses(values: Any, metrics: Any = None, spread: Any = 0.0) -> Losses:
    """Eight batches with this mean and, of each quantity, this standard error of differences."""
    pattern = torch.tensor([1.0, -1.0] * 4, dtype=torch.float64)[:, None] * 7**0.5
    batches = torch.as_tensor(np.asarray(values))[None] + pattern * torch.as_tensor(spread * np.ones(3))
    shown: dict[str, Any] = {}
    if metrics is not None:
        both = torch.as_tensor(np.asarray(metrics))[None] + pattern * torch.as_tensor(spread * np.ones(3))
        shown = {"metric_names": ("rate", "cost", "plain"), "metric_batches": both}
    return Losses(batches, torch.full((8,), 1 / 8, dtype=torch.float64), examples=800, **shown)


def front(asked: Any = "validation", metrics: bool = False) -> FrontModel:
    """With these losses on validation data, ten times smaller ones on training data."""
    model = replace(
        BASE,
        losses=BEFORE / 10,
        validation_losses=losses(BEFORE, METRICS if metrics else None),
        asked=asked,
        validation_response=BASE.response,
    )
    if not metrics:
        return model
    return replace(
        model,
        metric_names=("rate", "cost", "plain"),
        metric_values=METRICS,
        metric_response=np.zeros((3, 2)),
        metric_orientation=np.array([-1.0, 1.0, 0.0]),
    )


def without_validation() -> FrontModel:
    return replace(BASE, losses=BEFORE)


def plan(
    model: FrontModel,
    wish: Any = None,
    amount: float = 0.02,
    relative: Any = RELATIVE,
    metrics: Any = (0.0, 0.0, 0.0),
) -> Plan:
    """One that predicts these changes, in parts of the losses, on every split."""
    wish = wish or pn.Improve({"f1": 1.0}, on=None)
    made = Plan.along(model, wish.wish(situation(model)), amount, np.zeros(2))
    predicted = Outcome(
        train=relative * model.losses,
        validation=np.zeros(0) if model.validation_losses is None else relative * BEFORE,
        metrics=np.asarray(metrics) * METRICS,
        split=made.predicted.split,
    )
    return replace(made, predicted=predicted)


def predicting(made: Plan, **parts: Any) -> Plan:
    """The same with other predictions."""
    return replace(made, predicted=replace(made.predicted, **parts))


def on_validation(
    relative: Any, model: FrontModel | None = None, made: Plan | None = None, **told: Any
) -> tuple[Broken, ...]:
    """What is broken where the validation losses have changed by so much, in parts of them."""
    model = model or front()
    return broken(
        model, made or plan(model), Measured(None, losses(BEFORE * (1 + np.asarray(relative)), **told))
    )


def on_training(relative: Any, model: FrontModel, made: Plan | None = None, legs: int = 1) -> Any:
    after = losses(model.losses * (1 + np.asarray(relative)))
    return broken(model, made or plan(model), Measured(after), legs=legs)


def test_what_came_as_predicted_is_kept() -> None:
    model = front()
    after = losses(BEFORE * (1 + RELATIVE))
    assert broken(model, plan(model), Measured(losses(model.losses * (1 + RELATIVE)), after)) == ()
    assert broken(model, plan(model), Measured(None)) == ()


@pytest.mark.parametrize("i", [1, 2])
def test_a_loss_that_nobody_named_may_be_worse_by_a_tenth_of_the_largest_change(i: int) -> None:
    for off, kept in ((0.0039, True), (0.0041, False), (1.0, False)):
        change = RELATIVE.copy()
        change[i] += off
        found = on_validation(change)
        assert [each.name for each in found] == ([] if kept else [f"f{i + 1}"])


@FEW
@given(st.floats(0, 0.9), st.sampled_from([1, 2]))
def test_what_is_better_than_predicted_is_kept(better: float, i: int) -> None:
    change = RELATIVE.copy()
    change[i] -= better
    assert on_validation(change) == ()
    assert on_training(change, front()) == ()


def test_what_was_asked_for_is_to_come_true_both_ways() -> None:
    """Within a fifth of what was asked of it, however large the others' changes are."""
    for off, kept in ((0.0039, True), (-0.0039, True), (0.0041, False), (-0.0041, False), (-0.5, False)):
        found = on_validation(RELATIVE + np.array([off, 0, 0]))
        assert [each.name for each in found] == ([] if kept else ["f1"])
    model = front()
    small = plan(model, amount=0.001, relative=np.array([-0.001, 0.04, 0.01]))
    assert on_validation([-0.0013, 0.04, 0.01], model, small)
    assert not on_validation([-0.0011, 0.04, 0.01], model, small)


def test_what_is_held_may_move_by_a_tenth_of_the_largest_change() -> None:
    model = front()
    made = plan(model, pn.Improve({"f1": 1.0}, hold=["f3"]), relative=np.array([-0.02, 0.04, 0.0]))
    for off in (0.0041, -0.0041):
        assert [each.name for each in on_validation([-0.02, 0.04, off], model, made)] == ["f3"]
        assert on_validation([-0.02, 0.04, 0.95 * off], model, made) == ()


def test_an_aim_takes_what_is_nearest() -> None:
    model = front()
    made = plan(model, pn.Aim({"f1": 0.98}), 1.0)
    assert on_validation([-0.2, 0.04, 0.01], model, made) == ()
    assert [each.name for each in on_validation([0.0, 0.04, 0.01], model, made)] == ["f1"]


def test_a_plan_for_the_nearest_outcome_promises_no_exact_change() -> None:
    model = front()
    assert on_validation([-0.2, 0.04, 0.01], model, replace(plan(model), exact=False)) == ()


@pytest.mark.parametrize(("error", "most"), [(0.002, 0.004), (0.005, 0.01), (0.02, 0.02), (10.0, 0.02)])
def test_twice_the_standard_error_is_allowed_up_to_half_of_the_largest_change(
    error: float, most: float
) -> None:
    for off, kept in ((0.99 * most, True), (1.01 * most, False)):
        # Of f2, whose size is 2.
        found = on_validation(RELATIVE + np.array([0, off, 0]), spread=np.array([0, 2 * error, 0]))
        assert (found == ()) == kept, (error, off)


def test_noise_is_no_excuse_for_what_was_asked_for() -> None:
    assert [each.name for each in on_validation(RELATIVE + np.array([0.0041, 0, 0]), spread=1.0)] == ["f1"]


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("i", range(3))
def test_what_is_not_finite_is_broken(value: float, i: int) -> None:
    change = RELATIVE.copy()
    change[i] = value
    for found in (
        on_validation(change),
        on_training(change, front()),
        on_training(change, without_validation()),
    ):
        assert found[0].name == f"f{i + 1}"
        assert "as no finite number" in str(found[0])


def test_training_losses_count_too_by_a_quarter_of_the_largest_change_that_is_shown() -> None:
    """Where wishes are about validation losses that is the largest of either."""
    model = front()
    for off, kept in ((0.0099, True), (0.0101, False)):
        found = on_training(RELATIVE + np.array([0, off, 0]), model)
        assert [(each.name, each.part) for each in found] == ([] if kept else [("f2", "train")])
    made = predicting(plan(model), train=0.1 * plan(model).predicted.train)
    assert on_training(0.1 * RELATIVE + np.array([0, 0.0099, 0]), model, made) == ()
    # Which was not what was asked for: more of it is good news.
    assert on_training(RELATIVE - np.array([0.5, 0, 0]), model) == ()


def test_over_several_legs_training_losses_may_be_worse_by_half() -> None:
    model = front()
    change = RELATIVE + np.array([0, 0.0199, 0])
    assert on_training(change, model, legs=1)
    assert on_training(change, model, legs=2) == ()
    assert on_training(change + np.array([0, 0.0002, 0]), model, legs=5)


def test_asked_on_training_data_those_are_to_come_true_and_validation_losses_not_to_be_worse() -> None:
    model = front("train")
    made = plan(model)
    assert [each.name for each in on_training(RELATIVE - np.array([0.0041, 0, 0]), model, made)] == ["f1"]
    assert on_validation(RELATIVE - np.array([0.0041, 0, 0]), model, made) == ()
    assert [each.name for each in on_validation(RELATIVE + np.array([0.0041, 0, 0]), model, made)] == ["f1"]


def test_without_validation_data_training_losses_decide() -> None:
    model = without_validation()
    assert on_training(RELATIVE, model) == ()
    assert [each.name for each in on_training(RELATIVE - np.array([0.0041, 0, 0]), model)] == ["f1"]
    assert [each.name for each in on_training(RELATIVE + np.array([0, 0.0101, 0]), model)] == ["f2"]
    assert on_training(RELATIVE + np.array([0, 0.0099, 0]), model) == ()


def with_metrics(
    relative: Any,
    predicted: Any = (0.0, 0.0, 0.0),
    wish: Any = None,
    spread: float = 0.0,
    amount: float = 0.02,
) -> list[str]:
    model = front(metrics=True)
    made = plan(model, wish, amount, metrics=predicted)
    after = losses(BEFORE * (1 + RELATIVE), METRICS * (1 + np.asarray(relative)), spread)
    return [each.name for each in broken(model, made, Measured(None, after))]


def test_a_metric_may_be_worse_by_half_of_the_largest_change_of_all_that_is_shown() -> None:
    """Worse is lower of the first, higher of the second; of the third nobody has said. A loss is to change by 4 %."""
    assert with_metrics([0, 0, 0]) == []
    assert with_metrics([-0.0199, 0.0199, 0.5]) == []
    assert with_metrics([-0.0201, 0, 0]) == ["rate"]
    assert with_metrics([0, 0.0201, 0]) == ["cost"]
    assert with_metrics([0.5, -0.5, -0.5]) == []
    assert with_metrics([-0.0201, 0, 0], predicted=(0, 0.05, 0)) == []


def test_a_metric_may_be_worse_by_two_standard_errors_besides() -> None:
    """One next to nothing, as a gap of two rates may be, changes by more than its size for no reason."""
    assert with_metrics([-0.06, 0, 0]) == ["rate"]
    assert with_metrics([-0.06, 0, 0], spread=0.1) == []
    assert with_metrics([-5.0, 0, 0], spread=0.1) == ["rate"]


def test_a_metric_that_was_asked_for_is_to_come_true_both_ways() -> None:
    wish = pn.Improve({"rate": 1.0})
    for value, kept in ((0.02, True), (0.0101, True), (0.0299, True), (0.0099, False), (0.0301, False)):
        assert (with_metrics([value, 0, 0], (0.02, 0, 0), wish) == []) == kept
    either = pn.Direction({"plain": 1.0})
    for value, kept in ((0.02, True), (0.0099, False), (0.0301, False)):
        assert (with_metrics([0, 0, value], (0, 0, 0.02), either) == []) == kept


def test_the_worst_comes_first_and_says_what_came() -> None:
    found = on_validation(RELATIVE + np.array([0, 0.01, 0.5]))
    assert [each.name for each in found] == ["f3", "f2"]
    assert str(found[0]) == "f3 came out +51 % on validation data, where +1 % was predicted"
    assert (found[0].part, found[0].predicted, found[0].before) == ("validation", pytest.approx(0.04), 4.0)
    assert found[0].achieved == pytest.approx(0.51 * 4)


def test_what_was_zero_is_told_in_its_own_units() -> None:
    nothing = Broken("gap", "train", 0.001, 0.02, 0.0)
    assert str(nothing) == "gap came out +0.02 on training data, where +0.001 was predicted"
    assert (
        str(Broken("rate", "metrics", -0.008, -0.08, 0.8)) == "rate came out -10 %, where -1 % was predicted"
    )


def test_a_loss_that_is_next_to_nothing_is_not_measured_by_its_own_size() -> None:
    """It counts as a twentieth of the largest."""
    before = np.array([1.0, 2.0, 1e-6])
    model = replace(front(), validation_losses=losses(before))
    made = plan(model)
    made = predicting(made, validation=np.array([-0.02, 0.08, 0.0]))
    kept = losses(before + np.array([-0.02, 0.08, 0.0003]))
    assert broken(model, made, Measured(None, kept)) == ()
    found = broken(model, made, Measured(None, losses(before + np.array([-0.02, 0.08, 0.0005]))))
    assert [each.name for each in found] == ["f3"]


@FEW
@given(st.floats(-6, 6), st.lists(st.floats(-0.1, 0.1), min_size=3, max_size=3))
def test_units_make_no_difference(exponent: float, off: list[float]) -> None:
    def found(scale: float) -> list[str]:
        sizes = BEFORE * scale
        model = replace(front(), losses=sizes / 10, validation_losses=losses(sizes))
        made = plan(model)
        made = predicting(made, validation=RELATIVE * sizes)
        after = losses(sizes * (1 + RELATIVE + np.array(off)))
        return sorted(each.name for each in broken(model, made, Measured(None, after)))

    if min(abs(abs(o) - 0.004) for o in off) > 1e-6:
        assert found(10**exponent) == found(1.0)


def test_the_training_loss_of_what_was_brought_may_be_worse_by_two_fifths() -> None:
    """It was aligned on validation data, so on training data it comes as it comes; of the others it is a quarter."""
    for off, kept in ((0.0159, True), (0.0161, False)):
        found = on_training(RELATIVE + np.array([off, 0, 0]), front())
        assert [each.name for each in found] == ([] if kept else ["f1"])


def test_training_losses_are_judged_by_the_largest_change_on_either_data() -> None:
    model = front()
    made = predicting(
        plan(model), train=3 * plan(model).predicted.train
    )  # 12 % on training data, 4 % on validation data
    for off, kept in ((0.0299, True), (0.0301, False)):
        found = on_training(3 * RELATIVE + np.array([0, off, 0]), model, made)
        assert [each.name for each in found] == ([] if kept else ["f2"])


def broken_metrics(off: float, values: Any = METRICS, amount: float | None = None, **parts: Any) -> list[str]:
    """What is broken where losses have come as predicted, and the first metric is off by so much."""
    values = np.asarray(values)
    model = replace(front(metrics=True), metric_values=values, validation_losses=losses(BEFORE, values))
    made = predicting(plan(model) if amount is None else replace(plan(model), amount=amount), **parts)
    after = losses(BEFORE + made.predicted.validation, values + np.array([off, 0, 0]))
    return [each.name for each in broken(model, made, Measured(None, after))]


def test_a_metric_next_to_nothing_counts_as_a_twentieth_of_the_largest() -> None:
    values = (0.01, 10.0, 5.0)
    assert broken_metrics(-0.02 * 0.5 + 1e-6, values) == []
    assert broken_metrics(-0.02 * 0.5 - 1e-6, values) == ["rate"]


def test_a_metric_is_judged_by_what_is_shown_beside_it_and_by_the_amount() -> None:
    """On validation data: what is predicted of training losses is no measure of it."""
    train = 10 * plan(front()).predicted.train
    assert broken_metrics(-0.0201 * 0.8, train=train) == ["rate"]
    little = 0.1 * RELATIVE * BEFORE  # less than the amount, so the loss that was asked for is broken as well
    for off, kept in ((0.0099, True), (0.0101, False)):
        found = broken_metrics(-off * 0.8, validation=little, amount=0.02)
        assert ("rate" in found) != kept


def test_what_is_furthest_beyond_what_was_allowed_comes_first() -> None:
    """However far others are off of which more is allowed."""
    found = on_validation(RELATIVE + np.array([0.012, 0.03, 0]), spread=np.array([0, 0.2, 0]))
    assert [each.name for each in found] == ["f1", "f2"]
