"""Small data with two targets, and the losses by which they are traded."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.utils.data import TensorDataset


def table(count: int, seed: int) -> TensorDataset:
    """``count`` examples of four numbers, with two targets that stand against each other a little."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(count, 4, generator=generator)
    noise = torch.randn(count, 2, generator=generator)
    return TensorDataset(x, torch.stack([x[:, 0].sin(), x[:, 0].cos()], 1) + 0.1 * noise)


def first(outputs: Tensor, batch: list[Tensor]) -> Tensor:
    return (outputs[:, 0] - batch[1][:, 0]).square().mean()


def second(outputs: Tensor, batch: list[Tensor]) -> Tensor:
    return (outputs[:, 0] - batch[1][:, 1]).square().mean()


LOSSES = {"first": first, "second": second}
