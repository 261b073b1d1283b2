"""Several processes at one session do not damage each other."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import paretonav as pn

TOGETHER = Path(__file__).with_name("two_processes.py")


@pytest.mark.slow
def test_writers_and_readers_at_once(tmp_path: Path) -> None:
    environment = os.environ | {"OMP_NUM_THREADS": "1"}  # a process with threads must not be forked
    command = [sys.executable, str(TOGETHER), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def unwritable(visited: Path, tmp_path: Path) -> Iterator[Path]:
    """A session that can only be read: by its permissions, which an administrator needs not heed, or its mount."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        fixed = tmp_path / "fixed"
        fixed.mkdir()
        if not mounted("--bind", str(visited), str(fixed)):
            pytest.skip("nothing can be mounted here")
        try:
            if not mounted("-o", "remount,ro,bind", str(fixed)):
                pytest.skip("nothing can be mounted here for reading only")
            yield fixed
        finally:
            subprocess.run(["umount", "--lazy", str(fixed)], check=True)
        return
    folders = (visited, visited / "points", visited / "tangents")
    for file in visited.iterdir():
        if file.is_file():
            file.chmod(0o400)
    for folder in folders:
        folder.chmod(0o500)
    yield visited
    for folder in folders:
        folder.chmod(0o700)


def mounted(*arguments: str) -> bool:
    try:
        return subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def test_a_session_in_a_folder_that_cannot_be_written_can_be_read(
    unwritable: Path, small_model: Callable[[], pn.ModelProblem]
) -> None:
    session = pn.Session(unwritable)
    assert len(session) == 3
    assert session.point(2).losses == session[2].losses
    reader = pn.Navigator(small_model(), session=session)
    assert reader.preview(pn.Improve({"a": 1.0}), 0.02).requested.shown["a"] < 0
    with pytest.raises(pn.SessionError, match="reading only"):
        reader.step(pn.Improve({"a": 1.0}), 0.02)
    with pytest.raises(pn.SessionError, match=r"cannot write to .* open the session for reading"):
        pn.Navigator(small_model(), session=unwritable)


def test_a_second_writer_waits_for_a_session_that_is_being_made(tmp_path: Path) -> None:
    """Between taking the lock and making the table there is a moment when there is no session to read."""
    from paretonav.session.lock import WriterLock

    (tmp_path / "s").mkdir()
    lock = WriterLock(tmp_path / "s")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("paretonav.session.folder._PATIENCE", 0.2)
        with pytest.raises(pn.SessionError, match="no session"):
            pn.Session(tmp_path / "s", write=True)
    lock.release()
    assert pn.Session(tmp_path / "s", write=True).writable
