"""The command line; see the package."""

from __future__ import annotations

import sys
import traceback
import warnings
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence

import torch

import zoo
from report import FIGURES, RESULTS
from zoo.figure import predicted_and_achieved
from zoo.kinds import KINDS
from zoo.measure import AMOUNTS, BROUGHT, Start, measured
from zoo.rows import Store
from zoo.summary import summarise

QUICK = Namespace(
    cases=("mlp-narrow", "pinn-stopped", "vae", "recommender", "gru", "fairness-logistic"),
    amounts=(0.02, 0.1),
    seeds=1,
)
FIRST = "recommender"  # the quickest, started once before anything is timed
WHOLE = Namespace(cases=tuple(KINDS), amounts=AMOUNTS, seeds=3)


def main() -> None:
    parser = ArgumentParser(description=zoo.__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="+", choices=KINDS, metavar="CASE", help=f"of {', '.join(KINDS)}")
    parser.add_argument("--seeds", type=int, help="how many; three by default")
    parser.add_argument("--amounts", type=float, nargs="+", help="of each wish")
    parser.add_argument("--quick", action="store_true", help="few cases and amounts, one seed")
    parser.add_argument("--summary", action="store_true", help="only make tables and the figure of the rows")
    options = parser.parse_args()
    default = QUICK if options.quick else WHOLE
    store = Store(RESULTS / "zoo.csv")
    if not options.summary:
        torch.set_num_threads(1)
        warnings.filterwarnings("ignore", category=FutureWarning)  # of the libraries that models are from
        Start.of(KINDS[FIRST](0), 0)  # what torch and SciPy load at their first use is not the first model's
        for seed in range(options.seeds or default.seeds):
            for name in options.cases or default.cases:
                run(store, name, seed, options.amounts or default.amounts)
    show(store)


def run(store: Store, name: str, seed: int, amounts: Sequence[float]) -> None:
    """Add what is missing of a case; an error ends the case, and is a row."""
    store.forget_errors(name, seed)
    try:
        for rows in measured(KINDS[name](seed), seed, amounts, store.done()):
            store.add(rows)
            row = rows[0]
            print(name, seed, *(row.get(x, "") for x in ("origin", "wish", "amount", "status")), flush=True)
    except Exception as error:
        traceback.print_exc(file=sys.stderr)
        what = f"{type(error).__name__}: {error}"
        store.add([{"case": name, "seed": seed, "origin": BROUGHT, "method": "error", "reason": what}])


def show(store: Store) -> None:
    """The tables and the figure of all rows."""
    rows = store.load()
    text = summarise(rows)
    (RESULTS / "zoo.md").write_text(text, encoding="utf-8")
    print(text)
    predicted_and_achieved(rows, FIGURES / "zoo.png")


if __name__ == "__main__":
    main()
