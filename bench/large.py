"""Memory of one preview and one step at a million parameters (m = 3), above the model and its data.

Run: python bench/large.py [--hidden 990]
"""

from __future__ import annotations

import argparse
import resource
import time

import torch
from report import write
from torch import Tensor, nn
from torch.utils.data import TensorDataset

import paretonav as pn


def peak_mib() -> float:
    """The process's largest resident size so far (Linux counts it in KiB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hidden", type=int, default=940)
    parser.add_argument("--examples", type=int, default=20_000)
    options = parser.parse_args()
    torch.manual_seed(0)
    h = options.hidden
    model = nn.Sequential(nn.Linear(128, h), nn.Tanh(), nn.Linear(h, h), nn.Tanh(), nn.Linear(h, 3))
    x, y = torch.randn(options.examples, 128), torch.randn(options.examples, 3)
    for parameter in model.parameters():  # a pass over everything, so that the baseline holds all of it
        parameter.data.mul_(1.0)
    baseline = peak_mib()

    def task(i: int) -> object:
        def loss(outputs: Tensor, batch: list[Tensor]) -> Tensor:
            return nn.functional.mse_loss(outputs[:, i], batch[1][:, i])

        return loss

    losses = {f"task {i}": task(i) for i in range(3)}
    problem = pn.ModelProblem(model, losses, TensorDataset(x, y), weight_decay=1e-2)  # type: ignore[arg-type]
    nav = pn.Navigator(problem)
    began = time.perf_counter()
    nav.start()
    started = time.perf_counter() - began
    preference = pn.Improve({"task 0": 0.7, "task 1": 0.3})
    began = time.perf_counter()
    preview = nav.preview(preference, 0.01)
    previewed = time.perf_counter() - began
    step = nav.step(preference, 0.01)
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
