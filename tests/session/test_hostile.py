"""Sessions that somebody has made up: never code that runs, never a hang, always a reason.

Checksums are of no help here, who forges a file can forge them, too; they are left out, as in sessions that were made
before there were any.
"""

import json
import os
import shutil
import sqlite3
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

import paretonav as pn
from paretonav.session import Journal

MARK = "\N{SECTION SIGN}"
DEEP = "[" * 100_000 + "]" * 100_000
REMEDY = r"restore it|another folder|later paretonav|remove"


def forge(folder: Path, *statements: str) -> None:
    connection = sqlite3.connect(folder / "session.db")
    with connection:
        for statement in (
            "UPDATE points SET file = '', seal = ''",
            "UPDATE tangents SET file = ''",
            *statements,
        ):
            connection.execute(statement)
    connection.close()


def forge_value(folder: Path, table: str, where: str, change: Callable[[Any], Any]) -> None:
    column = "value" if table == "meta" else "record"
    connection = sqlite3.connect(folder / "session.db")
    (text,) = connection.execute(f"SELECT {column} FROM {table} WHERE {where}").fetchone()
    changed = change(json.loads(text))
    text = changed if isinstance(changed, str | bytes) else json.dumps(changed)
    with connection:
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", (text,))
        connection.execute("UPDATE points SET file = '', seal = ''")
    connection.close()


def forge_file(file: Path, change: Callable[[Any, dict[str, torch.Tensor]], Any]) -> None:
    """Change what a file of tensors says."""
    forge(file.parents[1], "DELETE FROM meta WHERE key = 'model'")
    with safe_open(file, "pt") as opened:
        tensors = {name: opened.get_tensor(name).clone() for name in opened.keys()}  # noqa: SIM118
        said = json.loads(opened.metadata()["paretonav"])
    changed = change(said, tensors)
    text = changed if isinstance(changed, str) else json.dumps(said)
    save_file(tensors, file, {"paretonav": text})


def read_all(folder: Path) -> None:
    session = pn.Session(folder)
    for record in session:
        session.point(record.id)
        Journal(session).tangent(record.id)
    session.state_dict()


def require_refused(folder: Path, words: str | None = None) -> None:
    with pytest.raises(pn.SessionError, match=words) as caught:
        read_all(folder)
    message = str(caught.value)
    assert message.isprintable()
    assert len(message) < 1500
    assert folder.name in message
    assert any(word in message for word in REMEDY.split("|")), message


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE VIEW v AS WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x FROM r) SELECT x FROM r",
        "CREATE TRIGGER t AFTER UPDATE ON points BEGIN DELETE FROM points; END",
        "CREATE TABLE more (x)",
        "CREATE INDEX i ON points (abs(id))",
        "ALTER TABLE points ADD COLUMN big GENERATED ALWAYS AS (zeroblob(1000000000))",
        "PRAGMA user_version = -1",
        "PRAGMA user_version = 0",
        "PRAGMA user_version = 2",
        "PRAGMA user_version = 99",
        "PRAGMA application_id = 0",
    ],
)
def test_a_table_of_another_make_is_refused(visited: Path, statement: str) -> None:
    forge(visited, statement)
    require_refused(visited)
    with pytest.raises(pn.SessionError, match=REMEDY):
        pn.Session(visited, write=True)


def test_a_table_with_a_log_of_its_own_is_refused(visited: Path) -> None:
    connection = sqlite3.connect(visited / "session.db")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    require_refused(visited, "not as paretonav makes it")


def test_a_table_whose_points_are_an_endless_query_is_refused(visited: Path) -> None:
    forge(
        visited,
        "DROP TABLE points",
        "CREATE VIEW points AS WITH RECURSIVE r(id) AS (SELECT 0 UNION ALL SELECT id FROM r) SELECT id FROM r",
    )
    require_refused(visited, "not as paretonav makes it")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(
            ("current", value)
            for value in ("3", "-1", '"0"', "true", "1.5", "null", "[", DEEP, "1e999", "9" * 5000)
        ),
        ("precision", '"pickle"'),
        ("dtype", '"save"'),
        ("dtype", '["float32"]'),
        ("parameters", "-1"),
        ("parameters", "1000000000000"),
        ("names", '{"a": 1}'),
        ("names", '["a", 2]'),
        ("names", '["a", "c"]'),
        ("higher_is_better", "[1]"),
        ("weights", "[0.5, 0.5]"),
        ("weights", '{"a": "half", "b": 0.5}'),
        ("weights", '{"a": 0.5, "c": 0.5}'),
        ("layout", "[[1, 2]]"),
        ("layout", '[[["a"], [-3, -7], "float32"]]'),
        ("layout", '[[["a"], [100000000000000000000], "float32"]]'),
        ("model", "5"),
    ],
)
def test_facts_that_are_none_are_refused(visited: Path, key: str, value: str) -> None:
    forge_value(visited, "meta", f"key = '{key}'", lambda _: value)
    require_refused(visited)


@pytest.mark.parametrize("key", ["current", "names", "parameters", "dtype", "layout", "precision"])
def test_facts_that_are_missing_are_refused(visited: Path, key: str) -> None:
    forge(visited, f"DELETE FROM meta WHERE key = '{key}'")
    require_refused(visited, key)


def with_values(record: Any, **parts: Any) -> Any:
    return record | {"values": record["values"] | parts}


RECORDS: dict[str, Callable[[Any], Any]] = {
    "no JSON": lambda r: "{",
    "deep": lambda r: DEEP,
    "a list": lambda r: [],
    "bytes": lambda r: b"\xff\xfe",
    "a hole": lambda r: r | {"id": 7},
    "a cycle": lambda r: r | {"parent": 2},
    "itself": lambda r: r | {"parent": 1},
    "before the first": lambda r: r | {"parent": -1},
    "no parent": lambda r: r | {"parent": None},
    "no losses": lambda r: with_values(r, train=None),
    "a missing field": lambda r: {key: value for key, value in r.items() if key != "weights"},
    "other objectives": lambda r: with_values(r, train=[{"z": 1.0}, {}, 1]),
    "errors of others": lambda r: with_values(r, train=[r["values"]["train"][0], {"z": 1.0}, 1]),
    "no training losses": lambda r: with_values(r, train=[{}, {}, 0]),
    "a fourth part": lambda r: with_values(r, test=[{}, {}, 0]),
    "values that are a list": lambda r: r | {"values": []},
    "a number as text": lambda r: r | {"joint_gain": "one"},
    "a huge number": lambda r: r | {"joint_gain": 10**400},
    "a pull as text": lambda r: r | {"pull": "strong"},
    "asked on no data": lambda r: r | {"requested": r["requested"] | {"split": "test"}},
    "missed by a number": lambda r: r | {"missed": 5},
    "missed on no data": lambda r: r | {"missed": [["a", "\x1b[2J"]]},
    "a huge id": lambda r: r | {"id": 10**400},
    "no time": lambda r: r | {"made": "yesterday"},
    "no time zone": lambda r: r | {"made": "2026-01-01T00:00:00"},
    "no status": lambda r: r | {"status": "\x1b[2Jhacked"},
    "a cost of text": lambda r: r | {"cost": {"seconds": "1"}},
    "an unknown cost": lambda r: r | {"cost": {"lives": 1}},
    "an unknown class": lambda r: (
        r | {"preference": {MARK: "subprocess.Popen", "fields": {"args": ["true"]}}}
    ),
    "no preference": lambda r: r | {"preference": {MARK: "Unstorable", "fields": {"text": 1}}},
    "a class that is none": lambda r: r | {"preference": {MARK: "Cost", "fields": {}}},
    "a tensor": lambda r: r | {"preference": {MARK: "tensor", "key": "t0"}},
    "weights of text": lambda r: r | {"preference": {MARK: "Improve", "fields": {"weights": "a"}}},
    "a deep preference": lambda r: json.dumps(r | {"preference": 0}).replace(
        '"preference": 0', f'"preference": {"[" * 900}{"]" * 900}'
    ),
}


@pytest.mark.parametrize("what", RECORDS)
def test_records_that_are_none_are_refused(visited: Path, what: str) -> None:
    forge_value(visited, "points", "id = 1", RECORDS[what])
    require_refused(visited)


def of(said: Any, *path: str) -> Any:
    for name in path:
        said = said["fields"][name]
    return said["fields"]


POINTS: dict[str, Callable[[Any, dict[str, torch.Tensor]], Any]] = {
    "no JSON": lambda said, t: "{",
    "deep": lambda said, t: DEEP,
    "nested": lambda said, t: f'{{"{MARK}": "tuple", "items": [' * 400 + "]}" * 400,
    "nothing": lambda said, t: "null",
    "an unknown class": lambda said, t: said.__setitem__(MARK, "Popen"),
    "another class": lambda said, t: of(said).__setitem__("train", of(said)["cost"]),
    "text for a point": lambda said, t: of(said).__setitem__("train", "abc"),
    "text for a number": lambda said, t: of(said, "front").__setitem__("joint_gain", "1"),
    "a missing field": lambda said, t: of(said).pop("front"),
    "an unknown field": lambda said, t: of(said).__setitem__("hook", 1),
    "another id": lambda said, t: of(said).__setitem__("id", 2),
    "other names": lambda said, t: of(said, "front")["names"].__setitem__("items", ["a", "z"]),
    "a missing tensor": lambda said, t: t.pop("t0"),
    "too few parameters": lambda said, t: t.__setitem__("t0", torch.zeros(2)),
    "a matrix of parameters": lambda said, t: t.__setitem__("t0", t["t0"][None].clone()),
    "no parameters": lambda said, t: t.__setitem__("t0", torch.zeros(0)),
    "an unknown mark": lambda said, t: of(said).__setitem__("metrics", {MARK: 5}),
    "an unmarked mapping": lambda said, t: of(said).__setitem__("metrics", {"a": 1.0}),
    "an odd float": lambda said, t: of(said).__setitem__(
        "amount", {MARK: "float", "value": "__import__('os')"}
    ),
}


@pytest.mark.parametrize("what", POINTS)
def test_points_that_are_none_are_refused(visited: Path, what: str) -> None:
    forge_file(visited / "points" / "000001.safetensors", POINTS[what])
    require_refused(visited, r"000001\.safetensors")


def header(content: dict[str, Any] | bytes, data: bytes = b"", length: int | None = None) -> bytes:
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


@pytest.mark.parametrize(
    "content",
    [
        header({}, length=2**63),
        header({}, length=90_000_000),
        header(b"{" * 100_000),
        header({"t0": {"dtype": "F32", "shape": [2**62, 4], "data_offsets": [0, 4]}}, b"0000"),
        header({"t0": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}, b"0000"),
        header({"t0": {"dtype": "F32", "shape": [0, 2**63], "data_offsets": [0, 0]}}),
        header({"t0": {"dtype": "F6_E2M3", "shape": [4], "data_offsets": [0, 3]}}, b"000"),
        header({"t0": {"dtype": "PICKLE", "shape": [1], "data_offsets": [0, 4]}}, b"0000"),
        header({"__metadata__": {"paretonav": 5}}),
        header({"__metadata__": {"paretonav": "null"}}),
    ],
)
def test_files_of_tensors_that_are_none_are_refused(visited: Path, content: bytes) -> None:
    forge(visited)
    (visited / "points" / "000001.safetensors").write_bytes(content)
    require_refused(visited, r"000001\.safetensors")


def a_point_that_is_nowhere(_: Any, tensors: dict[str, torch.Tensor]) -> None:
    tensors["t0"].fill_(torch.nan)


def a_random_state_that_is_none(_: Any, tensors: dict[str, torch.Tensor]) -> None:
    tensors["random"] = torch.zeros(8)


@pytest.mark.parametrize("change", [a_point_that_is_nowhere, a_random_state_that_is_none])
def test_a_point_that_cannot_be_gone_on_from_is_refused(
    visited: Path, small_model: Callable[[], pn.ModelProblem], change: Callable[[Any, Any], None]
) -> None:
    forge_file(visited / "points" / "000002.safetensors", change)
    with pytest.raises(pn.SessionError, match=r"restore it|give the same"):
        pn.Navigator(small_model(), session=visited)


def test_a_model_that_is_another_one_is_refused(
    visited: Path, small_model: Callable[[], pn.ModelProblem]
) -> None:
    forge(visited, "DELETE FROM meta WHERE key = 'model'")
    save_file({"1.running_mean": torch.zeros(77)}, visited / "model.safetensors")
    problem = small_model()
    before = problem.parameters()
    with pytest.raises(pn.SessionError, match=r"model\.safetensors.*running_mean.*restore it"):
        pn.Navigator(problem, session=visited)
    assert torch.equal(problem.parameters(), before)


OWN_FILES = (
    "session.db",
    "session.db-journal",
    "session.db-wal",
    "model.safetensors",
    "writer.lock",
    "writer.txt",
)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes with names")
@pytest.mark.parametrize("name", [*OWN_FILES, "points", "tangents", "points/000001.safetensors"])
@pytest.mark.parametrize("kind", ["link", "dangling link", "pipe"])
def test_links_and_pipes_are_refused_and_nothing_outside_is_touched(
    visited: Path, tmp_path: Path, name: str, kind: str
) -> None:
    outside, here = tmp_path / "outside", visited / name
    if kind == "link" and here.is_dir():
        outside.mkdir()
        (outside / "000003.safetensors").write_text("precious")
    elif kind == "link":
        outside.write_text("precious")
    if here.is_dir():
        shutil.rmtree(here)
    else:
        here.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(here)
    else:
        here.symlink_to(outside)
    require_refused(visited, here.name)
    if "/" not in name:
        with pytest.raises(pn.SessionError, match=rf"{here.name}.*remove it"):
            pn.Session(visited, write=True)
    if kind == "link":
        assert next(outside.iterdir()).exists() if outside.is_dir() else outside.read_text() == "precious"
    else:
        assert not outside.exists()


def test_a_journal_has_no_file_deleted(visited: Path, tmp_path: Path) -> None:
    """The journal of a transaction over several databases names a file that SQLite deletes in the end."""
    precious = tmp_path / "precious.txt"
    precious.write_text("it lists no databases, so it looks done with")
    (visited / "session.db-journal").write_bytes(journal_naming(precious, visited / "session.db"))
    for write in (True, False):
        with pytest.raises(pn.SessionError, match="remove that journal"):
            pn.Session(visited, write=write)
    assert precious.exists()


def journal_naming(file: Path, database: Path) -> bytes:
    """A journal as SQLite writes it (sqlite.org/fileformat2.html, section 3), of the first page."""
    magic, page, nonce = bytes.fromhex("d9d505f920a163d7"), database.read_bytes()[:4096], 7
    start = magic + struct.pack(">5I", 1, nonce, database.stat().st_size // 4096, 512, 4096)
    check = (nonce + sum(page[i] for i in range(len(page) - 200, 0, -200))) & 0xFFFFFFFF
    entry = struct.pack(">I", 1) + page + struct.pack(">I", check)
    name = str(file).encode()
    end = struct.pack(">I", 2**30 // 4096 + 1) + name + struct.pack(">II", len(name), sum(name)) + magic
    return start.ljust(512, b"\0") + entry + end


def test_names_are_data_and_messages_do_not_move_the_cursor(tmp_path: Path) -> None:
    names = ("\x1b[2J\x1b]0;owned\x07", "<script>alert(1)</script>", "a\nb\u202e")

    def problem(names: tuple[str, ...]) -> pn.FunctionProblem:
        centres = torch.eye(3, dtype=torch.float64)
        return pn.FunctionProblem(
            lambda x: (x - centres).square().sum(1), torch.zeros(3, dtype=torch.float64), names=names
        )

    with pn.Session(tmp_path / "s", write=True) as session:
        nav = pn.Navigator(problem(names), session=session)
        nav.start()
        nav.step(pn.Improve({names[0]: 1.0}), 0.02)
        session.note(0, names[0])
    again = pn.Session(tmp_path / "s")
    assert again.names == names
    assert again[0].note == names[0]
    (tmp_path / "s" / "writer.txt").write_text("\x1b[2Jprocess 1")
    with pytest.raises(pn.SessionError, match="the objectives differ") as caught:
        pn.Navigator(problem(("a", "b", "c")), session=tmp_path / "s")
    assert str(caught.value).isprintable()


def test_the_writer_named_in_a_message_does_not_move_the_cursor(visited: Path) -> None:
    with pn.Session(visited, write=True):
        (visited / "writer.txt").write_text("\x1b[2Jprocess 1\nroot@host# ")
        reader = pn.Session(visited, write=True)
        assert not reader.writable
        assert reader.owner.isprintable()
        with pytest.raises(pn.SessionError, match="reading only") as caught:
            reader.star(0)
        assert str(caught.value).isprintable()


SWAPS = {
    "files": "file = (SELECT file FROM points AS p WHERE p.id = 3 - points.id)",
    "records": "record = (SELECT record FROM points AS p WHERE p.id = 3 - points.id)",
    "parents": "parent = (SELECT parent FROM points AS p WHERE p.id = 3 - points.id)",
    "seals": "seal = (SELECT seal FROM points AS p WHERE p.id = 3 - points.id)",
    "no files": "file = ''",
    "a parent": "parent = 2 - parent",
}


@pytest.mark.parametrize("swap", SWAPS)
def test_what_belongs_to_one_point_cannot_be_given_to_another(visited: Path, swap: str) -> None:
    """Each part of a row is sound in itself, and so is each file."""
    connection = sqlite3.connect(visited / "session.db")
    with connection:
        connection.execute("CREATE TEMP TABLE before AS SELECT * FROM points")
        connection.execute(
            f"UPDATE points SET {SWAPS[swap].replace('points AS p', 'before AS p')} WHERE id > 0"
        )
    connection.close()
    one, two = visited / "points" / "000001.safetensors", visited / "points" / "000002.safetensors"
    if swap == "files":
        one.rename(visited / "other")
        two.rename(one)
        (visited / "other").rename(two)
    with pytest.raises(
        pn.SessionError, match=r"point \d in .*session\.db' is damaged: it is not what was written"
    ):
        pn.Session(visited)
