"""What the default's step is to achieve, checked on the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pandas as pd

from report import table
from side_by_side.methods import SHORT
from side_by_side.rows import Row, by_problem
from side_by_side.summary import cost_per_step, of, of_seeds, over_seeds, shown, step_alone

PROBLEMS = ("digits", "fashion", "adult")
RIVALS = ("guessed-weights", "predicted-weights", "control")

Check = tuple[str, str, bool | None]
"""A target, what was measured, and whether it is met; None where it was not measured."""

NOTES = """
Medians over all wishes of every seed, with intervals of 95 %; "met" is decided by the medians. Measures as in steps.md.
"""


def targets(rows: pd.DataFrame) -> list[Row]:
    """One row per problem and target."""
    met = {True: "met", False: "not met", None: "not measured"}
    return [
        {"problem": problem, "target": target, "measured": measured, "verdict": met[verdict]}
        for problem, group in by_problem(rows)
        if problem in PROBLEMS
        for target, measured, verdict in checks(group)
    ]


def report(rows: pd.DataFrame) -> str:
    """The table in Markdown, with a count."""
    found = targets(rows)
    if not found:
        return "# Targets of a step of 5 %\n\nNone of the problems with targets was measured.\n"
    met, measured = (
        sum(row["verdict"] in verdicts for row in found) for verdicts in (("met",), ("met", "not met"))
    )
    count = f"{met} of {measured} are met."
    return "\n\n".join(["# Targets of a step of 5 %", count, table(found), NOTES.strip()]) + "\n"


def checks(rows: pd.DataFrame) -> Iterator[Check]:
    """The targets of one problem."""
    default, ppe = of(rows, "default"), of(rows, "ppe")
    error = over_seeds(default, "error validation")
    yield "error on validation data at most 5 %", shown(error), error.value <= 0.05
    time = over_seeds(default, "time / training")
    yield "time at most 5 % of training", shown(time), time.value <= 0.05
    yield _cheaper(default, ppe)
    retries = int(default["retries asked"].sum())
    yield "no retries asked", str(retries), retries == 0
    for split in ("train", "test"):
        column = f"efficiency {split}"
        found = over_seeds(default, column)
        yield f"efficiency at least 0.9, {split}", shown(found), found.value >= 0.9
        close = of(rows, SHORT)
        found = over_seeds(close, column)
        title = f"efficiency at least 0.9 over the length of ppe's step, {split}"
        yield title, shown(found), None if close.empty else found.value >= 0.9
        yield _against(default, ppe, column, f"efficiency at least ppe's, {split}", lambda a, b: a >= b)
        title = f"the same over the length of ppe's step, {split}"
        yield _against(of(rows, SHORT), ppe, column, title, lambda a, b: a >= b)
        title = f"the same against ppe's less what its corrector gains alone, {split}"
        yield _against(of(rows, SHORT), step_alone(rows, split), column, title, lambda a, b: a >= b)
    for rival in RIVALS:
        for split in ("train", "test"):
            title = f"miss below that of {rival}, {split}"
            yield _against(default, of(rows, rival), f"miss {split}", title, lambda a, b: a < b)


def _cheaper(default: pd.DataFrame, ppe: pd.DataFrame) -> Check:
    title = "10 times cheaper per step taken than ppe"
    if ppe.empty:
        return title, "", None
    both = pd.concat([default, ppe])

    def ratio(seed: pd.DataFrame) -> float:
        own = cost_per_step(of(seed, "default"))
        return cost_per_step(of(seed, "ppe")) / own if own < float("inf") else 0.0

    found = of_seeds(both, ratio)
    return title, shown(found), found.value >= 10


def _against(
    own_rows: pd.DataFrame,
    rival: pd.DataFrame,
    column: str,
    title: str,
    better: Callable[[float, float], bool],
) -> Check:
    if own_rows.empty or rival.empty:
        return title, "", None
    own, other = over_seeds(own_rows, column), over_seeds(rival, column)
    return title, f"{shown(own)} against {shown(other)}", better(own.value, other.value)
