"""A model that is held where it is, and wishes about validation data, as a view sees them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from tests.cockpit.watching import Watcher, improve
from tests.regression import NAMES, problem

import paretonav as pn
from paretonav.cockpit.controller import Controller
from paretonav.cockpit.here import state_of
from paretonav.steering import Changes

FAST = pn.TrainOn(
    optimizer=lambda p: torch.optim.Adam(p, lr=1e-2),
    learning_rate_factor=1.0,
    epochs=8,
    rounds=1,
    batch_size=64,
)


@pytest.fixture(scope="module")
def navigator() -> pn.Navigator:
    navigator = pn.Navigator(problem())
    navigator.start(train_on=FAST)
    navigator.step(pn.Improve({"large": 1.0}), 0.02)
    assert navigator.here.id == 1
    return navigator


@pytest.fixture
def view(navigator: pn.Navigator) -> Iterator[Watcher]:
    navigator.go_to(1)
    controller = Controller(navigator, "held")
    yield Watcher(controller)
    controller.close()


def state(view: Watcher) -> Any:
    return view.controller.values()["state"]


def told(navigator: pn.Navigator, step: pn.Step | None = None, **more: Any) -> Any:
    return state_of(navigator.session, navigator.here, step, (), "held", 1, **more)


def test_what_holds_the_model_is_said_in_place_of_a_joint_gain(view: Watcher) -> None:
    assert state(view)["standing"].startswith("The model is held where it is, by a pull of ")
    assert all("along the cheapest way" in q["price"] for q in state(view)["quantities"])
    view.do("undo")
    reason = view.controller.navigator.here.anchor.reason
    assert reason
    assert reason in state(view)["standing"]


def test_what_training_on_would_bring_is_said_once_it_is_known(
    view: Watcher, navigator: pn.Navigator
) -> None:
    assert "raining on" not in state(view)["standing"]
    gain = navigator.training_gain(replace(FAST, epochs=1))
    view.controller.refresh()
    assert state(view)["standing"].endswith(f"T{gain.words[1:]}.")


def test_wishes_aims_and_limits_are_about_the_values_that_are_shown(view: Watcher) -> None:
    value, *_ = (q["value"] for q in state(view)["quantities"])
    outlook = view.steer({"small": {"mode": "aim", "value": 0.99 * value}})
    assert outlook["map"]["base"] == [pytest.approx(value, rel=1e-6)]
    assert outlook["exact"]["shown"][0] == pytest.approx(-0.01 * value, rel=1e-3)
    outlook = view.steer({"small": improve(1)})
    assert outlook["exact"]["shown"][0] == pytest.approx(-0.01 * value, rel=1e-3)
    outlook = view.steer({"large": improve(0.5), "small": {"mode": "limit", "value": value}})
    assert outlook["problem"] or outlook["exact"]["shown"][0] <= 1e-3 * value


def test_the_front_is_drawn_where_it_is_asked(navigator: pn.Navigator, view: Watcher) -> None:
    middle = [navigator.here.validation[name] for name in NAMES]
    outcomes = torch.tensor(state(view)["front"]["outcomes"], dtype=torch.float64)
    off = (outcomes - torch.tensor(middle, dtype=torch.float64)).abs().sum(1)
    assert float(off.min()) < 1e-5


def test_the_way_has_what_the_last_step_was_predicted_to_come_to(
    navigator: pn.Navigator, view: Watcher
) -> None:
    way, (first, last) = state(view)["way"], navigator.records[:2]
    assert way["points"] == [first.id, last.id]
    for i, name in enumerate(NAMES):
        assert way["values"][i][1] == pytest.approx(last.validation[name], rel=1e-6)
        assert way["errors"][i] == [
            None,
            pytest.approx(last.achieved.validation.standard_errors[name], rel=1e-6),
        ]
        expected = first.validation[name] + last.predicted.validation[name]
        assert way["predicted"][i] == [None, pytest.approx(expected, rel=1e-6)]


def test_rows_of_what_was_asked_for_come_first(view: Watcher) -> None:
    rows = state(view)["step"]["rows"]
    assert [row["split"] for row in rows] == ["validation"] * 2 + ["training"] * 2
    assert [row["requested"] is None for row in rows] == [True, False, True, True]
    assert {row["verdict"] for row in rows} <= {"as predicted", "nearly as predicted", "noise"} | {
        "better than predicted"
    }


def test_on_training_data_it_is_the_other_way_round(navigator: pn.Navigator) -> None:
    navigator.go_to(0)
    step = navigator.step(pn.Improve({"large": 1.0}, on="train"), 0.005)
    assert step.status is not pn.StepStatus.REJECTED, step.reason
    rows = told(navigator, step)["step"]["rows"]
    assert [row["split"] for row in rows] == ["training"] * 2 + ["validation"] * 2
    assert [row["requested"] is None for row in rows] == [True, False, True, True]
    assert told(navigator, step)["step"]["asked"] == "improve large by 0.5% on training data"


def test_the_status_decides_what_is_said_of_every_row(navigator: pn.Navigator) -> None:
    navigator.go_to(0)
    step = navigator.step(pn.Improve({"large": 1.0}), 0.01)
    rejected = replace(
        step,
        point=navigator.go_to(0),
        achieved=replace(step.achieved, train=Changes()),
        status=pn.StepStatus.REJECTED,
        reason="small came out +3 % on validation data, where +1 % was predicted",
    )
    found = told(navigator, rejected)["step"]
    assert (found["status"], found["to"], found["reason"]) == ("rejected", None, rejected.reason)
    assert {row["verdict"] for row in found["rows"]} == {"taken back"}
    assert [row["achieved"] is None for row in found["rows"]] == [False, False, True, True]


def test_worse_is_only_what_the_test_of_steps_calls_so(navigator: pn.Navigator) -> None:
    navigator.go_to(0)
    step = navigator.step(pn.Improve({"large": 1.0}), 0.01)
    errors = dict.fromkeys(NAMES, 1e-9)
    predicted = Changes({"small": 0.0, "large": -0.01})
    worse = Changes({"small": 0.0015, "large": -0.01}, errors, 20)

    def came(changes: Changes) -> dict[str, Any]:
        return {
            "predicted": replace(step.predicted, validation=predicted),
            "achieved": replace(step.achieved, validation=changes),
        }

    def verdicts(**fields: Any) -> dict[tuple[str, str], str]:
        made = replace(step, **came(worse), **fields)
        rows = told(navigator, made)["step"]["rows"]
        return {(row["name"], row["split"]): row["verdict"] for row in rows}

    assert verdicts(missed=())["small", "validation"] == "nearly as predicted"
    found = verdicts(missed=(("small", "validation"),))
    assert found["small", "validation"] == "worse than predicted"
    assert found["small", "training"] != "worse than predicted"
    better = Changes({"small": -0.0015, "large": -0.01}, errors, 20)
    made = replace(step, **came(better), missed=())
    assert told(navigator, made)["step"]["rows"][0]["verdict"] == "better than predicted"


def test_a_point_that_was_come_back_to_says_the_same(navigator: pn.Navigator) -> None:
    navigator.go_to(0)
    step = navigator.step(pn.Improve({"large": 1.0}), 0.01)
    fresh, later = (told(navigator, s)["step"]["rows"] for s in (step, None))
    assert fresh == later
