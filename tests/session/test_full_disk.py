"""A full disk costs the operation under way and nothing else, and once there is space it goes on."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

import paretonav as pn
from paretonav.session import Journal

REMEDY = "free some space|the space left"
OPERATIONS: dict[str, Callable[[pn.Navigator], object]] = {
    "start": lambda nav: nav.start(),
    "step": lambda nav: nav.step(pn.Improve({"f1": 1.0}), 0.02),
    "go to": lambda nav: nav.go_to(0),
    "note": lambda nav: nav.session.note(0, "x" * 5000),
    "star": lambda nav: nav.session.star(0),
}


def problem() -> pn.Problem:
    return pn.problems.quadratic(n=4, m=2)


def state(session: pn.Session) -> list[object]:
    notes = [(record.note, record.star) for record in session]
    return [None if session.current is None else session.current.id, len(session), notes]


@contextmanager
def refused(nav: pn.Navigator) -> Iterator[None]:
    """What is inside fails for lack of space, and changes nothing, in memory or on disk."""
    before, theta = state(nav.session), nav.problem.parameters()
    points = [nav.session.point(record.id).parameters for record in nav.session]
    with pytest.raises(pn.SessionError, match=REMEDY):
        yield
    assert state(nav.session) == before
    assert torch.equal(nav.problem.parameters(), theta)
    assert nav.session.path is not None
    reader = pn.Session(nav.session.path)
    assert state(reader) == before
    for i, point in enumerate(points):
        assert torch.equal(reader.point(i).parameters, point)
        assert Journal(nav.session).tangent(i) is not None
    for folder in ("points", "tangents"):
        assert len(list((nav.session.path / folder).glob("*"))) in (0, len(points)), "nothing is left over"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of 1 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    except OSError as error:
        pytest.skip(f"no file system can be mounted here: {error}")
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def space(disk: Path, left: int) -> Iterator[None]:
    """Leave so many bytes on the disk."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (65536, 4096):
            try:
                while True:
                    file.write(b"0" * size)
            except OSError:
                continue
        file.truncate(max(0, filler.stat().st_size - left))
    try:
        yield
    finally:
        filler.unlink()


def test_a_session_is_not_made_on_a_full_disk_but_afterwards(disk: Path) -> None:
    failures = 0
    for left in range(0, 65536, 4096):
        with space(disk, left):
            try:
                pn.Navigator(problem(), session=disk / f"s{left}")
            except pn.SessionError:
                failures += 1
                with pytest.raises(pn.SessionError, match=REMEDY):
                    pn.Navigator(problem(), session=disk / f"s{left}")
        nav = pn.Navigator(problem(), session=disk / f"s{left}")
        assert nav.session.writable
        if left == 0:
            nav.start()
        nav.session.close()
    assert failures > 3


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_full_disk_costs_one_operation(disk: Path, operation: str) -> None:
    nav = pn.Navigator(problem(), session=disk / "s")
    if operation != "start":
        nav.start()
        OPERATIONS["step"](nav)
    failures = 0
    for left in range(0, 131072, 4096):
        with space(disk, left):
            try:
                with refused(nav):
                    OPERATIONS[operation](nav)
                failures += 1
            except pytest.fail.Exception:  # there was space enough
                break
    assert failures > 0
    assert state(pn.Session(disk / "s")) == state(nav.session)
    OPERATIONS["step"](nav)
    nav.session.close()
    resumed = pn.Navigator(problem(), session=disk / "s")
    assert torch.equal(resumed.here.parameters, nav.here.parameters)
    OPERATIONS["step"](resumed)


def test_files_that_cannot_grow_cost_one_operation(tmp_path: Path) -> None:
    """The same where nothing can be mounted: a limit on the size of any file."""
    resource = pytest.importorskip("resource", reason="the system has no limits on files")
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)

    def attempt(nav: pn.Navigator, operation: str, most: int) -> None:
        with refused(nav):
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, unlimited[1]))
            try:
                OPERATIONS[operation](nav)
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)

    resource.setrlimit(resource.RLIMIT_FSIZE, (0, unlimited[1]))
    try:
        with pytest.raises(pn.SessionError, match=REMEDY):
            pn.Navigator(problem(), session=tmp_path / "s")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    nav = pn.Navigator(problem(), session=tmp_path / "s")
    for operation in OPERATIONS:
        for most in (0, 512, 4096):
            attempt(nav, operation, most)
        OPERATIONS[operation](nav)
    nav.session.close()
    resumed = pn.Navigator(problem(), session=tmp_path / "s")
    assert state(resumed.session) == [0, 2, [("x" * 5000, True), ("", False)]]
    OPERATIONS["step"](resumed)


def test_a_tangent_that_does_not_fit_any_more_is_not_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from paretonav.session import tangents

    monkeypatch.setattr(tangents, "ROOM", 1)
    nav = pn.Navigator(problem(), session=tmp_path / "s")
    nav.start()
    for _ in range(2):
        OPERATIONS["step"](nav)
    nav.go_to(0)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tangents, "write_value", full)
    nav.preview(pn.Improve({"f1": 1.0}), 0.02)
    _ = nav.tangent
    assert "the tangent of point 0" in caplog.text
    assert "No space left" in caplog.text
