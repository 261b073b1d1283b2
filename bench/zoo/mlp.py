"""Three overlaid digits read by an MLP with ReLU, trained by Adam until the validation loss rises."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from zoo.case import Batch, Case
from zoo.scans import composites
from zoo.training import Task, trained

PLACES = ("left", "middle", "right")
_SHAPE, _OFFSETS = (10, 18), [(0, 0), (2, 5), (0, 10)]


class Heads(nn.Module):
    """A trunk of two layers, and one linear head per place."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Flatten(), nn.Linear(inputs, 64), nn.ReLU(), nn.Linear(64, width), nn.ReLU()
        )
        self.heads = nn.ModuleList(nn.Linear(width, 10) for _ in PLACES)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        h = self.trunk(x)
        return tuple(head(h) for head in self.heads)


def narrow(seed: int) -> Case:
    """Through 12 features: the digits compete for them."""
    return _make("mlp-narrow", 12, seed)


def wide(seed: int) -> Case:
    """Through 64 features."""
    return _make("mlp-wide", 64, seed)


def _make(name: str, width: int, seed: int) -> Case:
    data, groups = composites(seed, _SHAPE, _OFFSETS, count=6000, each=12)
    losses = {place: partial(_loss, i) for i, place in enumerate(PLACES)}
    task = Task(losses, data["train"], data["validation"], data["test"], groups=groups)
    torch.manual_seed(seed)
    return trained(name, Heads(_SHAPE[0] * _SHAPE[1], width), task, patience=3, seed=seed)


def _loss(place: int, outputs: Any, batch: Batch) -> Tensor:
    return nn.functional.cross_entropy(outputs[place], batch[1 + place])
