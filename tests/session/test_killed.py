"""A process that is killed at any moment loses at most the step that it was at."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import paretonav as pn

# A process that has imported everything forks one child per run: an import would cost more than the run itself.
NURSERY = """
import json, os, signal, sys, time
import torch
import paretonav as pn
import paretonav.session.files as files

torch.set_num_threads(1)

def navigate(folder, told, kill_at, length):
    calls = 0
    def counted(function):
        def call(*arguments, **options):
            nonlocal calls
            calls += 1
            if calls == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **options)
        return call
    if kill_at:
        os.replace, os.fsync = counted(os.replace), counted(os.fsync)
        files.save_file = counted(files.save_file)
        from paretonav.session.database import Database
        for name in ("add", "note_facts", "annotate", "_migrate"):
            setattr(Database, name, counted(getattr(Database, name)))
    def tell(what):
        os.write(told, (what + "\\n").encode())
    nav = pn.Navigator(pn.problems.quadratic(n=6, m=3), session=folder)
    nav.start()
    tell(f"point {nav.here.id} {nav.here.parameters.sum().item()!r}")
    k = len(nav.points)
    while k < length:
        if k % 5 == 4:
            nav.go_to(k - 3)  # the same whether it is done once or again after a kill
        step = nav.step(pn.Improve({nav.problem.names[k % 3]: 1.0}), 0.01)
        tell(f"point {nav.here.id} {nav.here.parameters.sum().item()!r}")
        if k % 4 == 0:
            nav.session.note(nav.here.id, f"note {k}")
            tell(f"note {nav.here.id} note {k}")
        k += 1
    tell(f"end {calls}")

for line in sys.stdin:
    order = json.loads(line)
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(told)
            navigate(order["folder"], tell, order["kill_at"], order["length"])
        finally:
            os._exit(0)
    os.close(tell)
    text, lines, after = b"", *order["kill_after"]
    if lines == 0:
        time.sleep(after)
        os.kill(child, signal.SIGKILL)
    while part := os.read(told, 65536):
        text += part
        if lines and text.count(b"\\n") >= lines:
            time.sleep(after)
            os.kill(child, signal.SIGKILL)
            lines = 0
    os.close(told)
    _, status = os.waitpid(child, 0)
    print(json.dumps([text.decode().splitlines(), os.WIFSIGNALED(status)]), flush=True)
"""


class Nursery:
    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", NURSERY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(
        self, folder: Path, *, kill_at: int = 0, kill_after: tuple[int, float] = (10**9, 0.0), length: int = 8
    ) -> tuple[list[str], bool]:
        """Navigate, and be killed at an operation on the disk, or so long after so many things were told.

        Returns:
            what was told, and whether it was killed.
        """
        order = {"folder": str(folder), "kill_at": kill_at, "kill_after": kill_after, "length": length}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        told, killed = json.loads(self._process.stdout.readline())
        return told, killed

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture(scope="module")
def nursery():  # type: ignore[no-untyped-def]
    nursery = Nursery()
    yield nursery
    nursery.close()


def require_intact(folder: Path, told: list[str]) -> None:
    """All that was told is there, whole, and the navigation goes on."""
    points = {int(line.split()[1]): float(line.split()[2]) for line in told if line.startswith("point")}
    if not (folder / "session.db").exists():
        assert not points
    else:
        reader = pn.Session(folder)
        assert len(reader) in (len(points), len(points) + 1)  # the step under way may have been just finished
        for point_id, total in points.items():
            assert reader.point(point_id).parameters.sum().item() == total
        for record in reader:
            assert len(reader.state_dict(record.id)["x"]) == 6
            assert reader.path_to(record.id)[0].id == 0
        for line in told:
            if line.startswith("note"):
                _, point_id, text = line.split(" ", 2)
                assert reader[int(point_id)].note == text
    with pn.Session(folder, write=True) as session:
        assert session.writable
        nav = pn.Navigator(pn.problems.quadratic(n=6, m=3), session=session)
        before = nav.start()
        assert nav.step(pn.Improve({"f2": 1.0}), 0.005).point.parent == before.id
        known = {f"{record.id:06d}.safetensors" for record in session}
    assert {file.name for file in (folder / "points").iterdir()} == known
    left = {file.name for file in folder.iterdir()}
    assert left <= {"session.db", "model.safetensors", "points", "tangents", "writer.lock", "writer.txt"}


@pytest.mark.slow
def test_two_hundred_random_moments(nursery: Nursery, tmp_path: Path) -> None:
    generator, killed, counts = random.Random(0), 0, set()
    for run in range(200):
        moment = generator.randrange(8), generator.uniform(0, 0.05)
        told, died = nursery.run(tmp_path / str(run), kill_after=moment, length=10)
        killed += died
        counts.add(len(told))
        require_intact(tmp_path / str(run), told)
    assert killed > 190
    assert len(counts) > 6  # early and late ones


@pytest.mark.slow
def test_before_every_operation_on_the_disk(nursery: Nursery, tmp_path: Path) -> None:
    told, died = nursery.run(tmp_path / "through", kill_at=10**9, length=3)
    assert not died
    total = int(told[-1].split()[1])
    assert total > 20
    for moment in range(1, total + 1):
        told, died = nursery.run(tmp_path / str(moment), kill_at=moment, length=3)
        assert died, moment
        require_intact(tmp_path / str(moment), told)


@pytest.mark.slow
def test_what_comes_after_kills_is_what_would_have_come_without(nursery: Nursery, tmp_path: Path) -> None:
    nursery.run(tmp_path / "through")
    for moment in (17, 15, 9, 14, 0):
        _, died = nursery.run(tmp_path / "parts", kill_at=moment)
        assert died == (moment > 0)
    one, other = pn.Session(tmp_path / "through"), pn.Session(tmp_path / "parts")
    assert [record.parent for record in one] == [record.parent for record in other]
    assert len(one) == 8
    for record in one:
        assert torch.equal(one.point(record.id).parameters, other.point(record.id).parameters)
        assert record.achieved == other[record.id].achieved
