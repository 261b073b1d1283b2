"""Three overlaid digits read by an MLP with ReLU, trained by Adam until the validation loss rises."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from zoo.case import HELD_OUT, Batch, Case, Split
from zoo.scans import at_random, digits, in_bundles, overlaid
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
    scans, generator = digits(seed), torch.Generator().manual_seed(seed)
    train = overlaid(*scans["train"], _SHAPE, _OFFSETS, at_random(len(scans["train"][1]), 3, 6000, generator))
    held: dict[Split, TensorDataset] = {}
    groups: dict[Split, Tensor] = {}
    for split in HELD_OUT:
        chosen, bundle = in_bundles(len(scans[split][1]), 3, 6, 12, generator)
        held[split], groups[split] = overlaid(*scans[split], _SHAPE, _OFFSETS, chosen), bundle
    losses = {place: partial(_loss, i) for i, place in enumerate(PLACES)}
    task = Task(losses, train, held["validation"], held["test"], groups=groups)
    torch.manual_seed(seed)
    return trained(name, Heads(_SHAPE[0] * _SHAPE[1], width), task, patience=3, seed=seed)


def _loss(place: int, outputs: Any, batch: Batch) -> Tensor:
    return nn.functional.cross_entropy(outputs[place], batch[1 + place])
