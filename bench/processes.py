"""Several processes: the time of a step that they take together, against that of one alone, in one run.

Each process computes with one thread. The first one trains a model and makes its first point; then it takes the same
step in turns alone, while the others wait, and with all of them, and goes back. What goes between them is counted.

Run: python bench/processes.py [--problems digits fashion sentences language] [--size 2] [--repeats 5]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.distributed as dist

import paretonav as pn
from report import write

PROBLEMS: dict[str, tuple[Callable[[], pn.Problem], pn.Geometry | None]] = {
    "digits": (pn.problems.digits, None),
    "fashion": (pn.problems.fashion, None),
    "sentences": (pn.problems.sentences, pn.Geometry(samples=128)),
    "language": (pn.problems.language, pn.Geometry(samples=8)),
}
AMOUNT = 0.02


def taken(nav: pn.Navigator) -> float:
    """The seconds of a step, which is undone."""
    began = time.perf_counter()
    nav.step(pn.Improve({nav.problem.names[0]: 1.0}), AMOUNT)
    seconds = time.perf_counter() - began
    nav.go_to(0)
    return seconds


def in_turns(problem: pn.Problem, geometry: pn.Geometry | None, repeats: int) -> dict[str, object] | None:
    """What the first process measures; the others work for it, and get None."""
    nav = None
    with pn.Processes(problem) as processes:
        if processes.first:
            nav = pn.Navigator(problem, geometry=geometry)
            nav.start()
            taken(nav)  # what is slow at first is not what a step takes
    alone, together, traffic = [], [], {}
    for _ in range(repeats):
        if nav is not None:
            alone.append(taken(nav))
        with pn.Processes(problem):
            if nav is not None:
                together.append(taken(nav))
                traffic = dict(vars(problem.team.traffic))  # type: ignore[attr-defined]
    if nav is None:
        return None
    return {"alone": alone, "together": together, "n": len(problem.parameters()), **traffic}


def worker(name: str, rank: int, size: int, store: str, repeats: int) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", f"file://{store}", rank=rank, world_size=size)
    make, geometry = PROBLEMS[name]
    found = in_turns(make(), geometry, repeats)
    if found is not None:
        print(json.dumps(found))


def measured(name: str, size: int, repeats: int) -> dict[str, object]:
    """One run in ``size`` processes."""
    with tempfile.TemporaryDirectory() as folder:
        store = str(Path(folder) / "store")
        command = [sys.executable, __file__, "--worker", name, "--store", store, "--size", str(size)]
        command += ["--repeats", str(repeats), "--rank"]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        processes = [
            subprocess.Popen([*command, str(rank)], stdout=subprocess.PIPE, text=True, env=environment)
            for rank in range(size)
        ]
        said = [process.communicate()[0] for process in processes]
    if any(process.returncode for process in processes):
        raise SystemExit("a process has failed")
    result: dict[str, object] = json.loads(said[0])
    return result


def row(name: str, size: int, repeats: int) -> dict[str, object]:
    found = measured(name, size, repeats)
    alone, together = found["alone"], found["together"]
    assert isinstance(alone, list)
    assert isinstance(together, list)
    ratios = [one / other for one, other in zip(alone, together, strict=True)]
    return {
        "problem": name,
        "steered": found["n"],
        "alone, s": round(statistics.median(alone), 2),
        "together, s": round(statistics.median(together), 2),
        "times as fast": round(statistics.median(ratios), 2),
        "collectives": found["collectives"],
        "MB of vectors": round(float(str(found["vectors"])) / 1e6, 2),
        "MB of words": round(float(str(found["words"])) / 1e6, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--problems", nargs="+", choices=list(PROBLEMS), default=["fashion", "sentences"])
    parser.add_argument("--size", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--worker", choices=list(PROBLEMS), help=argparse.SUPPRESS)
    parser.add_argument("--rank", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--store", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        worker(options.worker, options.rank, options.size, options.store, options.repeats)
        return
    write(
        "processes",
        f"A step by {options.size} processes of one thread each, and by one of them alone",
        [row(name, options.size, options.repeats) for name in options.problems],
        f"Medians over {options.repeats} steps of {100 * AMOUNT:.0f} % in turns; the ratio is the median of those of "
        "neighbours. What goes between them is that of one process in such a step, and in the comparison before it.",
    )


if __name__ == "__main__":
    main()
