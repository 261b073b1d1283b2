"""The examples in gallery/ run as they stand, and what their steps promise comes true."""

from __future__ import annotations

import contextlib
import io
import runpy
from pathlib import Path

import pytest

pyplot = pytest.importorskip("matplotlib.pyplot")

GALLERY = Path(__file__).parents[1] / "gallery"


@pytest.mark.slow
@pytest.mark.parametrize("example", sorted(path.name for path in GALLERY.glob("*.py")))
def test_an_example_runs_and_its_step_comes_true(
    example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # some keep a session
    pyplot.switch_backend("Agg")
    with contextlib.redirect_stdout(io.StringIO()) as said:
        names = runpy.run_path(str(GALLERY / example))
    pyplot.close("all")
    assert names["step"].status in {"accepted", "shortened"}, names["step"].reason
    assert names["before"] != names["after"], "measured by the example itself"
    assert all(f"{name}: " in said.getvalue() for name in names["after"])
    own = (GALLERY / example).read_text("utf-8")
    assert "def measured(" in own
    assert "test=test" in own
