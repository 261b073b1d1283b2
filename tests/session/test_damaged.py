"""What is no session, or is one no longer, is refused with a reason, and does no harm."""

import json
import pickle
import random
import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

import paretonav as pn
from paretonav.session import schema
from paretonav.session.codec import decode, encode
from paretonav.session.files import write_tensors

FILES = ("session.db", "model.safetensors", "points/000001.safetensors", "tangents/000001.safetensors")


def problem() -> pn.Problem:
    return pn.problems.quadratic(n=6, m=3)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "s"
    with pn.Session(folder, write=True) as session:
        nav = pn.Navigator(problem(), session=session)
        nav.start()
        nav.step(pn.Improve({"f1": 1.0}), 0.01)
        session.note(1, "a note")
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    return shutil.copytree(whole, tmp_path / "s")


def use(folder: Path) -> None:
    """Everything that reads."""
    session = pn.Session(folder)
    for record in session:
        session.point(record.id)
        session.tangent(record.id)
    session.state_dict()
    pn.Navigator(problem(), session=folder).step(pn.Improve({"f2": 1.0}), 0.01)


def refused(folder: Path, words: str = ".") -> str:
    with pytest.raises(pn.SessionError, match=words) as caught:
        use(folder)
    return str(caught.value)


@pytest.mark.parametrize("name", FILES)
def test_truncated_at_any_length(folder: Path, name: str) -> None:
    content = (folder / name).read_bytes()
    for share in np.linspace(0, 1, 24, endpoint=False):
        (folder / name).write_bytes(content[: int(share * len(content))])
        if name == "session.db" and share == 0:
            continue  # an empty file is a database without tables: a session that has not begun
        message = refused(folder)
        assert Path(name).name in message
        assert "backup" in message
    (folder / name).write_bytes(content)
    use(folder)


@pytest.mark.parametrize("name", FILES[1:])
def test_a_bit_that_has_flipped_is_noticed(folder: Path, name: str) -> None:
    content, generator = (folder / name).read_bytes(), random.Random(0)
    for _ in range(40):
        changed = bytearray(content)
        changed[generator.randrange(len(content))] ^= 1 << generator.randrange(8)
        (folder / name).write_bytes(changed)
        assert Path(name).name in refused(folder)


def test_bits_that_have_flipped_in_the_table_are_noticed_or_do_no_harm(folder: Path) -> None:
    """SQLite has no checksums: a digit of a loss may be another one, and nothing worse."""
    content, generator, noticed = (folder / "session.db").read_bytes(), random.Random(0), 0
    for _ in range(60):
        changed = bytearray(content)
        changed[generator.randrange(len(content))] ^= 1 << generator.randrange(8)
        (folder / "session.db").write_bytes(changed)
        try:
            session = pn.Session(folder)
            for record in session:
                session.point(record.id)
        except pn.SessionError:
            noticed += 1
    assert noticed > 5


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "foreign", ["pickle", "text", "sqlite", "safetensors", "folder", "missing", "giant header"]
)
def test_another_file_in_its_place(folder: Path, name: str, foreign: str) -> None:
    file = folder / name
    file.unlink()
    if foreign == "pickle":
        file.write_bytes(pickle.dumps({"a": 1}))
    elif foreign == "text":
        file.write_text("once upon a time " * 1000)
    elif foreign == "sqlite":
        connection = sqlite3.connect(file)
        connection.execute("CREATE TABLE bookmarks (id INTEGER)")
        connection.close()
    elif foreign == "safetensors":
        save_file({"weight": torch.ones(3)}, file, {"paretonav": "null"})
    elif foreign == "folder":
        file.mkdir()
    elif foreign == "giant header":
        file.write_bytes((2**62).to_bytes(8, "little") + b"{}" + b" " * 100)
    if (name, foreign) in (
        ("tangents/000001.safetensors", "missing"),  # is solved for again
        ("tangents/000001.safetensors", "folder"),
    ):
        return
    refused(folder)


@pytest.mark.parametrize(
    "skeleton",
    [
        "[" * 100_000,
        '{"§": "Point", "fields": {}}',
        '{"§": "Point", "fields": {"id": 1, "surprise": 2}}',
        '{"§": "Losses", "fields": {"batches": {"§": "tensor", "key": "nowhere"}}}',
        '{"§": "os.system", "fields": {"command": "true"}}',
        '{"§": "Enum", "name": "x"}',
        '{"§": ["a"]}',
        '{"no": "kind"}',
        '{"§": "float", "value": "1e999"}',
        "1" * 5000,
        "not JSON",
    ],
)
def test_a_hostile_point_is_refused(folder: Path, skeleton: str) -> None:
    file = folder / "points/000001.safetensors"
    write_tensors(file, {"t0": torch.zeros(6, dtype=torch.float64)}, {"paretonav": skeleton})
    edit(folder, "UPDATE points SET file = '', seal = ''")  # as if it had no checksum
    assert file.name in refused(folder)


def edit(folder: Path, statement: str, *arguments: object) -> None:
    connection = sqlite3.connect(folder / "session.db")
    with connection:
        connection.execute(statement, arguments)
    connection.close()


def record(folder: Path) -> dict[str, object]:
    connection = sqlite3.connect(folder / "session.db")
    (text,) = connection.execute("SELECT record FROM points WHERE id = 1").fetchone()
    connection.close()
    return dict(json.loads(text))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("parent", 1),
        ("parent", 7),
        ("parent", None),
        ("id", 2),
        ("losses", None),
        ("losses", [{"f1": "x"}, None, 0]),
        ("weights", [1, 2]),
        ("status", "excellent"),
        ("made", "yesterday"),
        ("cost", {"money": 3}),
        ("preference", {"§": "subprocess.Popen", "fields": {"args": "true"}}),
    ],
)
def test_a_hostile_record_is_refused(folder: Path, field: str, value: object) -> None:
    changed = {**record(folder), field: value}
    edit(folder, "UPDATE points SET record = ?, seal = '' WHERE id = 1", json.dumps(changed))
    assert "session.db" in refused(folder)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE meta SET value = '99' WHERE key = 'current'", "at point 99 of 2"),
        ("UPDATE meta SET value = '[[[' WHERE key = 'names'", "session.db"),
        ("UPDATE meta SET value = '3' WHERE key = 'layout'", "'layout' is not what paretonav writes"),
        ("DELETE FROM points WHERE id = 0", "damaged"),
        ("UPDATE points SET record = 'x'", "session.db"),
        ("DROP TABLE points", "other tables"),
        ("PRAGMA user_version = 77", "schema version 77.*install a later"),
        ("PRAGMA application_id = 5", "another program"),
    ],
)
def test_a_table_that_says_otherwise_is_refused(folder: Path, statement: str, words: str) -> None:
    edit(folder, statement)
    refused(folder, words)


def test_a_trigger_or_view_is_not_trusted(folder: Path) -> None:
    edit(folder, "CREATE TRIGGER t AFTER INSERT ON points BEGIN DELETE FROM points WHERE id = 0; END")
    refused(folder)


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(pn.SessionError, match=r"not empty.*thesis\.txt.*give a new folder"):
        pn.Navigator(problem(), session=tmp_path)
    with pytest.raises(pn.SessionError, match="there is no session"):
        pn.Session(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for attempt in (lambda: pn.Session(tmp_path / "file"), lambda: pn.Session(tmp_path / "file", write=True)):
        with pytest.raises(pn.SessionError, match="file"):
            attempt()


FIRST_SCHEMA = (*schema.MIGRATIONS[0],)


def as_first_version(folder: Path) -> None:
    """The table as the first version of the schema had it."""
    connection = sqlite3.connect(folder / "session.db")
    meta = connection.execute("SELECT key, value FROM meta").fetchall()
    points = connection.execute("SELECT id, parent, record FROM points").fetchall()
    connection.close()
    (folder / "session.db").unlink()
    connection = sqlite3.connect(folder / "session.db")
    with connection:
        for statement in FIRST_SCHEMA:
            connection.execute(statement)
        connection.executemany("INSERT INTO meta VALUES (?, ?)", meta)
        connection.executemany("INSERT INTO points VALUES (?, ?, ?)", points)
        connection.execute(f"PRAGMA application_id = {schema.APPLICATION}")
        connection.execute("PRAGMA user_version = 1")
    connection.close()


def test_a_session_of_the_first_schema_is_read_as_it_is_and_migrated_by_who_writes(folder: Path) -> None:
    as_first_version(folder)
    before = (folder / "session.db").read_bytes()
    assert [(record.note, record.star) for record in pn.Session(folder)] == [("", False)] * 2
    assert (folder / "session.db").read_bytes() == before
    with pn.Session(folder, write=True) as session:
        session.star(1)
    use(folder)
    assert pn.Session(folder)[1].star


def test_a_migration_that_fails_leaves_the_old_table(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    as_first_version(folder)
    before = (folder / "session.db").read_bytes()
    broken = (*schema.MIGRATIONS[:-1], (*schema.MIGRATIONS[-1], "NONSENSE"))
    monkeypatch.setattr(schema, "MIGRATIONS", broken)
    with pytest.raises(pn.SessionError, match="NONSENSE"):
        pn.Session(folder, write=True)
    monkeypatch.undo()
    assert (folder / "session.db").read_bytes() == before
    with pn.Session(folder, write=True) as session:
        assert len(session) == 2


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.floats(allow_nan=False)
    | st.text()
    | st.builds(
        lambda seed: torch.randn(3, generator=torch.Generator().manual_seed(seed)), st.integers(0, 9)
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


@given(VALUES)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_what_is_encoded_is_decoded_to_the_same(value: object) -> None:
    tensors: dict[str, torch.Tensor] = {}
    stored = json.loads(json.dumps(encode(value, tensors)))

    def same(a: object, b: object) -> bool:
        if isinstance(a, torch.Tensor):
            return isinstance(b, torch.Tensor) and torch.equal(a, b)
        if isinstance(a, list):
            return isinstance(b, list) and len(a) == len(b) and all(map(same, a, b))
        if isinstance(a, dict):
            return isinstance(b, dict) and a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
        return type(a) is type(b) and a == b

    assert same(value, decode(stored, tensors))


@pytest.mark.parametrize("odd", [object(), {1: 2}, b"bytes", 1j, {"a": {2, 3}}])
def test_what_cannot_be_stored_is_said(odd: object) -> None:
    with pytest.raises(pn.SessionError, match="cannot store"):
        encode(odd, {})
