"""The table has every number of every point, and what comes from people stays text."""

import io
import json
from csv import DictReader
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import paretonav as pn
from paretonav.session.listing import listing
from paretonav.session.table import csv, table


def test_a_row_per_point_with_what_its_record_has(walked: pn.Session) -> None:
    frame = walked.table()
    assert frame["id"].tolist() == [0, 1, 2, 3]
    assert frame["parent"].tolist() == [pd.NA, 0, 1, 1]
    assert frame["preference"].tolist() == ["", "improve a by 3%", "improve a by 2%", "improve b by 2%"]
    assert frame["note"].tolist() == ["", "", "", "=good\nenough"]
    assert frame["star"].tolist() == [False, False, False, True]
    assert frame["made"].tolist() == [record.made for record in walked]
    for record, (_, row) in zip(walked, frame.iterrows(), strict=True):
        expected = {
            "pull": walked.point(record.id).anchor.part,
            "seconds": record.cost.seconds,
            **{f"train loss: {k}": x for k, x in record.losses.items()},
            **{f"train loss s.e.: {k}": x for k, x in record.losses.standard_errors.items()},
            **{f"validation loss: {k}": x for k, x in record.validation.items()},
            **{f"metric: {k}": x for k, x in record.metrics.items()},
            **{f"weight: {k}": x for k, x in record.weights.items()},
            **{f"requested change: {k}": x for k, x in record.requested.shown.items()},
        }
        if record.achieved:
            expected |= {f"achieved train change: {k}": x for k, x in record.achieved.train.items()}
            expected |= {f"achieved metric change: {k}": x for k, x in record.achieved.metrics.items()}
            expected |= {
                f"predicted validation change s.e.: {k}": x
                for k, x in record.predicted.validation.standard_errors.items()
            }
        for column, x in expected.items():
            assert row[column] == x, column
    assert np.isnan(frame["achieved train change: a"][0])
    assert frame["on"].tolist() == ["", "validation", "validation", "validation"]
    assert frame["joint gain"].isna().all()  # of a model that is held where it is
    assert frame["residual"].isna().all()
    assert frame["train loss: a"].dtype == float


def test_a_session_without_points_has_no_rows() -> None:
    assert len(pn.Session().table()) == 0


def test_a_function_has_no_columns_of_validation_or_errors() -> None:
    navigator = pn.Navigator(pn.problems.quadratic(n=5, m=2))
    navigator.start()
    frame = navigator.session.table()
    assert not [name for name in frame if "validation" in name or "s.e." in name]
    assert frame["joint gain"].tolist() == [navigator.here.joint_gain]
    assert frame["residual"].tolist() == [navigator.here.residual]
    assert frame["pull"].isna().all()


@settings(max_examples=40)
@given(st.text(max_size=20), st.sampled_from(["", "=", "+", "-", "@", "\t", "\r", "\n", "\uff1d"]))
def test_no_cell_that_people_wrote_is_a_formula(walked: pn.Session, text: str, start: str) -> None:
    note = (start + text).encode("utf-8", "replace").decode()
    frame = table([replace(walked[1], note=note, reason=note)])
    (read,) = DictReader(io.StringIO(csv(frame), newline=""))
    for column in ("note", "reason"):
        cell = read[column]
        assert not cell.startswith(tuple("=+-@\t\r\n\uff1d"))
        assert cell.removeprefix("'") == note.removeprefix("'")
    assert float(read["achieved train change: a"]) < 0


def test_what_arithmetic_leaves_behind_is_no_change_in_a_file(walked: pn.Session) -> None:
    record = walked[1]
    achieved = type(record.achieved.train)(dict.fromkeys(record.achieved.train, 5.6e-17))
    frame = table([replace(record, joint_gain=7.4e-26, achieved=replace(record.achieved, train=achieved))])
    (read,) = DictReader(io.StringIO(csv(frame)))
    assert float(read["joint gain"]) == 0
    assert [float(read[f"achieved train change: {name}"]) for name in record.achieved.train] == [0.0] * len(
        record.achieved.train
    )
    assert float(read["predicted train change: a"]) == frame["predicted train change: a"][0] != 0
    assert frame["joint gain"].tolist() == [7.4e-26]  # who computes with it has it as it is


def test_csv_reads_back(walked: pn.Session, tmp_path: Path) -> None:
    walked.to_csv(tmp_path / "points.csv")
    read, frame = pd.read_csv(tmp_path / "points.csv", dtype=str), walked.table()
    assert list(read) == list(frame)
    for name in frame.select_dtypes("number"):
        np.testing.assert_array_equal(read[name].astype(float), frame[name].astype(float), err_msg=name)
    assert read["note"][3] == "'=good\nenough"


def test_json_is_strict_and_complete(walked: pn.Session, tmp_path: Path) -> None:
    walked.to_json(tmp_path / "points.json")

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    document = json.loads((tmp_path / "points.json").read_text("utf-8"), parse_constant=refuse)
    assert document["objectives"] == ["a", "b"]
    assert document["higher_is_better"] == {"hits": True}
    assert document["current"] == 3
    first, *_, last = document["points"]
    assert (first["achieved"]["train"], first["parent"]) == ({}, None)
    assert (last["note"], last["star"], last["parent"]) == ("=good\nenough", True, 1)
    record = walked[3]
    for part, values in (
        (last["values"]["train"], record.losses),
        (last["values"]["metrics"], record.metrics),
        (last["achieved"]["validation"], record.achieved.validation),
        (last["predicted"]["train"], record.predicted.train),
    ):
        assert {name: entry["value"] for name, entry in part.items()} == dict(values)
        assert {name: entry["standard_error"] for name, entry in part.items()} == values.standard_errors


def test_json_has_null_for_what_is_no_finite_number(walked: pn.Session) -> None:
    odd = replace(walked[0], joint_gain=float("inf"), residual=float("nan"), note="NaN")
    point = json.loads(listing([odd], None, {}))["points"][0]
    assert (point["joint_gain"], point["residual"], point["note"]) == (None, None, "NaN")


@pytest.mark.parametrize("write", ["to_csv", "to_json"])
def test_what_cannot_be_written_leaves_what_was_there(
    walked: pn.Session, tmp_path: Path, write: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "old").write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(pn.SessionError, match="choose a file in a folder that exists"):
        getattr(walked, write)(tmp_path / "no" / "file")
    monkeypatch.setattr("os.replace", full)
    with pytest.raises(pn.SessionError, match="No space"):
        getattr(walked, write)(tmp_path / "old")
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("old", "old")]
