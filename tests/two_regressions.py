"""One vector of coefficients for two regressions on different inputs: convex, and all of it known in closed form."""

from __future__ import annotations

from typing import Any

import torch
from tests.tensors import normal
from torch import Tensor, nn
from torch.utils.data import TensorDataset

import paretonav as pn

NAMES = ("first", "second")
SIZE = 12


def _data(count: int, seed: int, noise: float) -> TensorDataset:
    spread = torch.logspace(0, -1, SIZE, dtype=torch.float64)
    x, z = normal(count, SIZE, seed=seed) * spread, normal(count, SIZE, seed=seed + 1) * spread.flip(0)
    a, b = normal(SIZE, 1, seed=100), normal(SIZE, 1, seed=101)
    y, w = x @ a + noise * normal(count, 1, seed=seed + 2), z @ b + noise * normal(count, 1, seed=seed + 3)
    return TensorDataset(x, z, y, w)


def _loss(i: int) -> Any:
    return lambda outputs, batch: (outputs[i] - batch[2 + i]).square().mean()


def two_regressions(weights: tuple[float, float], noise: float = 0.1, **options: Any) -> pn.ModelProblem:
    """At the least weighted sum of the two losses, in float64."""
    train = _data(512, 10, noise)
    model = nn.Linear(SIZE, 1, bias=False).double()
    model.weight.data = _best(train, weights).T
    return pn.ModelProblem(
        model,
        {name: _loss(i) for i, name in enumerate(NAMES)},
        train,
        **({"validation": _data(2048, 20, noise)} | options),
        forward=lambda model, batch: (model(batch[0]), model(batch[1])),
        weights=dict(zip(NAMES, weights, strict=True)),
    )


def _best(data: TensorDataset, weights: tuple[float, float]) -> Tensor:
    x, z, y, w = data.tensors
    hessian = weights[0] * x.T @ x + weights[1] * z.T @ z
    solution: Tensor = torch.linalg.solve(hessian, weights[0] * x.T @ y + weights[1] * z.T @ w)
    return solution
