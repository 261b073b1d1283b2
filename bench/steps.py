"""A step of 5 % taken by every method side by side, on real data: fidelity, exchange, and cost.

Rows go to ``steps.csv`` after every start, those of a problem in the place of its earlier ones; tables and pictures are
made from that file: ``steps.md``, ``targets.md``, and two figures.

Run: python bench/steps.py [--problems digits adult] [--seeds 5] [--wishes 3] [--methods ppe control] [--slow]
     python bench/steps.py --summary

``--slow`` adds the transformer; bench/fetch_data.py gets the data.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from report import RESULTS
from side_by_side import figures, summary, targets
from side_by_side.methods import METHODS
from side_by_side.problems import RECIPES, SLOW, Start
from side_by_side.rows import Row, load, save
from side_by_side.run import rows
from side_by_side.wishes import wishes

FIGURES = Path(__file__).parent.parent / "docs" / "bench"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--problems", nargs="+", choices=RECIPES, help="default: all but the slow one")
    parser.add_argument("--slow", action="store_true", help="the transformer, too")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--slow-seeds", type=int, default=2, help="of the transformer")
    parser.add_argument("--wishes", type=int, choices=(1, 2, 3), default=3)
    parser.add_argument("--methods", nargs="*", choices=METHODS, default=METHODS, help="beside the default")
    parser.add_argument("--epochs", type=int, help="of every start's training, to try something out")
    parser.add_argument(
        "--out", type=Path, help="a folder for tables and figures, in place of the documented ones"
    )
    parser.add_argument("--summary", action="store_true", help="only make tables and figures of the rows")
    options = parser.parse_args()
    folder: Path = options.out or RESULTS
    if not options.summary:
        torch.set_num_threads(1)
        warm_up()
        chosen = options.problems or [name for name in RECIPES if options.slow or name not in SLOW]
        for name in chosen:
            seeds = min(options.seeds, options.slow_seeds) if name in SLOW else options.seeds
            measure(name, seeds, options, folder / "steps.csv")
    show(folder, options.out or FIGURES)


def warm_up() -> None:
    """A short step, so that what torch loads at a first use is charged to nobody."""
    start = Start.of("digits", seed=0, epochs=10)
    list(rows(start, wishes(start.problem.names)[:1], ("control",)))


def measure(name: str, seeds: int, options: argparse.Namespace, path: Path) -> None:
    """All rows of a problem, saved after each seed."""
    found: list[Row] = []
    for seed in range(seeds):
        start = Start.of(name, seed, options.epochs)
        asked = wishes(start.problem.names)[: options.wishes]
        found += ({"seed": seed, **row} for row in rows(start, asked, options.methods))
        save(path, name, found)
        print(f"{name}, seed {seed}: {len(found)} rows", flush=True)


def show(folder: Path, pictures: Path) -> None:
    """Tables and figures of the rows in a folder."""
    found = load(folder / "steps.csv")
    for name, text in (("steps", summary.summarise(found)), ("targets", targets.report(found))):
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
        print(text)
    figures.fidelity(found, pictures / "fidelity.png")
    figures.cost(found, pictures / "cost.png")


if __name__ == "__main__":
    main()
