"""One row per method, wish and start; the file of them all."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from measures import angle, efficiency, error, miss
from side_by_side.methods import Outcome
from side_by_side.problems import SPLITS, Start
from side_by_side.wishes import Task, Wish

Array = NDArray[np.float64]
Row = dict[str, object]

COLUMNS = (
    *("problem", "seed", "wish", "amount", "note", "method", "status"),
    *("requested", "predicted", "predicted validation"),
    *("train", "± train", "validation", "± validation", "test", "± test"),
    *("error train", "error validation", "error test"),
    *("miss train", "miss validation", "miss test", "angle train", "angle validation", "angle test"),
    *("efficiency train", "efficiency validation", "efficiency test"),
    *("drift train", "drift validation", "drift test", "gain train", "moved train"),
    *("decay", "seconds", "time / training", "time / epoch"),
    *("forward passes", "gradient passes", "Hessian products", "retries asked"),
    *("parameters", "losses", "weights", "joint gain %", "epochs", "training seconds", "start / training"),
    *("threads", "torch"),
)


def row(task: Task, method: str, outcome: Outcome, epoch: float) -> Row:
    """What a method has come to; the columns are explained in ``summary.NOTES``.

    Args:
        task: what was asked for.
        method: its name.
        outcome: where it has ended.
        epoch: seconds of one of the training, as they were when the default's step was timed.
    """
    start, cost = task.start, outcome.cost
    named, improved, held = task.named, task.plan.wish.improved, task.plan.wish.held
    requested = task.requested
    wanted, weights = requested[named], start.point.front.weights
    columns: Row = {
        **_label(start, task.wish),
        "method": method,
        "status": outcome.status,
        "requested": " ".join("free" if np.isnan(x) else f"{x:+.6g}" for x in requested),
        "predicted": _vector(outcome.predicted),
        "predicted validation": _vector(outcome.predicted_validation),
    }
    gone = outcome.status not in ("rejected", "refused")
    decay = start.decay(outcome.theta) - start.decay(start.point.parameters)
    for split in SPLITS:
        losses = start.problem.evaluate(outcome.theta, split)
        tensor, deviation = losses.change_from(start.before[split])
        change = tensor.numpy()
        columns[split] = _vector(change)
        columns[f"± {split}"] = _vector(None if deviation is None else deviation.numpy())
        columns[f"miss {split}"] = miss(wanted, change[named])
        columns[f"angle {split}"] = angle(wanted, change[named])
        columns[f"efficiency {split}"] = efficiency(change + decay, weights, improved)
        if held.size:
            columns[f"drift {split}"] = float(np.abs(change[held]).max() / np.abs(requested[improved]).max())
        predicted = outcome.predicted if split == "train" else outcome.predicted_validation
        if gone and predicted is not None:
            columns[f"error {split}"] = error(predicted, change)
        if split == "train":
            columns["gain train"] = float(
                change[improved] @ requested[improved] / (requested[improved] @ requested[improved])
            )
            columns["moved train"] = float(np.linalg.norm(change) / np.linalg.norm(wanted))
    return columns | {
        "decay": decay,
        "seconds": cost.seconds,
        "time / training": cost.seconds / (epoch * start.recipe.epochs),
        "time / epoch": cost.seconds / epoch,
        "forward passes": cost.forward_passes,
        "gradient passes": cost.gradient_passes,
        "Hessian products": cost.hessian_products,
        "retries asked": outcome.retries,
    }


def refusal(start: Start, wish: Wish) -> Row:
    """The row of a wish that cannot even be had in part."""
    return _label(start, wish) | {"method": "default", "status": "refused", "retries asked": 1}


def save(path: Path, problem: str, rows: Sequence[Mapping[str, object]]) -> None:
    """Put ``rows`` in the place of all that the file had of a problem; the file is replaced whole or not at all."""
    kept: list[Mapping[str, object]] = []
    if path.exists():
        with path.open(newline="", encoding="utf-8") as file:
            kept = [row for row in csv.DictReader(file) if row["problem"] != problem]
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".part")
    with beside.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows([*kept, *({"problem": problem, **_short(row)} for row in rows)])
    os.replace(beside, path)


def load(path: Path) -> pd.DataFrame:
    """The file's rows."""
    return pd.read_csv(path, keep_default_na=False, na_values=[""])


def by_problem(rows: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """The rows of each problem, in the order of the file."""
    for problem, group in rows.groupby("problem", sort=False):
        yield str(problem), group


def _label(start: Start, wish: Wish) -> Row:
    return {
        "wish": str(wish),
        "amount": wish.amount,
        "note": wish.note,
        "parameters": start.initial.numel(),
        "losses": _vector(start.point.front.losses),
        "weights": _vector(start.point.front.weights),
        "joint gain %": 100 * start.point.joint_gain / float(np.abs(start.point.front.losses).mean()),
        "epochs": start.recipe.epochs,
        "training seconds": start.training,
        "start / training": start.point.cost.seconds / start.training,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }


def _short(row: Mapping[str, object]) -> Row:
    return {name: f"{value:.6g}" if isinstance(value, float) else value for name, value in row.items()}


def _vector(values: Array | None) -> str:
    return "" if values is None else " ".join(f"{x:+.6g}" for x in values)
