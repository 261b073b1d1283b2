"""Two overlaid fashion items read by a LeNet with ReLU and max pooling, Adam with early stopping."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from paretonav.problems.images import Images, fashion_mnist
from zoo.case import Case
from zoo.training import Task, trained

_SIDE, _SHIFT = 32, 4


class LeNet(nn.Module):
    """Two convolutions, one linear layer, two heads."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Conv2d(1, 10, 5), nn.MaxPool2d(2), nn.ReLU(),
            nn.Conv2d(10, 20, 5), nn.MaxPool2d(2), nn.ReLU(),
            nn.Flatten(), nn.Linear(500, 50), nn.ReLU(),
        )  # fmt: skip
        self.left, self.right = nn.Linear(50, 10), nn.Linear(50, 10)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = self.trunk(x)
        return self.left(h), self.right(h)


def make(seed: int) -> Case:
    """5,000 composites; no item is in two of them."""
    generator = torch.Generator().manual_seed(seed)
    known, unknown = fashion_mnist()
    fit, held = known.split([10_000, 4000], generator)
    (test,) = unknown.split([4000], generator)
    losses = {
        "left": lambda outputs, batch: nn.functional.cross_entropy(outputs[0], batch[1]),
        "right": lambda outputs, batch: nn.functional.cross_entropy(outputs[1], batch[2]),
    }
    torch.manual_seed(seed)
    return trained(
        "lenet",
        LeNet(),
        Task(losses, _pairs(fit), _pairs(held), _pairs(test)),
        epochs=8,
        patience=3,
        seed=seed,
    )


def _pairs(items: Images) -> TensorDataset:
    """Each item once: the first half at the upper left, the second at the lower right."""
    half = len(items.classes) // 2
    canvas = torch.zeros(half, 1, _SIDE, _SIDE)
    canvas[:, 0, :28, :28] = items.pixels[:half]
    window = canvas[:, 0, _SHIFT:, _SHIFT:]
    window.copy_(torch.maximum(window, items.pixels[half:]))
    return TensorDataset(canvas, items.classes[:half], items.classes[half:])
