"""Memory of navigating with all 22 million parameters of a transformer (m = 2): start, preview and one step.

The sentence encoder as it comes, its two tasks untrained: memory does not depend on how good a model is. MINRES keeps
its vectors whatever the number of iterations, so a few of them are enough here.

Run: python bench/memory.py [--texts 128] [--samples 64] [--iterations 5]; bench/fetch_data.py gets the data.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import paretonav as pn
from meters import peak_mib
from report import write

LIMIT = 6 * 1024
"""MiB that must do."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--texts", type=int, default=128)
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--iterations", type=int, default=5)
    options = parser.parse_args()
    rows: list[dict[str, object]] = []

    def measured(phase: str, run: Callable[[], object]) -> object:
        began = time.process_time()
        result = run()
        rows.append({"phase": phase, "peak MiB": peak_mib(), "CPU s": time.process_time() - began})
        print(rows[-1], flush=True)
        return result

    rows.append({"phase": "imports", "peak MiB": peak_mib(), "CPU s": time.process_time()})
    problem = pn.problems.sentences(parameters="all", train_size=options.texts, validation_size=options.texts)
    n = len(problem.parameters())
    measured("model and data", problem.parameters)
    geometry = pn.Geometry(samples=options.samples, damping=1.0, max_iterations=options.iterations)
    nav = pn.Navigator(problem, geometry=geometry)
    measured("start(polish=False)", lambda: nav.start(polish=False))
    wish = pn.Improve({"sentiment": 1.0})
    measured("preview", lambda: nav.preview(wish, amount=1e-3))
    measured("step", lambda: nav.step(wish, amount=1e-3))
    verdict = "within" if peak_mib() <= LIMIT else "ABOVE"
    write(
        "memory",
        f"Memory with all {n:,} parameters steered, m = 2",
        rows,
        f"{options.texts} texts to train on, {options.samples} in the curvature sample, at most {options.iterations} "
        f"iterations of MINRES. A vector of all parameters has {4 * n / 2**20:.0f} MiB. The peak is {verdict} the "
        f"{LIMIT / 1024:.0f} GiB that must do.",
    )


if __name__ == "__main__":
    main()
