"""Two overlaid digits read by a small ResNet with BatchNorm, trained by SGD with momentum."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo.case import Case
from zoo.scans import composites
from zoo.training import Task, sgd, trained

_SHAPE, _OFFSETS = (10, 12), [(0, 0), (2, 4)]


class Block(nn.Module):
    """Two convolutions with BatchNorm, around which the input goes."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.around = nn.Conv2d(inputs, outputs, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.relu(self.inner(x) + self.around(x))


class ResNet(nn.Module):
    """A stem, two blocks, the mean over all places, two heads."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Conv2d(1, 8, 3, 1, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU(),
            Block(8, 8, 1), Block(8, 16, 2), nn.AdaptiveAvgPool2d((2, 2)), nn.Flatten(),
        )  # fmt: skip
        self.left, self.right = nn.Linear(64, 10), nn.Linear(64, 10)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = self.trunk(x)
        return self.left(h), self.right(h)


def make(seed: int) -> Case:
    """Eight epochs of SGD on 5,000 composites."""
    data, groups = composites(seed, _SHAPE, _OFFSETS, count=5000, each=10)
    losses = {
        "left": lambda outputs, batch: nn.functional.cross_entropy(outputs[0], batch[1]),
        "right": lambda outputs, batch: nn.functional.cross_entropy(outputs[1], batch[2]),
    }
    task = Task(losses, data["train"], data["validation"], data["test"], groups=groups)
    torch.manual_seed(seed)
    return trained("resnet", ResNet(), task, optimizer=sgd, rate=0.02, epochs=8, seed=seed)
