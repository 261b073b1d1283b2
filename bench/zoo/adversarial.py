"""Digits read by a small convolutional network: the loss on clean images against that on attacked ones."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from zoo.case import Batch, Case
from zoo.scans import digits
from zoo.training import Task, trained

_EPSILON = 0.1


class Net(nn.Module):
    """Two convolutions and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.Conv2d(12, 16, 3, stride=2, padding=1), nn.ReLU(),
            nn.Flatten(), nn.Linear(256, 32), nn.ReLU(), nn.Linear(32, 10),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.layers(x)
        return logits


def fgsm(seed: int) -> Case:
    """One step along the sign of the gradient."""
    return _make("fgsm", 1, _EPSILON, seed)


def pgd(seed: int) -> Case:
    """Five steps from the image itself, so that the attack is a function of model and image."""
    return _make("pgd", 5, 0.4 * _EPSILON, seed)


def _make(name: str, steps: int, size: float, seed: int) -> Case:
    data = {split: TensorDataset(scans[:, None], labels) for split, (scans, labels) in digits(seed).items()}
    losses = {
        "clean": lambda outputs, batch: nn.functional.cross_entropy(outputs[0], batch[1]),
        "attacked": lambda outputs, batch: nn.functional.cross_entropy(outputs[1], batch[1]),
    }
    task = Task(
        losses,
        data["train"],
        data["validation"],
        data["test"],
        partial(_forward, steps=steps, size=size),
    )
    torch.manual_seed(seed)
    return trained(name, Net(), task, epochs=25, patience=4, seed=seed)


def _forward(model: nn.Module, batch: Batch, *, steps: int, size: float) -> tuple[Tensor, Tensor]:
    x, labels = batch
    return model(x), model(attacked(model, x, labels, steps, size))


def attacked(model: nn.Module, x: Tensor, labels: Tensor, steps: int, size: float) -> Tensor:
    """The images within ``_EPSILON`` of x that projected gradient ascent finds; a constant to whoever trains."""
    there = x
    for _ in range(steps):
        with torch.enable_grad():
            there = there.detach().clone().requires_grad_()
            loss = nn.functional.cross_entropy(model(there), labels, reduction="sum")
            (slope,) = torch.autograd.grad(loss, there)
        moved = there.detach() + size * slope.detach().sign()
        there = torch.minimum(torch.maximum(moved, x - _EPSILON), x + _EPSILON).clamp(0, 1)
    return there.detach()
