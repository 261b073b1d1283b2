"""Memory of one preview and one step at a million parameters (m = 3), above the model and its data.

Three regression tasks with random teachers share the network; it is trained for a while first, so that the step is one
along the front.

Run: python bench/large.py [--hidden 990]
"""

from __future__ import annotations

import argparse
import resource
import time

import torch
from torch import Tensor, nn
from torch.utils.data import TensorDataset

import paretonav as pn
from report import write


def peak_mib() -> float:
    """The process's largest resident size so far (Linux counts it in KiB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def train(model: nn.Module, x: Tensor, y: Tensor, decay: float, epochs: int = 15) -> None:
    """Adam on the mean loss; Adam's state is part of the baseline, as it is of any training."""
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, weight_decay=decay)
    for epoch in range(epochs):
        for group in optimizer.param_groups:
            group["lr"] = 1e-3 * (1 - epoch / epochs)
        for rows in torch.randperm(len(x)).split(256):  # type: ignore[no-untyped-call]
            optimizer.zero_grad()
            nn.functional.mse_loss(model(x[rows]), y[rows]).backward()  # type: ignore[no-untyped-call]
            optimizer.step()


def reach(nav: pn.Navigator, preference: pn.Improve) -> float:
    """The largest feasible amount; a wide network's tasks hardly compete, so it is small here."""
    return nav.preview(preference, 1e-5).reach


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hidden", type=int, default=940)
    parser.add_argument("--examples", type=int, default=4_000)
    parser.add_argument("--decay", type=float, default=1e-2)
    options = parser.parse_args()
    torch.manual_seed(0)
    h = options.hidden
    model = nn.Sequential(nn.Linear(128, h), nn.Tanh(), nn.Linear(h, h), nn.Tanh(), nn.Linear(h, 3))
    x = torch.randn(options.examples, 128)
    y = torch.tanh(x @ torch.randn(128, 3) / 8) + 0.5 * torch.randn(options.examples, 3)
    train(model, x, y, options.decay)
    baseline = peak_mib()

    def task(i: int) -> object:
        def loss(outputs: Tensor, batch: list[Tensor]) -> Tensor:
            return nn.functional.mse_loss(outputs[:, i], batch[1][:, i])

        return loss

    losses = {f"task {i}": task(i) for i in range(3)}
    problem = pn.ModelProblem(model, losses, TensorDataset(x, y), weight_decay=options.decay)  # type: ignore[arg-type]
    nav = pn.Navigator(problem)
    began = time.perf_counter()
    nav.start()
    started = time.perf_counter() - began
    preference = pn.Improve({"task 0": 0.7, "task 1": 0.3})
    amount = 0.5 * reach(nav, preference)
    began = time.perf_counter()
    preview = nav.preview(preference, amount)
    previewed = time.perf_counter() - began
    step = nav.step(preference, amount)
    predicted, achieved = (torch.tensor(list(d.values())) for d in (preview.predicted, step.achieved))
    write(
        "large",
        "One step at a million parameters",
        [
            {
                "parameters": problem.parameters().numel(),
                "objectives": problem.m,
                "MiB above model and data": peak_mib() - baseline,
                "start() s": started,
                "amount (half the reach)": amount,
                "preview ms": 1e3 * previewed,
                "step s": step.cost.seconds,
                "Hessian products": step.cost.hessian_products,
                "status": str(step.status),
                "error": float((predicted - achieved).norm() / predicted.norm()),
            }
        ],
    )


if __name__ == "__main__":
    main()
