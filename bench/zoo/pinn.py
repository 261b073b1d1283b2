"""A physics-informed network: the heat equation, its boundary, and measurements of a slightly other physics."""

from __future__ import annotations

import math
import time
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from zoo.case import Batch, Case
from zoo.training import Task, handed_over, minibatches, trained

_NU, _TRUE_NU, _NOISE = 0.05, 0.08, 0.05


class Field(nn.Module):
    """u(x, t) by three tanh layers."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1)
        )  # fmt: skip

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        u: Tensor = self.layers(torch.stack([x, t], 1))[:, 0]
        return u


def stopped(seed: int) -> Case:
    """Sixty epochs of Adam: far from converged."""
    torch.manual_seed(seed)
    return trained("pinn-stopped", Field(), _task(seed, 1024), batch_size=128, epochs=60, seed=seed)


def converged(seed: int) -> Case:
    """Adam first, L-BFGS on all points at once to the end. Who trains on from there takes Adam, as nothing is left."""
    torch.manual_seed(seed)
    task = _task(seed, 512)
    first = trained("pinn-converged", Field(), task, batch_size=128, epochs=30, seed=seed)
    began = time.process_time()
    model, (batch,) = first.model, minibatches(task.train, len(task.train))
    newton = torch.optim.LBFGS(
        model.parameters(), max_iter=600, tolerance_change=0, history_size=50, line_search_fn="strong_wolfe"
    )
    evaluations = 0

    def loss() -> Tensor:
        nonlocal evaluations
        evaluations += 1
        newton.zero_grad()
        total = task.total(task.forward(model, batch), batch)
        total.backward()  # type: ignore[no-untyped-call]
        return total

    newton.step(loss)  # type: ignore[no-untyped-call]
    return handed_over(
        first.name,
        model,
        task,
        optimizer=first.optimizer,
        rate=first.rate,
        batch_size=first.batch_size,
        seconds=first.seconds + time.process_time() - began,
        epochs=first.epochs + evaluations,
    )


def _task(seed: int, points: int) -> Task:
    losses = {
        "equation": lambda outputs, batch: outputs["residual"].square().mean(),  # noqa: ARG005
        "boundary": lambda outputs, batch: (
            (outputs["initial"] - torch.sin(math.pi * batch[2])).square().mean()
            + outputs["left"].square().mean()
            + outputs["right"].square().mean()
        ),
        "data": lambda outputs, batch: (outputs["measured"] - batch[6]).square().mean(),
    }
    train, validation, test = (_points(n, 3 * seed + i) for i, n in enumerate((points, 512, 1024)))
    return Task(losses, train, validation, test, _forward)


def _points(n: int, seed: int) -> TensorDataset:
    """Places of the equation, of the two boundaries, and of noisy measurements."""
    generator = torch.Generator().manual_seed(seed)
    x, xb, xd = (2 * torch.rand(n, generator=generator) - 1 for _ in range(3))
    t, tb, td = (torch.rand(n, generator=generator) for _ in range(3))
    measured = torch.exp(-_TRUE_NU * math.pi**2 * td) * torch.sin(math.pi * xd)
    return TensorDataset(x, t, xb, tb, xd, td, measured + _NOISE * torch.randn(n, generator=generator))


def _forward(model: nn.Module, batch: Batch) -> dict[str, Any]:
    x, t, xb, tb, xd, td, _ = batch
    with torch.enable_grad():
        x, t = x.detach().clone().requires_grad_(), t.detach().clone().requires_grad_()
        u = model(x, t)
        ux, ut = torch.autograd.grad(u.sum(), (x, t), create_graph=True)
        (uxx,) = torch.autograd.grad(ux.sum(), x, create_graph=True)
    return {
        "residual": ut - _NU * uxx,
        "initial": model(xb, torch.zeros_like(xb)),
        "left": model(-torch.ones_like(tb), tb),
        "right": model(torch.ones_like(tb), tb),
        "measured": model(xd, td),
    }
