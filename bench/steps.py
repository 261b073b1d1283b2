"""A step of 5 % taken by every method side by side, on real data: fidelity, exchange, and cost.

Rows go to ``steps.csv`` after every start, those of a problem in the place of its earlier ones; tables and pictures are
made from that file: ``steps.md``, ``targets.md``, and two figures. ``BENCH_OUT`` names another folder for all of them.

Run: python bench/steps.py [--problems digits adult] [--seeds 5] [--wishes 3] [--methods ppe control] [--slow]
     python bench/steps.py --summary

``--slow`` adds the transformer; bench/fetch_data.py gets the data.
"""

from __future__ import annotations

import argparse

import torch

from report import FIGURES, RESULTS
from side_by_side import figures, summary, targets
from side_by_side.methods import METHODS
from side_by_side.problems import RECIPES, SLOW, Start
from side_by_side.rows import Row, load, save
from side_by_side.run import rows
from side_by_side.wishes import wishes

ROWS = RESULTS / "steps.csv"
FEW = 2  # seeds, and wishes, of what is slow


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--problems", nargs="+", choices=RECIPES, help="default: all but the slow one")
    parser.add_argument("--slow", action="store_true", help="the transformer, too")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--wishes", type=int, choices=(1, 2, 3), default=3)
    parser.add_argument("--methods", nargs="*", choices=METHODS, default=METHODS, help="beside the default")
    parser.add_argument("--epochs", type=int, help="of every start's training, to try something out")
    parser.add_argument("--summary", action="store_true", help="only make tables and figures of the rows")
    options = parser.parse_args()
    if not options.summary:
        torch.set_num_threads(1)
        warm_up()
        chosen = options.problems or [name for name in RECIPES if options.slow or name not in SLOW]
        for name in chosen:
            measure(name, options)
    show()


def warm_up() -> None:
    """A short step, so that what torch loads at a first use is charged to nobody."""
    start = Start.of("digits", seed=0, epochs=10)
    list(rows(start, wishes(start.problem.names)[:1], ("control",)))


def measure(name: str, options: argparse.Namespace) -> None:
    """All rows of a problem, saved after each seed."""
    seeds, asked_for = (min(n, FEW) if name in SLOW else n for n in (options.seeds, options.wishes))
    found: list[Row] = []
    for seed in range(seeds):
        start = Start.of(name, seed, options.epochs)
        asked = wishes(start.problem.names)[:asked_for]
        found += ({"seed": seed, **row} for row in rows(start, asked, options.methods))
        save(ROWS, name, found)
        print(f"{name}, seed {seed}: {len(found)} rows", flush=True)


def show() -> None:
    """Tables and figures of the rows that were saved."""
    found = load(ROWS)
    for name, text in (("steps", summary.summarise(found)), ("targets", targets.report(found))):
        (RESULTS / f"{name}.md").write_text(text, encoding="utf-8")
        print(text)
    figures.fidelity(found, FIGURES / "fidelity.png")
    figures.cost(found, FIGURES / "cost.png")


if __name__ == "__main__":
    main()
