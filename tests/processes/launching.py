"""Real processes that find each other through a file, and that no failure leaves waiting."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
DEADLINE = 120.0  # seconds, on a machine that is busy with other tests


class Ended(NamedTuple):
    """How a process has ended."""

    status: int
    out: str
    err: str


def launch(case: str, folder: Path, *arguments: str, size: int = 2) -> list[Ended]:
    """Run a case of ``cases.py`` in several processes, and wait until all have ended."""
    store = folder / "store"
    store.unlink(missing_ok=True)
    commands = [
        [sys.executable, "-m", "tests.processes.cases", case, str(rank), str(size), str(store), *arguments]
        for rank in range(size)
    ]
    return finished([started(command, folder) for command in commands])


def started(command: Sequence[str], folder: Path) -> subprocess.Popen[str]:
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(paths)}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment, cwd=folder)


def finished(processes: Sequence[subprocess.Popen[str]]) -> list[Ended]:
    try:
        said = [process.communicate(timeout=DEADLINE) for process in processes]
    finally:
        for process in processes:
            process.kill()
    return [Ended(process.wait(), *each) for process, each in zip(processes, said, strict=True)]


def succeeded(ended: Sequence[Ended]) -> list[Ended]:
    """Require that all have, and say what they said if not."""
    assert all(each.status == 0 for each in ended), "\n".join(f"{e.status}\n{e.out}\n{e.err}" for e in ended)
    return list(ended)
