"""What the benchmarks on data share: the alternatives to a step, and how outcomes are compared and shown."""

from __future__ import annotations

import time

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import paretonav as pn

Array = NDArray[np.float64]
LEARNING_RATES = (1e-3, 3e-3)


def fine_tune(
    problem: pn.Problem, theta: Tensor, weights: Tensor, seconds: float, rate: float
) -> tuple[Tensor, float]:
    """Train on fixed weights with Adam for a time; the parameters, and how many epochs that was."""
    theta = theta.clone().requires_grad_()
    weights = weights.to(theta)
    optimizer = torch.optim.Adam([theta], lr=rate, weight_decay=problem.weight_decay)
    generator = torch.Generator().manual_seed(1)
    end, epochs = time.perf_counter() + seconds, 0.0
    while True:
        for batch in problem.minibatches(256, generator):
            optimizer.zero_grad()
            (weights @ batch.losses(batch.outputs(theta))).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            epochs += batch.fraction
            if time.perf_counter() > end:
                return theta.detach(), epochs


def change(problem: pn.Problem, start: pn.Point, theta: Tensor, split: str) -> Array:
    before = start.train if split == "train" else start.held_out
    assert before is not None
    difference = problem.evaluate(theta, split).mean - before.mean  # type: ignore[arg-type]
    return np.asarray(difference.numpy())


def error(predicted: Array, achieved: Array) -> float:
    return float(np.linalg.norm(predicted - achieved) / np.linalg.norm(predicted))


def values(d: dict[str, float] | None) -> Array:
    assert d is not None
    return np.array(list(d.values()))


def show(v: Array) -> str:
    return " ".join(f"{x:+.4f}" for x in v)


def cosines(nav: pn.Navigator) -> Array:
    """Of the objectives' gradients, pair by pair."""
    J = nav.tangent.jacobian
    unit = J / J.norm(dim=1, keepdim=True)
    i, j = np.triu_indices(len(J), 1)
    return np.asarray((unit @ unit.T).double().numpy()[i, j])
