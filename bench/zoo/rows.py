"""One row per case, seed, wish, amount and method, in a file to which they are added as they come."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from filelock import FileLock
from numpy.typing import NDArray

Array = NDArray[np.float64]
Row = Mapping[str, object]

COLUMNS = (
    *("case", "seed", "origin", "wish", "amount", "method", "status", "reason", "objectives", "named"),
    *("requested", "previewed train", "previewed validation", "predicted train", "predicted validation"),
    *("train", "± train", "validation", "± validation", "test", "± test", "over step", "± over step"),
    *("seconds", "epochs", "forward passes", "gradient passes", "Hessian products"),
    *("training seconds", "training epochs", "epoch seconds", "examples", "parameters"),
    *("losses train", "losses validation", "losses test"),
)
TAKEN = ("accepted", "shortened")  # the model has moved
Key = tuple[str, int, str, str, str]  # case, seed, origin, wish and amount, as they are written


class Store:
    """The file of the rows; several processes may add to it.

    Args:
        path: where it is; it is made with the first rows.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(path.with_suffix(".lock"))

    def add(self, rows: Iterable[Row]) -> None:
        """Add rows; those of one call are written at once, so that a wish is there with all its methods or not."""
        with self._lock, self.path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS)
            if file.tell() == 0:
                writer.writeheader()
            writer.writerows([_short(row) for row in rows])

    def load(self) -> pd.DataFrame:
        """All rows, none if there is no file; what is empty is NaN among numbers and "" among words."""
        if not self.path.exists():
            return pd.DataFrame(columns=list(COLUMNS))
        words = {name: str for name in COLUMNS if name not in NUMBERS}
        found = pd.read_csv(
            self.path, dtype=words, keep_default_na=False, na_values={n: [""] for n in NUMBERS}
        )
        return found.astype({name: float for name in NUMBERS if name != "seed"})

    def done(self) -> set[Key]:
        """The keys that have rows other than errors."""
        rows = self.load()
        rows = rows[rows["method"] != "error"]
        return {key(*values) for values in rows[list(_KEY)].itertuples(index=False)}

    def forget_errors(self, case: str, seed: int) -> None:
        """Take the errors of a case and seed out, as it is tried again."""
        with self._lock:
            rows = self.load()
            errors = rows["method"].eq("error") & rows["case"].eq(case) & rows["seed"].eq(seed)
            if not errors.any():
                return
            beside = self.path.with_suffix(".part")
            with beside.open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, COLUMNS)
                writer.writeheader()
                writer.writerows([_short(_present(row)) for row in rows[~errors].to_dict("records")])
            os.replace(beside, self.path)


NUMBERS = (
    *("seed", "amount", "seconds", "epochs", "forward passes", "gradient passes", "Hessian products"),
    *("training seconds", "training epochs", "epoch seconds", "examples", "parameters"),
)
_KEY = ("case", "seed", "origin", "wish", "amount")


def key(case: str, seed: int, origin: str, wish: str = "", amount: float | None = None) -> Key:
    """What a group of rows is found by."""
    return case, int(seed), origin, wish, "" if amount is None or np.isnan(amount) else f"{amount:.6g}"


def text(values: Iterable[float] | None) -> str:
    """A vector as it is written."""
    return "" if values is None else " ".join(f"{x:+.6g}" for x in values)


def numbers(written: str) -> Array:
    """A vector as it was written; empty for none."""
    return np.array([float(word) for word in str(written).split()])


def _short(row: Row) -> Row:
    return {name: f"{value:.6g}" if isinstance(value, float) else value for name, value in row.items()}


def _present(row: Mapping[object, object]) -> dict[str, object]:
    return {str(name): "" if isinstance(x, float) and np.isnan(x) else x for name, x in row.items()}
