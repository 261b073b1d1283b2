"""A disk without room costs the step under way, and nothing else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import paretonav as pn

# Writing more than the limit into one file fails as on a full disk: with EFBIG where the signal is ignored.
LIMITED = """
import resource, signal, sys
import torch
import paretonav as pn

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
folder = sys.argv[1]

def limited(size, attempt):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    try:
        attempt()
    except pn.SessionError as error:
        return str(error)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    return ""

problem = pn.problems.quadratic(n=40, m=3)
print("create:", limited(0, lambda: pn.Navigator(problem, session=folder)))
nav = pn.Navigator(problem, session=folder)
print("start:", limited(1000, nav.start))
assert len(nav.points) == 0
start = nav.start()
wish = pn.Improve({"f1": 1.0})
told = []
# From where nothing can be written to where all can: the tangent, the point, the table, each fails in its turn.
for size in (0, 1000, 4000, 8192, 12288, 16384, 20480, 24576, 28672):
    here = nav.here
    message = limited(size, lambda: nav.step(wish, 0.01))
    told.append(bool(message))
    if message:
        assert nav.here is here
        assert torch.equal(problem.parameters(), here.parameters)
        assert len(nav.points) == here.id + 1
        print("step:", message)
    reader = pn.Session(folder)
    assert len(reader) == nav.here.id + 1
    assert torch.equal(reader.point(nav.here.id).parameters, nav.here.parameters)
print("note:", limited(0, lambda: nav.session.note(0, "x" * 10000)))
print("go:", limited(0, lambda: nav.go_to(0)))
assert any(told) and not all(told), told
after = nav.step(wish, 0.01).point
nav.session.close()
assert torch.equal(pn.Session(folder).point(after.id).parameters, after.parameters)
print("goes on")
"""


def test_every_stage_fails_with_a_remedy_and_goes_on_with_room(tmp_path: Path) -> None:
    pytest.importorskip("resource")
    script = [sys.executable, "-c", LIMITED, str(tmp_path / "s")]
    done = subprocess.run(script, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    *failures, last = done.stdout.splitlines()
    assert last == "goes on"
    assert {line.split(":")[0] for line in failures} == {"create", "start", "step", "note", "go"}
    for line in failures:
        assert any(words in line for words in ("free some space", "space left")), line


def test_a_small_file_system(tmp_path: Path) -> None:
    """The same on a real one that is full."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=160k", "tmpfs", str(disk)]
    if os.name != "posix" or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a file system is not allowed here")
    try:
        problem = pn.problems.quadratic(n=400, m=3)
        nav = pn.Navigator(problem, session=disk / "s")
        nav.start()

        def fill() -> None:
            for _ in range(40):
                nav.step(pn.Improve({"f1": 1.0}), 0.005)

        with pytest.raises(pn.SessionError, match="free some space"):
            fill()
        here = nav.here
        assert torch.equal(problem.parameters(), here.parameters)
        assert len(pn.Session(disk / "s")) == here.id + 1
        for file in (disk / "s" / "tangents").iterdir():
            if int(file.stem) < here.id:
                file.unlink()
        step = nav.step(pn.Improve({"f1": 1.0}), 0.005)
        nav.session.close()
        assert torch.equal(pn.Session(disk / "s").point(step.point.id).parameters, step.point.parameters)
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(pn.SessionError, match=r"permissions|give a folder"):
        pn.Navigator(pn.problems.quadratic(n=4, m=2), session=tmp_path / "s")
