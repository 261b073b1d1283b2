"""How often a conflict is found where there is one, and where there is none.

A share of 1 is right where the tasks do compete, 0 where they do not. Counted are the objectives of which
``here.conflict`` says that improving them costs others. Linear: three tasks whose best models are a multiple (spread)
of a distance apart; at zero they are the same task with other noise. Networks: two tasks each.

Run: python bench/real_conflict.py
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import TensorDataset

import paretonav as pn
from paretonav.geometry import conflicts
from population import Population
from report import write

TRAININGS, DRAWS, NETWORKS = 12, 5, 16


def linear(spread: float, lengths: list[int], train: int, trainings: int, draws: int) -> list[bool]:
    """The verdicts for every objective, training set and draw of validation data."""
    verdicts = []
    for seed in range(trainings):
        population = Population(lengths, train, seed, spread=spread, metrics=False)
        nav = pn.Navigator(population.problem())
        here = nav.start()
        for _ in range(draws):
            problem = population.problem()
            losses, response = problem.response(here.parameters, nav.tangent.basis, "validation")
            front = replace(here.front, validation_response_by_batch=response, validation_losses=losses)
            verdicts += [bool(conflict.real) for conflict in conflicts(front).values()]
    return verdicts


def network(
    targets: Callable[[Tensor], Tensor], noise: float, width: int, outputs: int, train: int, seed: int
) -> list[bool]:
    """The verdicts for a network that is trained on both tasks alike, through one output or one for each."""
    torch.manual_seed(seed)
    x = torch.randn(train + 800, 6)
    y = targets(x)
    y = y + noise * torch.randn_like(y)
    model = nn.Sequential(nn.Linear(6, width), nn.Tanh(), nn.Linear(width, outputs))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02, weight_decay=1e-3)
    for _ in range(400):
        optimizer.zero_grad()
        nn.functional.mse_loss(model(x[:train]).expand(-1, 2), y[:train]).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    problem = pn.ModelProblem(
        model,
        {f"task {k + 1}": _squared_error(k) for k in range(2)},
        TensorDataset(x[:train], y[:train]),
        TensorDataset(x[train:], y[train:]),
        weight_decay=1e-3,
        batch_size=100,
    )
    here = pn.Navigator(problem).start()
    return [bool(conflict.real) for conflict in here.conflict.values()]


def _squared_error(k: int) -> Callable[..., Tensor]:
    return lambda o, b: (o.expand(-1, 2)[:, k] - b[1][:, k]).square().mean()


def multiples(x: Tensor) -> Tensor:
    """As the heating and cooling loads of buildings are."""
    first = torch.tanh(x[:, 0] + x[:, 1]) + 0.5 * x[:, 2] * x[:, 3]
    return torch.stack([first, 0.9 * first], dim=1)


def nothing(x: Tensor) -> Tensor:
    return torch.zeros(len(x), 2)


def different(x: Tensor) -> Tensor:
    first = torch.tanh(x[:, 0] + x[:, 1]) + 0.5 * x[:, 2]
    second = torch.tanh(x[:, 0] - x[:, 1]) + 0.5 * x[:, 3]
    return torch.stack([first, second], dim=1)


def main() -> None:
    rows = []
    for lengths in ([100] * 4, [100] * 8):
        for spread in (0.0, 0.1, 0.2, 0.4):
            found = linear(spread, lengths, 400, TRAININGS, DRAWS)
            case = f"linear, spread {spread:g}"
            rows.append(_row(case, 400, lengths, found, "compete" if spread else "are the same"))
    cases: list[tuple[str, Callable[[Tensor], Tensor], float, int, int, int, str]] = [
        ("multiples of one another", multiples, 0.1, 8, 2, 600, "agree"),
        ("multiples, wide and overfitted", multiples, 0.5, 64, 2, 150, "agree"),
        ("pure noise, wide and overfitted", nothing, 1.0, 64, 2, 150, "are noise"),
        ("pure noise", nothing, 1.0, 4, 2, 300, "are noise"),
        ("different, through one output", different, 0.1, 8, 1, 600, "compete"),
    ]
    for name, targets, noise, width, outputs, train, truth in cases:
        runs = (network(targets, noise, width, outputs, train, seed) for seed in range(NETWORKS))
        found = [verdict for run in runs for verdict in run]
        rows.append(_row(f"network of width {width}: {name}", train, [100] * 8, found, truth))
    here = pn.Navigator(pn.problems.digits(epochs=20)).start()
    found = [bool(conflict.real) for conflict in here.conflict.values()]
    rows.append(_row("three digits through six units", 6000, [500] * 4, found, "compete"))
    write("real_conflict", "Where a conflict is found", rows, __doc__.split("\n\n")[1] if __doc__ else "")


def _row(case: str, train: int, lengths: list[int], found: list[bool], truth: str) -> dict[str, object]:
    return {
        "case": case,
        "training examples": train,
        "validation batches": f"{len(lengths)} of {lengths[0]}",
        "the tasks": truth,
        "conflict found": float(np.mean(found)),
        "of": len(found),
    }


if __name__ == "__main__":
    main()
