"""Tables that a reader can take in, from the rows alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from measures import Median, efficiency, median
from report import table
from side_by_side.methods import CORRECTOR, FIRST_ONLY, METHODS, STEPS
from side_by_side.rows import Row, by_problem

Array = NDArray[np.float64]

TAKEN = ("accepted", "shortened")

NOTES = """
Every method begins at the same trained start and is asked for the same: a change of 5 % of some losses (80 % of the
reach where that much is infeasible).

- `default`: the library's step as it is;
- `ppe`: the published method with the paper's settings. Its step has a length of its own, in parameter space: compare
  angles, efficiency and costs, not amounts. One that is taken back is asked for anew with half the length, twice at
  most; all tries are paid, the first point's tangent is not, as it is not for the default;
- `ppe-corrector`: that method's corrector alone, from the start: 15 epochs in which everything may improve. What it
  gains is no exchange, and `targets.md` sets the default against `ppe` less that, too;
- `default-short`: the library's step, as long as what `ppe`'s has gained, as an exchange depends on how far one goes;
- `from-scratch`: the weighted sum with the weights that the default's plan predicts, trained anew by the start's
  recipe, for the first wish of each seed;
- all others train on for the seconds that the default's step took on the same machine in the same run, with the better
  of two learning rates, chosen in hindsight by the miss on training data: a favour, as only one of the two is charged;
- `guessed-weights`: the weighted sum with the start's weights, those of what is to improve doubled;
- `predicted-weights`: with those that the default's plan predicts, which are UPGrad's preference, too; EPO and PMGDA
  are led to the outcome that it predicts. These are favours: without the plan nobody would know them;
- `control`: with unchanged weights. What it gains, nobody else may claim.

What is measured, on data as said:

- error: |predicted - achieved| / |predicted| over all losses; on test data, of the prediction for validation data;
- miss: |requested - achieved| / |requested| over the losses that the wish names: 0 is as asked, 1 as if nothing had
  been done;
- angle: between what was requested and what was achieved of these losses, in degrees; with one of them 0 or 180;
- efficiency: what the improved objectives gained over what the others paid, weighted by the start's weights and weight
  decay included: 1 along the front for a small step, less for a longer one where the front is convex; infinite where
  nothing was paid, which is possible from off the front; 0 where nothing was gained; left out where nothing moved. What
  the losses gain because the parameters grow is no exchange along the front;
- drift: the move of a held loss over the largest improvement asked for;
- moved: |achieved| over all losses / |requested|;
- time: to the new point's tangent included, relative to a training whose epochs took as long as those between the
  default's own steps. Per step: all that was spent over the number of steps taken, so that steps
  taken back are paid, too. Per 1 %: all that was spent over the percents gained of what was to improve;
- passes are over the training data; a Hessian product is one over the curvature sample.

Medians over all wishes, with intervals of 95 % by a bootstrap over the seeds. "taken" counts what was accepted, or
shortened; the time of what trains on is charged once.
"""


def summarise(rows: pd.DataFrame) -> str:
    """All tables of ``rows``, in Markdown."""
    problems = dict(by_problem(rows))
    parts = ["# A step of 5 % by every method, side by side", NOTES.strip(), "## The starts"]
    parts += [table([_start(name, group) for name, group in problems.items()])]
    parts += ["## The default's steps", table([_default(name, group) for name, group in problems.items()])]
    for name, group in problems.items():
        parts += [f"## {name}", table(methods(group))]
        notes = group[group["method"].eq("default") & group["note"].notna()]
        if len(notes):
            parts.append(
                "; ".join(f"seed {r['seed']}, {r['wish']}: {r['note']}" for _, r in notes.iterrows())
            )
    versions = ", ".join(sorted({str(v) for v in rows["torch"]}))
    threads = ", ".join(sorted({str(v) for v in rows["threads"]}))
    parts.append(f"torch {versions}, {threads} thread(s)")
    return "\n\n".join(parts) + "\n"


def methods(rows: pd.DataFrame) -> list[Row]:
    """One row per method, of one problem's rows."""
    return [_method(method, of(rows, method)) for method in METHODS if len(of(rows, method))]


def of(rows: pd.DataFrame, method: str) -> pd.DataFrame:
    """The rows of one method."""
    return rows[rows["method"].eq(method)]


def over_seeds(rows: pd.DataFrame, column: str) -> Median:
    """The median of a column."""
    return median([group[column].astype(float).tolist() for _, group in rows.groupby("seed")])


def of_seeds(rows: pd.DataFrame, number: Callable[[pd.DataFrame], float]) -> Median:
    """The median of a number that every seed has."""
    return median([[number(group)] for _, group in rows.groupby("seed")])


def step_alone(rows: pd.DataFrame, split: str) -> pd.DataFrame:
    """The steps that ``ppe`` took, with the efficiency of what is left of its changes less its corrector's alone."""
    asked = ["seed", "wish", "amount"]
    alone = of(rows, CORRECTOR)[[*asked, split, "decay"]]
    alone = alone.rename(columns={split: "corrector", "decay": "corrector decay"})
    steps = of(rows, "ppe")
    both = steps[steps["status"].isin(TAKEN)].merge(alone, on=asked)
    column = f"efficiency {split}"
    both[column] = [
        efficiency(
            _numbers(row[split]) + row["decay"] - _numbers(row["corrector"]) - row["corrector decay"],
            _numbers(row["weights"]),
            np.flatnonzero(_numbers(row["requested"]) < 0),
        )
        for _, row in both.iterrows()
    ]
    return both


def _numbers(text: str) -> Array:
    return np.array([float("nan") if word == "free" else float(word) for word in text.split()])


def cost_per_step(rows: pd.DataFrame) -> float:
    """Of one method and seed: all time spent over the steps taken, as a part of training; infinite if none was."""
    taken = ~rows["status"].isin(("rejected", "refused"))
    spent = float(rows["time / training"].sum())
    return spent / int(taken.sum()) if taken.any() else float("inf")


def cost_per_percent(rows: pd.DataFrame) -> float:
    """Of one method and seed: all time spent over the percents gained; infinite if nothing was."""
    gained = 100 * float((rows["amount"] * rows["gain train"]).sum())
    return float(rows["time / training"].sum()) / gained if gained > 0 else float("inf")


def _method(method: str, rows: pd.DataFrame) -> Row:
    steps = method in STEPS
    return {
        "method": title(method),
        "taken": f"{int(rows['status'].isin(TAKEN).sum())} of {len(rows)}" if steps else "",
        "retries asked": int(rows["retries asked"].sum()) if steps else "",
        "error, validation": shown(over_seeds(rows, "error validation")) if steps else "",
        "miss, train": shown(over_seeds(rows, "miss train")),
        "miss, test": shown(over_seeds(rows, "miss test")),
        "angle, test": shown(over_seeds(rows, "angle test")),
        "efficiency, train": shown(over_seeds(rows, "efficiency train")),
        "efficiency, test": shown(over_seeds(rows, "efficiency test")),
        "time per step / training": shown(of_seeds(rows, cost_per_step)),
        "time per 1 % / training": shown(of_seeds(rows, cost_per_percent)),
        "forward, gradient passes, Hessian products": ", ".join(
            f"{over_seeds(rows, column).value:.3g}"
            for column in ("forward passes", "gradient passes", "Hessian products")
        ),
    }


def _default(problem: str, rows: pd.DataFrame) -> Row:
    steps = of(rows, "default")
    columns = {
        "error, train": "error train",
        "error, validation": "error validation",
        "error, test": "error test",
        "miss, train": "miss train",
        "miss, test": "miss test",
        "drift of what is held, test": "drift test",
        "efficiency, train": "efficiency train",
        "time / training": "time / training",
        "time / epoch": "time / epoch",
    }
    return {
        "problem": problem,
        "taken": f"{int(steps['status'].isin(TAKEN).sum())} of {len(steps)}",
        **{shown_as: shown(over_seeds(steps, column)) for shown_as, column in columns.items()},
        "worst error, validation": float(steps["error validation"].max()),
    }


def _start(problem: str, rows: pd.DataFrame) -> Row:
    steps, control = of(rows, "default"), of(rows, "control")
    first = steps.iloc[0]
    seconds = over_seeds(steps, "training seconds").value
    return {
        "problem": problem,
        "seeds": steps["seed"].nunique(),
        "losses (first seed)": first["losses"],
        "parameters": first["parameters"],
        "training epochs": first["epochs"],
        "training s": seconds,
        "epoch s": seconds / float(first["epochs"]),
        "start / training": over_seeds(steps, "start / training").value,
        "joint gain %": over_seeds(steps, "joint gain %").value,
        "moved, control": shown(over_seeds(control, "moved train")) if len(control) else "",
    }


def title(method: str) -> str:
    """How a method is called where its rows are beside those of all wishes."""
    return f"{method} (first wish)" if method == FIRST_ONLY else method


def shown(found: Median) -> str:
    """A median with its interval, to two or three digits; empty where there is none."""
    if np.isnan(found.value):
        return ""
    value, low, high = (
        f"{x:.2g}" if abs(x) < 100 else f"{x:.0f}" for x in (found.value, found.low, found.high)
    )
    return value if low == high else f"{value} ({low} to {high})"
