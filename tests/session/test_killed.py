"""A navigation that is killed loses at most the step under way, whenever that happens."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

KILLING = Path(__file__).with_name("killing.py")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """In memory where that is possible: what a kill leaves there is the same, and comes faster."""
    fast = Path("/dev/shm")
    if not os.access(fast, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=fast) as path:
        yield Path(path)


def killed(*arguments: object) -> dict[str, object]:
    command = [sys.executable, str(KILLING), *map(str, arguments)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}  # a process with threads must not be forked
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    report: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return report


def test_a_dozen_kills_at_random_moments_lose_at_most_the_step_under_way(folder: Path) -> None:
    assert killed("random", 12, folder)["kills"] == 12


@pytest.mark.slow
def test_60_kills_at_random_moments_lose_at_most_the_step_under_way(folder: Path) -> None:
    assert killed("random", 60, folder)["kills"] == 60


@pytest.mark.slow
def test_a_kill_before_any_operation_on_files_loses_at_most_the_step_under_way(folder: Path) -> None:
    killed("every", folder)
