"""A small network on noisy data, for what trains: two targets of different sizes, with validation and test data."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from tests.tensors import normal
from torch import Tensor, nn
from torch.utils.data import TensorDataset

import paretonav as pn
from paretonav.steering.stepping.train_on import TrainOn, train_on

NAMES = ("small", "large")


def noisy(count: int, seed: int) -> TensorDataset:
    """Two functions of four inputs with noise."""
    x = normal(count, 4, seed=seed)
    y = torch.stack([(x[:, 0] * x[:, 1]).tanh(), 3 * (x[:, 1] - x[:, 2]).sin()], dim=1)
    return TensorDataset(x, y + 0.3 * normal(count, 2, seed=seed + 1))


def network(seed: int = 0) -> nn.Module:
    """Untrained, in float64."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 2)).double().eval()


def squared(i: int, scale: float = 1.0) -> Any:
    """The mean squared error of one output."""
    return lambda outputs, batch: scale * (outputs[:, i] - batch[1][:, i]).square().mean()


def problem(seed: int = 0, *, scale: float = 1.0, **options: Any) -> pn.ModelProblem:
    """The untrained network; eight batches for validation. ``options`` are those of ``ModelProblem``."""
    arguments = {
        "train": noisy(512, 10),
        "validation": noisy(256, 20),
        "test": noisy(512, 30),
        "batch_size": 32,
    }
    losses = {name: squared(i, scale) for i, name in enumerate(NAMES)}
    return pn.ModelProblem(network(seed), losses, **(arguments | options))


def trained(**options: Any) -> pn.ModelProblem:
    """The same network after some epochs of training, which are done once in a process."""
    made = problem(**options)
    made.set_parameters(_trained())
    return made


@cache
def _trained() -> Tensor:
    how = TrainOn(optimizer=lambda p: torch.optim.Adam(p, lr=1e-2), epochs=8, rounds=1, batch_size=64)
    return train_on(problem(), torch.tensor([0.5, 0.5], dtype=torch.float64), how).theta


def linear(**options: Any) -> pn.ModelProblem:
    """Linear regressions that share their parameters, so that the best ones are known."""
    model = nn.Linear(4, 1, bias=False).double()
    losses = {name: _shared(i) for i, name in enumerate(NAMES)}
    return pn.ModelProblem(model, losses, noisy(256, 10), batch_size=32, **options)


def _shared(i: int) -> Any:
    return lambda outputs, batch: (outputs[:, 0] - batch[1][:, i]).square().mean()


def best(data: TensorDataset, weights: Tensor, decay: float = 0.0) -> Tensor:
    """Where the weighted objectives of ``linear`` are least on ``data``, from the normal equations, [4]."""
    x, y = data.tensors
    hessian = 2 * x.T @ x / len(x) + decay * torch.eye(4, dtype=x.dtype)
    point: Tensor = torch.linalg.solve(hessian, 2 * x.T @ (y @ weights) / len(x))
    return point
