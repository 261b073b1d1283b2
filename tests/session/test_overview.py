"""What is in a folder of sessions: found, told at a glance, and left as it is."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import paretonav as pn
from paretonav.session.overview import overview


@pytest.fixture
def runs(visited: Path, tmp_path: Path) -> Path:
    """Two sessions, one that is damaged, one that is empty, and what is none."""
    folder = tmp_path / "runs"
    for name in ("a/first", "second", "damaged"):
        shutil.copytree(visited, folder / name)
    with pn.Session(folder / "second", write=True) as session:
        session.title = "The second"
        session.name(2, "the fair one")
        session.star(1)
        pn.Session(folder / "new", write=True).close()
    (folder / "damaged" / "session.db").write_bytes(b"SQLite format 3\0" + b"x" * 4000)
    (folder / "notes").mkdir()
    (folder / "notes" / "x.txt").write_text("no session")
    (folder / ".hidden").mkdir()
    shutil.copytree(visited, folder / ".hidden" / "s")
    os.symlink(visited, folder / "link")
    shutil.copytree(visited, folder / "1" / "2" / "3" / "4" / "too deep")
    return folder


def everything(folder: Path) -> dict[str, tuple[int, bytes]]:
    """All files with their times, but for those of locks: old versions of filelock touch what they ask for."""
    files = [f for f in folder.rglob("*") if f.is_file()]
    return {str(f): (0 if f.suffix == ".lock" else f.stat().st_mtime_ns, f.read_bytes()) for f in files}


def test_sessions_are_found_and_left_as_they_are(runs: Path) -> None:
    before = everything(runs)
    found = {glance.where: glance for glance in overview(runs)}
    assert everything(runs) == before
    assert list(found)[-1] == "damaged"  # what cannot be read comes last
    assert set(found) == {os.path.join("a", "first"), "second", "new", "damaged"}
    second, session = found["second"], pn.Session(runs / "second")
    assert (second.title, second.name, second.points, second.starred) == ("The second", "the fair one", 3, 1)
    assert (second.begun, second.last) == (session[0].made, session[2].made)
    assert (second.split, second.current) == ("validation", 2)
    assert second.losses == {n: (session[0].validation[n], session[2].validation[n]) for n in ("a", "b")}
    assert (found["new"].points, found["new"].last, found["new"].fault) == (0, None, "")
    assert "restore it from a backup" in found["damaged"].fault
    assert {glance.writer for glance in found.values()} == {""}


def test_a_session_is_a_folder_of_one(runs: Path) -> None:
    (glance,) = overview(runs / "second")
    assert (glance.where, glance.path) == ("second", (runs / "second").resolve())
    assert overview(runs / "notes") == ()
    with pytest.raises(pn.SessionError, match="name a folder"):
        overview(runs / "nothing")


def test_the_latest_comes_first(runs: Path) -> None:
    with pn.Session(runs / "second") as session:
        session.copy(runs / "z")
    names = [glance.where for glance in overview(runs) if glance.points]
    assert names == sorted(names)  # the same time: by name


def test_who_writes_is_told(runs: Path) -> None:
    def writer() -> str:
        return next(glance.writer for glance in overview(runs) if glance.where == "second")

    with pn.Session(runs / "second", write=True):
        assert writer() == f"process {os.getpid()} on {socket.gethostname()}"
    assert writer() == ""
    script = (
        "import sys, paretonav as pn; s = pn.Session(sys.argv[1], write=True); print(1, flush=True); input()"
    )
    command = [sys.executable, "-c", script, str(runs / "second")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline().strip() == b"1"
        assert writer().startswith(f"process {other.pid} on ")
        other.kill()
    assert writer() == ""
    (runs / "second" / "writer.txt").write_text("process 1 on elsewhere")
    assert writer() == "process 1 on elsewhere, perhaps"
    (runs / "second" / "writer.txt").write_text("\x1b[2J nobody")
    assert writer() == ""


def test_a_lock_that_is_another_name_of_a_file_is_left_alone(runs: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("do not touch")
    folder = runs / "second"
    (folder / "writer.txt").write_text(f"process {os.getpid()} on {socket.gethostname()}")
    for make in (os.symlink, os.link):
        (folder / "writer.lock").unlink()
        make(precious, folder / "writer.lock")
        overview(runs)
        assert precious.read_text() == "do not touch"
