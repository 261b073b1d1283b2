"""Eight things to say about a credit card client, with losses from hundredths to tens, by one MLP."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from zoo.case import Batch, Case
from zoo.tables import CREDIT, datasets, parts, standardised, table
from zoo.training import Task, trained


def make(seed: int) -> Case:
    """Three probabilities and five amounts, each in a usual unit, with equal weights: large losses rule."""
    people = table(CREDIT)
    yes_or_no = {
        "default": people["default-payment-next-month"],
        "university": people["EDUCATION_2"],
        "married": people["MARRIAGE_1"],
    }
    amounts = {
        "age, years": people["AGE"].astype(float),
        "limit, log": np.log(people["LIMIT_BAL"]),
        "bill, 100,000": people["BILL_AMT1"] / 1e5,
        "paid, 100,000": people["PAY_AMT1"].clip(upper=1e5) / 1e5,
        "paid, log": np.log1p(people["PAY_AMT2"]),
    }
    hidden = [
        *("ID", "default-payment-next-month", "AGE", "LIMIT_BAL", "BILL_AMT1", "PAY_AMT1", "PAY_AMT2"),
        *(column for column in people if column.startswith(("EDUCATION", "MARRIAGE"))),
    ]
    rows = parts(len(people), (8000, 4000, 8000), seed)
    x = standardised(people.drop(columns=hidden), rows["train"])
    answers = {**yes_or_no, **amounts}
    y = torch.tensor(np.column_stack([column.to_numpy(float) for column in answers.values()])).float()
    data = datasets(rows, x, y)
    losses = {name: partial(_loss, i, i < len(yes_or_no)) for i, name in enumerate(answers)}
    task = Task(losses, data["train"], data["validation"], data["test"])
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Linear(x.shape[1], 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, len(answers))
    )
    last = model[-1]
    assert isinstance(last, nn.Linear)
    with torch.no_grad():  # the bias begins at the mean, as for any regression
        last.bias[len(yes_or_no) :] = y[rows["train"]].mean(0)[len(yes_or_no) :]
    return trained("targets", model, task, batch_size=128, epochs=40, patience=5, seed=seed)


def _loss(place: int, is_probability: bool, outputs: Any, batch: Batch) -> Tensor:
    found, wanted = outputs[:, place], batch[1][:, place]
    return (
        nn.functional.binary_cross_entropy_with_logits(found, wanted)
        if is_probability
        else nn.functional.mse_loss(found, wanted)
    )
