from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.figure import predicted_and_achieved
from zoo.rows import COLUMNS, Store, key, numbers, text
from zoo.summary import summarise, targets
from zoo.verdicts import (
    after_training_on,
    as_predicted,
    control_gains,
    dominates,
    far_off,
    miss,
    verdicts,
)

NONE = np.zeros(2)
FIRST = np.array([0])


def started(**changes: Any) -> dict[str, Any]:
    row = {
        "case": "net",
        "seed": 0,
        "origin": "as brought",
        "method": "start",
        "status": "unchanged",
        "objectives": "a; b",
        "losses train": "+1 +2",
        "losses validation": "+1 +2",
        "losses test": "+1 +2",
        "epochs": 4.0,
        "examples": 6000,
        "parameters": 10,
        "training seconds": 3.0,
        "training epochs": 9.0,
    }
    return row | changes


def step(**changes: Any) -> dict[str, Any]:
    """A step that came as predicted."""
    said, noise = "-0.02 +0.01", "+0.001 +0.001"
    row = started() | {
        "wish": "a",
        "amount": 0.02,
        "method": "step",
        "status": "accepted",
        "named": "0",
        "epochs": 2.0,
        "requested": "-0.02",
        "reason": "",
        **{f"previewed {split}": said for split in ("train", "validation")},
        **{f"predicted {split}": said for split in ("train", "validation")},
        **dict.fromkeys(("train", "validation", "test"), said),
        **{f"± {split}": noise for split in ("train", "validation", "test")},
    }
    return row | changes


def tuned(method: str = "named x 3, rate", **changes: Any) -> dict[str, Any]:
    row = step(method=method, status="trained")
    return row | {"over step": "+0.01 -0.01", "± over step": "+0.002 +0.002"} | changes


def table(*rows: dict[str, Any]) -> pd.DataFrame:
    """Through the file, as the benchmark has them."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "zoo.csv")
        store.add(rows)
        return store.load()


def decided(*rows: dict[str, Any]) -> dict[str, str]:
    return {str(row["target"]): str(row["verdict"]) for row in targets(table(*rows))}


def test_what_is_met() -> None:
    found = decided(started(), step(), tuned(), tuned("control"))
    assert set(found.values()) == {"met"}
    assert len(found) == 13


@pytest.mark.parametrize(
    ("rows", "missed"),
    [
        ([started(status="changed")], {"trained models changed by start()"}),
        ([step(validation="-0.02 +0.0131")], {"taken steps of 1 to 10 %: as predicted"}),
        ([step(train="-0.02 +0.0201")], {"taken steps that are far off"}),
        ([step(validation="-0.02 +0.0301", amount=0.2)], {"taken steps that are far off"}),
        (
            [step(test="+0.002 +0.01")],
            {
                "taken wishes that moved the wrong way on TEST data",
                "miss of the request on TEST data, median",
            },
        ),
        ([step(test="-0.0169 +0.01")], {"miss of the request on TEST data, median"}),
        ([step(), tuned(**{"over step": "-0.003 +0"})], {"dominated by fine-tuning on TEST data"}),
        (
            [step(), tuned("planned, rate", **{"over step": "+0 -0.01"})],
            {"dominated by fine-tuning on TEST data"},
        ),
        (
            [step(), tuned("control", **{"over step": "-0.003 -0.01"})],
            {"dominated by the control on TEST data"},
        ),
        ([step(epochs=5.0)], {"epochs of a step at 5,000 examples or more, median"}),
        (
            [step(epochs=7.0)],
            {f"epochs of a step at 5,000 examples or more, {which}" for which in ("median", "worst")},
        ),
        (
            [started(epochs=11.0)],
            {
                f"epochs of the first point at 5,000 examples or more, {which}"
                for which in ("median", "worst")
            },
        ),
        (
            [step(status="refused"), step(method="reach", status="reached")],
            {
                "wishes of 1 and 2 % accepted, or refused where fine-tuning does not reach them either",
                "wishes of 1 and 2 % accepted",
            },
        ),
        (
            [step(status="rejected"), step(method="reach", status="not reached")],
            {"wishes of 1 and 2 % accepted"},
        ),
    ],
)
def test_what_is_missed(rows: list[dict[str, Any]], missed: set[str]) -> None:
    assert {name for name, verdict in decided(*rows).items() if verdict == "not met"} == missed


def test_what_was_not_measured_is_not_judged() -> None:
    found = decided(started())
    assert found["taken steps that are far off"] == "not measured"
    assert found["dominated by fine-tuning on TEST data"] == "not measured"
    few = decided(started(examples=1000, epochs=99.0), step(examples=1000, epochs=99.0))
    assert few["epochs of the first point at 5,000 examples or more, worst"] == "not measured"
    assert few["epochs of a step at 5,000 examples or more, median"] == "not measured"
    refused = decided(step(status="refused", epochs=0.0))
    assert refused["epochs of a step at 5,000 examples or more, median"] == "not measured"


@pytest.mark.parametrize("status", ["refused", "rejected", "shortened", "failed"])
def test_what_was_not_met_is_excused_only_where_fine_tuning_has_not_reached_it(status: str) -> None:
    name = "wishes of 1 and 2 % accepted, or refused where fine-tuning does not reach them either"
    assert decided(step(status=status))[name] == "not met"
    tried = [step(status=status), step(method="reach", status="not reached")]
    assert decided(*tried)[name] == ("not met" if status == "failed" else "met")


def test_a_shortened_step_is_held_to_what_was_said_of_its_part() -> None:
    part = "-0.01 +0.005"
    shortened = {
        "status": "shortened",
        "requested": "-0.01",
        "train": part,
        "validation": part,
        "test": part,
        "predicted train": part,
        "predicted validation": part,
    }
    (verdict,) = verdicts(table(step(**shortened)))
    assert verdict.as_predicted
    assert verdict.miss == 0
    assert verdict.taken
    assert not verdict.accepted
    (accepted,) = verdicts(table(step(**shortened | {"status": "accepted"})))
    assert not accepted.as_predicted


def test_refused_steps_are_held_to_nothing() -> None:
    (verdict,) = verdicts(table(step(status="refused", train="+0 +0", validation="+0 +0")))
    assert verdict.as_predicted is verdict.far_off is verdict.wrong_way is None
    assert math.isnan(verdict.miss)


def test_where_training_on_pays_the_comparison_is_after_it() -> None:
    worse = {"over step": "-0.01 -0.01"}
    brought = [step(), tuned(**worse)]
    further = [started(origin="trained on"), step(origin="trained on"), tuned(origin="trained on")]
    gains = tuned("control", test="-0.05 -0.04")
    loses = tuned("control", test="+0.05 -0.04")
    agreed, not_agreed = table(*brought, gains, *further), table(*brought, loses, *further)
    assert control_gains(agreed, "net", 0)
    assert not control_gains(not_agreed, "net", 0)
    for rows, origin in ((agreed, "trained on"), (not_agreed, "as brought")):
        assert [v.origin for v in after_training_on(verdicts(rows), rows)] == [origin]
    name = "dominated by fine-tuning on TEST data"
    assert decided(*brought, gains, *further)[name] == "met"
    assert decided(*brought, loses, *further)[name] == "not met"


changes = st.lists(st.floats(-1, 1), min_size=2, max_size=2).map(np.array)
errors = st.lists(st.floats(0, 0.2), min_size=2, max_size=2).map(np.array)


@given(changes, errors)
def test_what_came_exactly_is_as_predicted(predicted: Any, noise: Any) -> None:
    assert as_predicted(predicted, predicted, noise, FIRST)
    assert not far_off(predicted, predicted, noise)
    assert miss(predicted[FIRST] - 2, predicted[FIRST] - 2, noise[FIRST]) == 0


@given(changes, changes, errors)
def test_what_is_far_off_is_not_as_predicted(predicted: Any, achieved: Any, noise: Any) -> None:
    assert not (far_off(predicted, achieved, noise) and as_predicted(predicted, achieved, noise, FIRST))


@given(changes, errors)
def test_better_than_predicted_is_good_where_nothing_was_named(predicted: Any, noise: Any) -> None:
    better = predicted - np.array([0.0, 1.0])
    assert as_predicted(predicted, better, noise, FIRST)
    named_too = as_predicted(predicted, better, noise, np.array([0, 1]))
    assert named_too == (max(0.1 * np.abs(predicted).max(), 2 * noise[1]) >= predicted[1] - better[1])


@given(changes, errors)
def test_nothing_dominates_itself_or_what_dominates_it(difference: Any, noise: Any) -> None:
    assert not dominates(NONE, noise)
    assert not (dominates(difference, noise) and dominates(-difference, noise))


def test_dominance_is_beyond_the_standard_error() -> None:
    assert dominates(np.array([-0.2, 0.0]), np.array([0.1, 0.1]))
    assert not dominates(np.array([-0.05, -0.05]), np.array([0.1, 0.1]))
    assert not dominates(np.array([-0.2, 0.01]), np.array([0.1, 0.1]))


def test_errors_that_are_unknown_excuse_nothing() -> None:
    unknown = np.array([np.nan, np.nan])
    assert not as_predicted(np.array([-0.1, 0.1]), np.array([-0.1, 0.2]), unknown, FIRST)
    assert dominates(np.array([-0.1, 0.0]), unknown)


def test_rows_are_added_and_errors_forgotten(tmp_path: Path) -> None:
    store = Store(tmp_path / "new" / "zoo.csv")
    assert store.load().empty
    assert store.done() == set()
    store.add([started(), step(), tuned(reason="a, b\nc")])
    store.add([{"case": "net", "seed": 0, "origin": "as brought", "method": "error", "reason": "broke"}])
    store.add([{"case": "other", "seed": 0, "origin": "as brought", "method": "error", "reason": "broke"}])
    assert store.done() == {key("net", 0, "as brought"), key("net", 0, "as brought", "a", 0.02)}
    before = store.load()
    store.forget_errors("net", 0)
    after = store.load()
    assert after["case"].tolist() == ["net", "net", "net", "other"]
    pd.testing.assert_frame_equal(after.iloc[:3], before.iloc[:3])
    assert list(after.columns) == list(COLUMNS)
    assert {file.name for file in store.path.parent.iterdir()} == {"zoo.csv", "zoo.lock"}


@given(st.lists(st.floats(-1e6, 1e6), max_size=5))
def test_vectors_survive_the_file_to_six_digits(values: list[float]) -> None:
    np.testing.assert_allclose(numbers(text(values)), values, rtol=1e-5)


def test_tables_and_the_figure(tmp_path: Path) -> None:
    failed = {"case": "broken", "seed": 1, "origin": "as brought", "method": "error", "reason": "E: x | y"}
    refused = step(wish="b", status="refused", named="1", reason="the edge | of it")
    published = step(method="ppe", wish="ppe: a")
    on = started(method="training on", wish="training on", status="does not pay")
    rows = table(started(), step(), tuned(), tuned("control"), refused, published, on, failed)
    found = summarise(rows)
    assert "| net | 2 | 1 | 0 | 0 | 1 of 1 |" in found
    assert "| broken | 1 | E: x / y |" in found
    assert "the edge / of it" in found
    assert "1 does not pay" in found
    assert "-2.00 % +1.00 %" in found
    predicted_and_achieved(rows, tmp_path / "zoo.png")
    assert (tmp_path / "zoo.png").read_bytes().startswith(b"\x89PNG")


def test_of_nothing_there_is_a_table_of_nothing(tmp_path: Path) -> None:
    rows = Store(tmp_path / "zoo.csv").load()
    assert "not measured" in summarise(rows)
    predicted_and_achieved(rows, tmp_path / "zoo.png")
    assert not (tmp_path / "zoo.png").exists()
