"""Predictions about people: cross-entropy against the gap between the mean scores of two groups."""

from __future__ import annotations

from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

import paretonav as pn
from zoo.case import Batch, Case
from zoo.tables import COMPAS, CREDIT, datasets, parts, standardised, table
from zoo.training import Task, trained


def mlp(seed: int) -> Case:
    """Who will default on a credit, by an MLP; the groups are men and women."""
    people = table(CREDIT)
    answer, group = people["default-payment-next-month"], people["SEX"] == people["SEX"].max()
    inputs = people.drop(columns=["ID", "SEX", "default-payment-next-month"])
    model = nn.Sequential(nn.LazyLinear(60), nn.ReLU(), nn.Linear(60, 25), nn.ReLU(), nn.Linear(25, 1))
    return _make("fairness-mlp", model, inputs, answer, group, (15_000, 5000, 10_000), seed)


def logistic(seed: int) -> Case:
    """Who will be charged again, by logistic regression; the groups are Caucasians and all others."""
    people = table(COMPAS)
    answer, group = people["two-year-recid"], people["race"]
    inputs = people.drop(columns=["two-year-recid", "decile-score", "race"])
    inputs = inputs.loc[:, inputs.gt(0).sum() >= 20]
    return _make("fairness-logistic", nn.LazyLinear(1), inputs, answer, group, (3700, 1200, 1267), seed)


def _make(
    name: str,
    model: nn.Module,
    inputs: pd.DataFrame,
    answer: pd.Series[Any],
    group: pd.Series[Any],
    sizes: tuple[int, int, int],
    seed: int,
) -> Case:
    rows = parts(len(inputs), sizes, seed)
    x = standardised(inputs, rows["train"])
    labels, groups = (torch.tensor(column.to_numpy(float)).float() for column in (answer, group))
    data = datasets(rows, x, labels, groups.long())
    task = Task(
        losses={
            "error": lambda outputs, batch: nn.functional.binary_cross_entropy_with_logits(
                outputs[:, 0], batch[1]
            ),
            "gap": gap,
        },
        train=data["train"],
        validation=data["validation"],
        test=data["test"],
        weights={"gap": 0.5},
        pooled=frozenset({"gap"}),
        brought={"gap": pn.group_gap(_score, lambda batch: batch[2])},
    )
    torch.manual_seed(seed)
    model(x[:1])  # finds out how many columns there are
    return trained(name, model, task, batch_size=256, epochs=30, patience=5, seed=seed)


def gap(outputs: Any, batch: Batch) -> Tensor:
    """Between the mean scores of the two groups."""
    score, second = _score(outputs, batch), batch[2].bool()
    return (score[second].mean() - score[~second].mean()).abs()


def _score(outputs: Any, batch: Any) -> Tensor:  # noqa: ARG001
    return torch.sigmoid(outputs[:, 0])
