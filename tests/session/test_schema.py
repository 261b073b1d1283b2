"""Sessions of later versions are left alone."""

import json
import sqlite3
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

import paretonav as pn
from paretonav.session import schema
from paretonav.session.precision import packed, unpacked


@pytest.mark.parametrize(
    "statement", ["CREATE TABLE half (", "CREATE TABLE points (x)", "INSERT INTO meta VALUES (1)"]
)
def test_tables_that_fail_half_way_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(schema, "TABLES", (*schema.TABLES, statement))
        with pytest.raises(pn.SessionError, match=r"session\.db.*restore it"):
            pn.Session(tmp_path, write=True)
    with pn.Session(tmp_path, write=True) as session:
        assert len(session) == 0


def test_a_later_session_is_refused_and_left_alone(visited: Path) -> None:
    connection = sqlite3.connect(visited / "session.db")
    connection.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    connection.close()
    before = (visited / "session.db").read_bytes()
    for write in (True, False):
        with pytest.raises(pn.SessionError, match="later paretonav"):
            pn.Session(visited, write=write)
    assert (visited / "session.db").read_bytes() == before


def test_what_a_later_version_added_with_a_default_needs_not_be_there(visited: Path) -> None:
    connection = sqlite3.connect(visited / "session.db")
    with connection:
        connection.execute("UPDATE points SET file = '', seal = ''")  # without checksums
    connection.close()
    file = visited / "points" / "000001.safetensors"
    with safe_open(file, "pt") as opened:
        tensors = {name: opened.get_tensor(name).clone() for name in opened.keys()}  # noqa: SIM118
        said = json.loads(opened.metadata()["paretonav"])
    del said["fields"]["front"]["fields"]["metric_orientation"]
    del said["fields"]["trust"]["fields"]["geometry"]["fields"]["recycle"]
    del said["fields"]["preference"]["fields"]["hold"]
    save_file(tensors, file, {"paretonav": json.dumps(said)})
    point = pn.Session(visited).point(1)
    assert point.trust.geometry.recycle is True
    assert point.front.metric_orientation.shape == (0,)
    assert point.preference == pn.Improve({"a": 1.0}, allow={"size": 9.0})


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("precision", ["full", "half", "delta"])
@pytest.mark.parametrize("large", [False, True])
def test_parameters_come_back_in_their_own_dtype(dtype: torch.dtype, precision: str, large: bool) -> None:
    generator = torch.Generator().manual_seed(3)
    first = torch.randn(50, generator=generator).to(dtype)
    theta = (first + 0.01 * torch.randn(50, generator=generator)).to(dtype)
    if large:  # beyond float16, where that can be
        theta[0], first[0] = (6e4, -6e4) if dtype == torch.float16 else (1e6, -1e6)
    for t, base in ((first, None), (theta, lambda: first)):
        stored = packed(t, precision, base)  # type: ignore[arg-type]
        back = unpacked(stored, precision, dtype, base)  # type: ignore[arg-type]
        assert back.dtype == dtype
        exact = precision == "full" or base is None or large
        assert torch.equal(back, t) if exact else torch.allclose(back, t, rtol=1e-2, atol=1e-2)
