"""A GRU that reads digits row by row: what digit it is, and what the next row will be."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from zoo.case import Case
from zoo.scans import digits
from zoo.training import Task, trained


class Reader(nn.Module):
    """A GRU, a head on its last state, and one on each but the last."""

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        self.gru = nn.GRU(8, width, batch_first=True)
        self.digit, self.row = nn.Linear(width, 10), nn.Linear(width, 8)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        states, _ = self.gru(x)
        return self.digit(states[:, -1]), self.row(states[:, :-1])


def make(seed: int) -> Case:
    """Adam until the validation loss rises."""
    data = {split: TensorDataset(scans, labels) for split, (scans, labels) in digits(seed).items()}
    losses = {
        "digit": lambda outputs, batch: nn.functional.cross_entropy(outputs[0], batch[1]),
        "next row": lambda outputs, batch: nn.functional.mse_loss(outputs[1], batch[0][:, 1:]),
    }
    task = Task(losses, data["train"], data["validation"], data["test"], weights={"next row": 10.0})
    torch.manual_seed(seed)
    return trained("gru", Reader(), task, rate=3e-3, epochs=60, patience=5, seed=seed)
