"""How long a preview takes: of every kind of preference, with 3 objectives and with 20.

The time does not depend on the model: a preview reads no data and touches no parameters.

Run: python bench/preview.py
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

import paretonav as pn
from paretonav.steering import Preference
from report import write

REPEATS = 200


def preferences(here: pn.Point, generator: np.random.Generator) -> Iterator[tuple[str, Preference]]:
    """One of each kind, with the quantities drawn at random."""
    a, b, c = (str(name) for name in generator.permutation(list(here.losses))[:3])
    weight = float(generator.uniform(0.2, 1.0))
    yield "Improve", pn.Improve({a: 1.0})
    yield "Improve, hold", pn.Improve({a: 1.0}, hold=[b])
    yield "Improve two", pn.Improve({a: 1.0, b: weight}, units="absolute")
    yield "Direction", pn.Direction({a: -1.0, b: weight / 2}, units="absolute")
    yield "Aim", pn.Aim({a: 0.97 * here.losses[a], b: here.losses[b]})
    yield "Aim, out of reach", pn.Aim({a: 0.5 * here.losses[a], b: 0.5 * here.losses[b]})
    yield "Classify", pn.Classify(improve=[a], allow={b: 1.1 * here.losses[b]}, free=[c])
    worse = dict(here.losses)
    yield "Prefer", pn.Prefer({**worse, a: 0.9 * worse[a], b: 1.05 * worse[b]}, over=worse)


def main() -> None:
    rows = []
    for m in (3, 20):
        nav = pn.Navigator(pn.problems.quadratic(n=100, m=m))
        here = nav.start()
        generator = np.random.default_rng(0)
        seconds: dict[str, list[float]] = {}
        for _ in range(REPEATS):
            for kind, preference in preferences(here, generator):
                began = time.perf_counter()
                try:
                    nav.preview(preference, None if isinstance(preference, pn.Aim) else 0.02)
                except pn.InfeasiblePreferenceError:  # an answer, too, and it takes longer: reason and reach
                    kind = f"{kind} (refused)"
                seconds.setdefault(kind, []).append(time.perf_counter() - began)
        began = time.perf_counter()
        options = here.options()
        seconds[f"{len(options)} options"] = [time.perf_counter() - began]
        rows += [
            {
                "objectives": m,
                "preference": kind,
                "times": len(taken),
                "median ms": 1e3 * float(np.median(taken)),
                "95 % ms": 1e3 * float(np.quantile(taken, 0.95)),
            }
            for kind, taken in seconds.items()
        ]
    write("preview", "Milliseconds for a preview", rows)


if __name__ == "__main__":
    main()
