"""Several processes compute what one does; whatever goes wrong in one, none is left waiting."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tests.processes import kinds
from tests.processes.launching import finished, launch, started, succeeded

import paretonav as pn

pytestmark = pytest.mark.slow


def test_they_compute_count_fail_mend_and_end_alike(tmp_path: Path) -> None:
    cases = "parity,traffic,failing,different,gone_on,trained_by_the_first,asked_in_the_midst,cancelled"
    first, second = succeeded(launch(cases, tmp_path))
    done = "the same\ncounted\nmended\ndifferent\non\nbrought\nrefused\n"
    assert (first.out, second.out) == (f"{done}cancelled\n", done)


def test_three_compute_what_one_does(tmp_path: Path) -> None:
    for each in succeeded(launch("parity", tmp_path, "perceptron", "one batch", "gap", size=3)):
        assert each.out == "the same\n"


def test_a_script_steers_as_in_one_process(tmp_path: Path) -> None:
    session = tmp_path / "session"
    first, second = succeeded(launch("steered", tmp_path, str(session)))
    assert second.out == "", "only the first process comes back"
    assert "Traceback" not in first.err + second.err
    alone = pn.Navigator(kinds.trained())
    alone.start()
    for amount in (0.02, 0.01):
        alone.step(pn.Improve({"a": 1.0}), amount)
    together = pn.Session(session)
    for one, other in zip(together.records, alone.records, strict=True):
        assert one.losses == pytest.approx(other.losses, rel=1e-9)


@pytest.mark.parametrize("who", [0, 1])
def test_one_that_is_killed_ends_the_others(tmp_path: Path, who: int) -> None:
    ended = launch("killed", tmp_path, str(who))
    assert ended[who].status == -9
    left = ended[1 - who]
    assert left.status == 1
    assert "ProcessesError: another of the 2 processes" in left.err.splitlines()[-1]


TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
MINE = """
import os, signal
from tests.processes import kinds

def problem():
    plain, calls = kinds.square(0), []
    def dying(outputs, batch):
        calls.append(1)
        if len(calls) == {calls} and os.environ["RANK"] == "1" and not os.path.exists("died"):
            open("died", "w").close()
            os.kill(os.getpid(), signal.SIGKILL)
        return plain(outputs, batch)
    return kinds.trained(a=dying)

if __name__ == "__main__":
    import paretonav as pn
    nav = pn.Navigator(problem(), session="session", group="world")
    nav.start()
    while len(nav.records) < 4:
        nav.step(pn.Improve({{"a": 1.0}}), 0.01)
    nav.export("last.safetensors")
"""


def test_after_a_death_they_are_started_again_and_go_on_from_the_session(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MINE.format(calls=400))
    succeeded(finished([started([*TORCHRUN, "--max-restarts", "1", "mine.py"], tmp_path)]))
    assert (tmp_path / "died").exists()
    alone = pn.Navigator(kinds.trained())
    alone.start()
    for _ in range(3):
        alone.step(pn.Improve({"a": 1.0}), 0.01)
    records = pn.Session(tmp_path / "session").records
    assert len(records) == 4
    for one, other in zip(records, alone.records, strict=True):
        assert one.losses == pytest.approx(other.losses, rel=1e-9)


def test_the_command_speaks_by_the_first_process_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MINE.format(calls=0))
    script = "improve a by 2%; improve b by 1%; undo; undo; undo; improve a"
    command = [
        *TORCHRUN,
        "-m",
        "paretonav",
        "run",
        "mine:problem",
        "--session",
        "session",
        "--script",
        script,
    ]
    (ended,) = finished([started(command, tmp_path)])
    assert ended.status == 1, ended.out + ended.err
    assert ended.out.count("> ") == 5, "each command is told once, up to the one that fails"
    assert ended.err.count("Command 5 (undo) failed: there is nothing to undo") == 1
    assert len(pn.Session(tmp_path / "session").records) == 3
