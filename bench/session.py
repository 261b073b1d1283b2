"""What a session costs: one more point on disk, and 10,000 of them opened, listed, resumed and plotted."""

from __future__ import annotations

import platform
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

import paretonav as pn
from meters import seconds
from paretonav.plotting import save_plot
from paretonav.session import Journal
from report import write

POINTS = 10_000


def problem() -> pn.Problem:
    return pn.problems.quadratic(n=20, m=3)


def fill(folder: Path, points: int) -> tuple[list[float], float]:
    """Two real points and then copies of the second with other losses; the seconds of each, and of a step in memory."""
    draw, taken = np.random.default_rng(0), []
    with pn.Session(folder, write=True) as session:
        nav = pn.Navigator(problem(), session=session)
        nav.start()
        nav.step(pn.Improve({"f1": 1.0}), 0.01)
        record, point, tangent = session[1], session.point(1), nav.tangent
        for i in range(2, points):
            losses = {name: value * draw.uniform(0.5, 1.5) for name, value in record.losses.items()}
            parent = int(draw.integers(i))
            values = replace(record.values, train=type(record.losses)(losses))
            made = replace(record, id=i, parent=parent, values=values)
            began = time.perf_counter()
            Journal(session).add(made, replace(point, id=i, parent=parent), tangent)
            taken.append(time.perf_counter() - began)
    in_memory = pn.Navigator(problem())
    in_memory.start()
    return taken, seconds(lambda: in_memory.step(pn.Improve({"f1": 1.0}), 0.01))


def main() -> None:
    torch.set_num_threads(1)
    memory = Path("/dev/shm")
    with (
        tempfile.TemporaryDirectory() as on_disk,
        tempfile.TemporaryDirectory(dir=memory if memory.exists() else None) as other,
    ):
        disk, step = fill(Path(on_disk, "s"), 100)
        folder = Path(other, "s")
        taken, _ = fill(folder, POINTS)
        session = pn.Session(folder)
        nav = pn.Navigator(problem(), session=folder)
        rows = [
            ("a step of this problem, in memory", step),
            ("adding it to a session on a disk", float(np.median(disk))),
            ("the same on a file system in memory", float(np.median(taken[:500]))),
            (f"the same after {POINTS:,} points", float(np.median(taken[-500:]))),
            (f"Session(path) with {POINTS:,} points", seconds(lambda: pn.Session(folder))),
            ("session.records, after that", seconds(lambda: session.records)),
            ("session.table()", seconds(session.table)),
            ("session.as_json()", seconds(session.as_json)),
            ("session.non_dominated()", seconds(session.non_dominated)),
            (
                "session.point(i), read and verified",
                seconds(lambda: [session.point(i) for i in range(100, 200)]) / 100,
            ),
            ("save_plot to .png", seconds(lambda: save_plot(nav, Path(other, "plot.png"), "front"))),
        ]
        nav.session.close()

        def resume() -> None:
            pn.Navigator(problem(), session=folder).session.close()

        rows.append((f"Navigator(problem, session=path) with {POINTS:,} points", seconds(resume)))
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / POINTS
    write(
        "session",
        "What a session costs",
        [{"what": what, "seconds": taken} for what, taken in rows],
        f"A quadratic problem of 20 parameters and 3 objectives, {size / 1000:.1f} kB a point, tangents included; all "
        "points but two are copies with other losses. Every point is flushed to the disk before it counts. "
        f"Machine: {platform.machine()}, {platform.system()}.",
    )


if __name__ == "__main__":
    main()
