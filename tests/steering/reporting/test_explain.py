"""What is said of a step."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

import paretonav as pn
from paretonav.steering import Changes
from paretonav.steering.measured import Measured
from paretonav.steering.outcome import Outcome
from paretonav.steering.preferences.wording import describe


@pytest.fixture(scope="module")
def nav() -> pn.Navigator:
    navigator = pn.Navigator(pn.problems.quadratic(n=8, m=3))
    navigator.start()
    return navigator


@pytest.fixture(scope="module")
def step(nav: pn.Navigator) -> pn.Step:
    nav.go_to(0)
    return nav.step(pn.Improve({"f1": 1.0}, hold=["f2"]), 0.05)


def measured(
    step: pn.Step,
    achieved: Changes | None = None,
    predicted: Changes | None = None,
    missed: tuple[tuple[str, Any], ...] = (),
) -> pn.Step:
    """The step as if there were validation data and three metrics."""
    front = replace(
        step.point.front,
        metric_names=("accuracy", "gap", "odd"),
        metric_orientation=np.array([-1.0, 1.0, 0.0]),
        metric_values=np.zeros(3),
    )
    names = tuple(step.achieved.train)
    point = replace(
        step.point,
        front=front,
        measured=Measured(
            step.point.measured.train,
            replace(
                step.point.measured.train,
                metric_names=front.metric_names,
                metric_batches=torch.tensor([[0.87, 0.2, 3.0]]).double(),
            ),
        ),
    )
    changes = Changes(dict.fromkeys(names, -0.01), dict.fromkeys(names, 0.02), 20)
    metrics = {"accuracy": 0.012, "gap": 0.02, "odd": 0.5}
    errors = {"accuracy": 0.001, "gap": 0.03, "odd": 0.1}
    came = Outcome(step.achieved.train, achieved or changes, Changes(metrics, errors, 20), "validation")
    expected = replace(step.predicted, validation=predicted or Changes(), split="validation")
    return replace(step, point=point, achieved=came, predicted=expected, missed=missed)


def other(changes: Changes, factor: float, only: str | None = None) -> Changes:
    """So many times the changes, of one of them or of all."""
    return Changes({name: (factor if only in (None, name) else 1) * x for name, x in changes.items()})


def test_a_step_that_went_well(step: pn.Step) -> None:
    said = step.explain()
    assert said.startswith(
        "You asked to improve f1 by 5%, holding f2. Expected was f1 down 5.0%, f2 unchanged and f3 up "
    )
    assert "What came is f1 down 5.0% to " in said
    assert "(good), f2 unchanged at " in said
    assert "(worse). That is as expected." in said
    assert said.count("\n") == 0


def test_only_what_is_named_is_spoken_of(step: pn.Step) -> None:
    said = step.explain("f3")
    assert "f1 down" not in said
    assert "f3 up" in said
    with pytest.raises(pn.PreferenceError, match="no objective or metric 'f9'; there are f1, f2 and f3"):
        step.explain("f9")


def test_metrics_read_as_they_are_meant_and_noise_is_called_so(step: pn.Step) -> None:
    said = measured(step).explain()
    assert "accuracy up 1.2 points to 87.0% (good), ±0.1 points" in said
    assert "odd up 20.0% to 3, ±4.0%" in said
    assert "gap" not in said  # was not asked for, and did not move beyond its noise
    assert "On validation data it is f1 down" in said
    assert "(noise)" in said
    assert "± is one standard error" in said
    noisy = measured(step).explain("gap")
    assert "gap up 11.1% to 0.2, ±16.7%, which is within its noise" in noisy


def test_what_is_lost_on_validation_data_is_said(step: pn.Step) -> None:
    none = Changes(dict.fromkeys(step.achieved.train, 0.0), dict.fromkeys(step.achieved.train, 0.01), 20)
    assert (
        "Less than half of what f1 gained on training data shows there"
        in measured(step, achieved=none).explain()
    )


def test_what_a_prediction_missed(step: pn.Step) -> None:
    off = replace(step, predicted=replace(step.predicted, train=other(step.predicted.train, 0.3, "f3")))
    said = off.explain()
    assert re.search(r"The largest difference is in f3: up \S+% instead of up \S+%\. ?$", said)
    assert "smaller step" not in said  # nothing has measured why


@pytest.mark.parametrize(("error", "where"), [(1e-3, "beyond"), (10.0, "within")])
def test_a_difference_is_told_from_sampling_error_on_the_data_that_it_is_on(
    step: pn.Step, error: float, where: str
) -> None:
    names = tuple(step.achieved.train)
    came = Changes(dict.fromkeys(names, 0.3), dict.fromkeys(names, error), 20)
    missed = tuple((name, "validation") for name in names)
    made = measured(step, predicted=step.predicted.train, achieved=came, missed=missed)
    said = made.explain()
    training, validation = said.split("On validation data")
    assert "The largest difference" not in training
    assert re.search(
        rf"The largest difference there is in f\d: up \S+% instead of .*, which is {where} the sampling error of",
        validation,
    )
    same = measured(step, predicted=step.predicted.train, achieved=step.predicted.train)
    assert "difference" not in same.explain()


def test_better_than_expected_is_good_news(step: pn.Step) -> None:
    better = replace(step, predicted=replace(step.predicted, train=other(step.predicted.train, 3, "f3")))
    said = better.explain()
    assert "(worse). Better than expected is f3 up 3.9% instead of up 11.8%." in said
    assert "difference" not in said


def on_validation(step: pn.Step) -> pn.Step:
    """The step as if it had been asked for on validation data, on which everything is twice as large."""
    point = step.point
    train, validation = point.measured.train, point.measured.validation
    assert validation is None
    errors = dict.fromkeys(step.achieved.train, 1e-4)
    achieved = Changes(other(step.achieved.train, 2), errors, 20)
    return replace(
        step,
        point=replace(point, measured=Measured(train, replace(train, batches=2 * train.batches))),
        requested=Outcome(Changes(), step.requested.train, Changes(), "validation"),
        predicted=replace(step.predicted, validation=other(step.predicted.train, 2), split="validation"),
        achieved=replace(step.achieved, validation=achieved, split="validation"),
    )


def test_what_was_asked_for_is_spoken_of_first_and_the_other_data_in_a_sentence(step: pn.Step) -> None:
    said = on_validation(step).explain()
    first = f"{2 * step.point.losses['f1']:.3g}"
    assert "Expected on validation data was f1 down 5.0%, f2 unchanged and f3 up 3.9%." in said
    assert f"What came is f1 down 5.0% ±0.02%, at {first} (good), f2 unchanged" in said
    assert "(± is one standard error). That is as expected." in said
    assert said.endswith("On training data it is f1 down 5.0%, f2 unchanged and f3 up 3.9%.")


def test_a_step_taken_back_before_training_data_were_read(step: pn.Step) -> None:
    before = on_validation(step)
    gone = replace(
        before,
        achieved=replace(before.achieved, train=Changes()),
        status=pn.StepStatus.REJECTED,
        reason="f3 came out +9 % on validation data, where +4 % was predicted",
    )
    said = gone.explain()
    assert "What was tried came to f1 down" in said
    assert "as expected" not in said
    assert "training data" not in said
    assert said.endswith(
        "The step was taken back, and the model is where it was: f3 came out +9 % on validation data, where +4 % was "
        "predicted."
    )
    with pytest.raises(pn.PreferenceError, match="there are f1, f2 and f3"):
        gone.explain("f9")


def test_a_step_that_was_cut_short_and_one_that_was_taken_back(nav: pn.Navigator) -> None:
    nav.go_to(0)
    far = nav.step(pn.Aim({"f1": -1.0}))
    said = far.explain()
    assert "You asked to aim at f1 -1." in said
    assert "ended before all of it was done: the target is out of reach: the edge of the front" in said
    again = nav.step(pn.Aim({"f1": -1.0}))
    assert again.status is pn.StepStatus.REJECTED
    assert (
        "The step was taken back, and the model is where it was: the target is out of reach"
        in again.explain()
    )
    nav.go_to(0)
    near = nav.step(pn.Aim({"f1": 0.97 * nav.here.losses["f1"]}))
    assert near.explain().endswith("The target is reached.")


@pytest.mark.parametrize(
    ("preference", "amount", "words"),
    [
        (pn.Improve({"a": 1.0}, allow={"b": 1 / 3}), 0.05, "improve a by 5%, allowing b 0.3333"),
        (
            pn.Direction({"a": -1.0, "b": 0.0}, allow={"c": 2.0}),
            0.1,
            "direction a -1 by 10%, holding b, allowing c 2",
        ),
        (pn.Direction({"a": -1.0, "b": 0.0}, hold="b"), 0.1, "direction a -1 by 10%, holding b"),
        (pn.Aim({"a": 0.5, "b": 2.0}, hold="c"), 1.0, "aim at a 0.5 and b 2, holding c"),
        (pn.Aim({"a": 0.25}, units="range"), 0.5, "aim at a 0.25 (50% of the way)"),
        (pn.Aim({"a": 0.5}, on="train"), 1.0, "aim at a 0.5 on training data"),
        (
            pn.Classify(["a"], {"b": 0.5}, hold=["c"], allow={"d": 0.25}, free=["e"]),
            0.05,
            "improve a and b (to 0.5 at most) by 5%, holding c, allowing d 0.25",
        ),
        (
            pn.Prefer({"a": 1.0, "b": 2.0}, {"a": 2.0, "b": 1.0}),
            0.05,
            "prefer a 1 and b 2 to a 2 and b 1 by 5%",
        ),
    ],
)
def test_preferences_in_words(preference: Any, amount: float, words: str) -> None:
    assert describe(preference, amount) == words
