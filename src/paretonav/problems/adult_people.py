"""The people of the Adult data: one file of zeros and ones, read, split and made into inputs."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import TensorDataset

from paretonav.errors import ProblemError
from paretonav.problems import sources

FILE = "adult/adult.csv"
SOURCE = "OpenML 1590 by scikit-learn's fetch_openml"

_NUMBERS = ("age", "education-num", "capital-gain", "capital-loss", "hours-per-week")
_AMOUNTS = ("capital-gain", "capital-loss")
_KINDS = ("workclass", "marital-status", "occupation", "relationship", "race", "native-country")
_RICH, _FEMALE = "salary_>50K", "sex_Female"
_RARE = 0.01  # of the people: what is rarer is too rare to learn from, and is left out


def load(path: Path) -> dict[str, NDArray[np.float32]]:
    """The columns of the file by their names: numbers, and one of 0 and 1 per category ("sex_Female").

    Raises:
        ProblemError: a column is missing, or something is not a number.
    """
    lines = sources.read_lines(path)
    names = lines[0].strip().split(",") if lines else []
    absent = [name for name in (*_NUMBERS, _RICH, _FEMALE) if name not in names]
    if absent or len(lines) < 2:
        raise sources.damaged(path, f"has no column {absent[0]!r}" if absent else "has no rows")
    try:
        values = np.loadtxt(io.StringIO("\n".join(lines[1:])), delimiter=",", dtype=np.float32, ndmin=2)
    except ValueError as error:
        raise sources.damaged(path, f"is not a table of numbers ({error})") from error
    if values.shape[1] != len(names):
        raise sources.damaged(path, f"has {len(names)} names for {values.shape[1]} columns")
    return dict(zip(names, values.T, strict=True))


def split(
    columns: dict[str, NDArray[np.float32]], generator: torch.Generator, *, with_sex: bool
) -> tuple[TensorDataset, TensorDataset, TensorDataset]:
    """Three fifths of the people to train on, a fifth to validate and a fifth to test on.

    Returns:
        Datasets of inputs [people, inputs] float32, answers [people] (1.0: earns more than 50,000) and sexes
        [people] (0: male, 1: female). The inputs are scaled with the statistics of the training people.
    """
    answers, sexes = columns[_RICH], columns[_FEMALE]
    order = torch.randperm(len(answers), generator=generator).numpy()
    parts = np.split(order, [len(order) * 3 // 5, len(order) * 4 // 5])
    inputs = []
    for name in _NUMBERS:
        values = np.log1p(columns[name]) if name in _AMOUNTS else columns[name]
        known = values[parts[0]]
        inputs.append((values - known.mean()) / (known.std() or 1.0))
    for name, values in columns.items():
        if name.split("_")[0] in _KINDS and values[parts[0]].mean() >= _RARE:
            inputs.append(values)
    if with_sex:
        inputs.append(sexes)
    x, y, s = np.stack(inputs, axis=1), answers, sexes.astype(np.int64)
    train, validation, test = (TensorDataset(*map(torch.from_numpy, (x[p], y[p], s[p]))) for p in parts)
    return train, validation, test


def download(folder: Path) -> None:
    """Write the file from OpenML, without the people of whom something is unknown."""
    table = sources.openml(1590, 48_842, 15)
    rows = table.values[~np.isnan(table.values).any(axis=1)]
    if len(rows) != 45_222:
        raise ProblemError(f"{len(rows)} of its people are known completely, instead of 45222")
    names, columns = [], []
    for name, values in zip(table.names, rows.T, strict=True):
        kinds = table.categories.get(name)
        if kinds is None:
            names.append(name)
            columns.append(values)
        else:
            names += [f"{'salary' if name == 'class' else name}_{kind.strip()}" for kind in kinds]
            columns += [values == i for i in range(len(kinds))]
    text = io.StringIO()
    np.savetxt(text, np.stack(columns, axis=1), fmt="%d", delimiter=",", header=",".join(names), comments="")
    sources.write(folder / f"{FILE}.gz", text.getvalue().encode())
