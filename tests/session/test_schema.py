"""Sessions of earlier versions are brought up to date, those of later ones are left alone."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

import paretonav as pn
from paretonav.session import schema
from paretonav.session.precision import packed, unpacked

# As the first versions made them.
BY_HAND = {
    1: (
        "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
        "CREATE TABLE points (id INTEGER PRIMARY KEY, parent INTEGER, record TEXT NOT NULL)",
        "INSERT INTO meta SELECT key, value FROM new.meta WHERE key != 'model'",
        "INSERT INTO points SELECT id, parent, record FROM new.points",
        "PRAGMA application_id = 1348563566",
        "PRAGMA user_version = 1",
    ),
    2: (
        "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
        "CREATE TABLE points (id INTEGER PRIMARY KEY, parent INTEGER, record TEXT NOT NULL)",
        "ALTER TABLE points ADD COLUMN note TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE points ADD COLUMN star INTEGER NOT NULL DEFAULT 0",
        "INSERT INTO meta SELECT key, value FROM new.meta WHERE key != 'model'",
        "INSERT INTO points SELECT id, parent, record, note, star FROM new.points",
        "PRAGMA application_id = 1348563566",
        "PRAGMA user_version = 2",
    ),
}


def age(folder: Path, version: int) -> None:
    (folder / "session.db").rename(folder / "new.db")
    connection = sqlite3.connect(folder / "session.db", isolation_level=None)
    connection.execute("ATTACH ? AS new", (str(folder / "new.db"),))
    for statement in BY_HAND[version]:
        connection.execute(statement)
    connection.close()
    (folder / "new.db").unlink()


def content(session: pn.Session) -> list[object]:
    numbers = [(record.losses, record.parent, record.achieved.train, record.made) for record in session]
    return [
        *numbers,
        [session.point(record.id).parameters.tolist() for record in session],
        session.current is None,
    ]


@pytest.mark.parametrize("version", BY_HAND)
def test_an_older_session_is_read_as_it_is(visited: Path, version: int) -> None:
    expected = content(pn.Session(visited))
    age(visited, version)
    before = {file: file.read_bytes() for file in visited.rglob("*") if file.is_file()}
    assert content(pn.Session(visited)) == expected
    assert {file: file.read_bytes() for file in visited.rglob("*") if file.is_file()} == before


@pytest.mark.parametrize("version", BY_HAND)
def test_an_older_session_is_brought_up_to_date_by_its_writer(
    visited: Path, version: int, small_model: Callable[[], pn.ModelProblem]
) -> None:
    expected = content(pn.Session(visited))
    age(visited, version)
    with pn.Session(visited, write=True) as session:
        assert content(session) == expected
        assert session[1].note == ("a note" if version > 1 else "")
        nav = pn.Navigator(small_model(), session=session)
        assert nav.here.id == 2
        nav.step(pn.Improve({"a": 1.0}), 0.02)
        session.note(0, "from then")
    connection = sqlite3.connect(visited / "session.db")
    assert connection.execute("PRAGMA user_version").fetchone() == (len(schema.MIGRATIONS),)
    connection.close()
    again = pn.Session(visited)
    assert content(again)[:3] == expected[:3]
    assert (len(again), again[0].note) == (4, "from then")


@pytest.mark.parametrize(
    "statement", ["CREATE TABLE half (", "CREATE TABLE points (x)", "INSERT INTO meta VALUES (1)"]
)
def test_a_migration_that_fails_half_way_leaves_the_old_session(
    visited: Path, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    age(visited, 1)
    before = (visited / "session.db").read_bytes()
    with monkeypatch.context() as patch:
        failing = (*schema.MIGRATIONS, ("CREATE TABLE first_half (x)", statement))
        patch.setattr(schema, "MIGRATIONS", failing)
        patch.setattr("paretonav.session.database.MIGRATIONS", failing)
        with pytest.raises(pn.SessionError, match=r"session\.db.*restore it"):
            pn.Session(visited, write=True)
        assert (visited / "session.db").read_bytes() == before
    with pn.Session(visited, write=True) as session:
        assert len(session) == 3


def test_a_later_session_is_refused_and_left_alone(visited: Path) -> None:
    connection = sqlite3.connect(visited / "session.db")
    connection.execute(f"PRAGMA user_version = {len(schema.MIGRATIONS) + 1}")
    connection.close()
    before = (visited / "session.db").read_bytes()
    for write in (True, False):
        with pytest.raises(pn.SessionError, match="later paretonav"):
            pn.Session(visited, write=write)
    assert (visited / "session.db").read_bytes() == before


def test_what_a_later_version_added_with_a_default_needs_not_be_there(visited: Path) -> None:
    age(visited, 2)  # without checksums
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
