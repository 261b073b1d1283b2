"""Tables for people and for programs have the same figures."""

import csv
from pathlib import Path

import pytest

import report
from measures import median


def test_an_interval_is_one_cell_for_people_and_three_for_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    found = median([[1.0, 2.0], [4.0]])
    report.write("table", "A table", [{"what": "first", "error": found}, {"what": "second", "error": found}])
    assert f"| first | {found} |" in (tmp_path / "table.md").read_text(encoding="utf-8")
    with (tmp_path / "table.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["what"] for row in rows] == ["first", "second"]
    assert [float(rows[1][key]) for key in ("error", "error low", "error high")] == [
        found.value,
        found.low,
        found.high,
    ]
