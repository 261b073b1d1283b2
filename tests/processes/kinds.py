"""Problems of many kinds, made alike in every process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

import paretonav as pn
from paretonav.objectives.aggregate import group_gap

F64, F32 = torch.float64, torch.float32
Make = Callable[[torch.dtype], pn.ModelProblem]
Loss = Callable[[Any, Any], Tensor]


def square(i: int) -> Loss:
    return lambda outputs, batch: (outputs[:, i] - batch[1][:, i]).square().mean()


def numbers(n: int, dtype: torch.dtype, seed: int = 0) -> TensorDataset:
    x = torch.randn(n, 6, generator=torch.Generator().manual_seed(seed), dtype=F64).to(dtype)
    return TensorDataset(x, torch.stack([x.sum(1).sin(), x[:, :3].sum(1).cos()], 1))


def perceptron(dtype: torch.dtype = F64, **options: Any) -> pn.ModelProblem:
    """``options`` are those of ``ModelProblem``; losses are in place of those of the same name."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 2)).to(dtype)
    losses = {"a": square(0), "b": square(1)} | options.pop("losses", {})
    given: dict[str, Any] = {
        "train": numbers(70, dtype),
        "validation": numbers(50, dtype, 1),
        "batch_size": 16,
    }
    given |= {"metrics": {"off": lambda o, b: (o - b[1]).abs().mean()}} | options
    return pn.ModelProblem(model, losses, **given)


def one_batch(dtype: torch.dtype) -> pn.ModelProblem:
    """One process has nothing to read, in training data that are one batch, and gradients are kept."""
    return perceptron(dtype, batch_size=100, validation=None, metrics=None)


def fixed_batches(dtype: torch.dtype) -> pn.ModelProblem:
    """Uneven ones, which a batch sampler has made."""
    batches = [[0, 1, 2], [3], list(range(4, 20)), [20, 21], list(range(22, 70))]
    data = numbers(70, dtype)
    return perceptron(dtype, train=DataLoader(data, batch_sampler=batches), metrics=None, groups=[0, 1] * 25)


class Stream(IterableDataset[Any]):
    def __init__(self, data: TensorDataset) -> None:
        self.data = data

    def __iter__(self) -> Iterator[Any]:
        return iter([self.data[i] for i in range(len(self.data))])


def stream(dtype: torch.dtype) -> pn.ModelProblem:
    return perceptron(dtype, train=DataLoader(Stream(numbers(70, dtype)), batch_size=16))


def gap(dtype: torch.dtype) -> pn.ModelProblem:
    """A loss that is no mean: a gap between groups, which needs all of the data."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 2)).to(dtype)
    losses = {
        "a": square(0),
        "gap": group_gap(lambda o, _: o[:, 1].sigmoid(), lambda b: (b[0][:, 0] > 0).long()),
    }
    train, validation = numbers(70, dtype), numbers(50, dtype, 1)
    return pn.ModelProblem(model, losses, train, validation, batch_size=16)


def convolutions(dtype: torch.dtype) -> pn.ModelProblem:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(48, 4)
    ).to(dtype)
    x = torch.randn(60, 1, 6, 6, generator=torch.Generator().manual_seed(0), dtype=F64).to(dtype)
    labels = torch.stack([x.mean((1, 2, 3)) > 0, x[:, 0, 0, 0] > 0], 1).long()
    losses = {
        name: lambda o, b, i=i: nn.functional.cross_entropy(o[:, 2 * i : 2 * i + 2], b[1][:, i])
        for i, name in enumerate(("mean", "corner"))
    }
    return pn.ModelProblem(model.eval(), losses, TensorDataset(x, labels), batch_size=13)


class Adapted(nn.Module):
    """A frozen layer with a low-rank change that is steered (LoRA)."""

    def __init__(self, base: nn.Linear) -> None:
        super().__init__()
        self.base = base.requires_grad_(False)
        self.lora_a = nn.Parameter(0.3 * torch.randn(2, base.in_features))
        self.lora_b = nn.Parameter(0.3 * torch.randn(base.out_features, 2))

    def forward(self, x: Tensor) -> Tensor:
        changed: Tensor = self.base(x) + x @ self.lora_a.T @ self.lora_b.T
        return changed


class Language(nn.Module):
    """A transformer that predicts the next letter."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.places = nn.Embedding(11, 8), nn.Parameter(0.1 * torch.randn(5, 8))
        self.qkv, self.out = Adapted(nn.Linear(8, 24)), Adapted(nn.Linear(8, 8))
        self.head = nn.Linear(8, 11)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embed(tokens) + self.places
        q, k, v = (t.unflatten(-1, (2, 4)).transpose(1, 2) for t in self.qkv(x).chunk(3, -1))
        attended = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        logits: Tensor = self.head(nn.functional.gelu(x + self.out(attended.transpose(1, 2).flatten(-2))))
        return logits


def language(dtype: torch.dtype) -> pn.ModelProblem:
    torch.manual_seed(0)
    tokens = torch.randint(0, 11, (60, 6))

    def surprise(start: int) -> Callable[[Any, Any], Tensor]:
        def mean(logits: Tensor, batch: Any) -> Tensor:
            part = slice(start, None, 2)
            return nn.functional.cross_entropy(
                logits[:, part].flatten(0, 1), batch[0][:, 1:][:, part].flatten()
            )

        return mean

    return pn.ModelProblem(
        Language().to(dtype),
        {"even": surprise(0), "odd": surprise(1)},
        TensorDataset(tokens[:45]),
        TensorDataset(tokens[45:]),
        parameters="*lora_*",
        forward=lambda model, batch: model(batch[0][:, :-1]),
        batch_size=8,
    )


KINDS: dict[str, Make] = {
    "perceptron": perceptron,
    "one batch": one_batch,
    "fixed batches": fixed_batches,
    "stream": stream,
    "gap": gap,
    "convolutions": convolutions,
    "language": language,
}


def trained(**losses: Loss) -> pn.ModelProblem:
    """A perceptron that comes trained, with enough examples for standard errors.

    ``losses`` are in place of those of the same name.
    """
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 2)).double()
    train, validation = numbers(300, F64), numbers(200, F64, 1)
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    x, y = train[:]
    for _ in range(100):
        optimizer.zero_grad()
        (model(x) - y).square().mean().backward()
        optimizer.step()
    return pn.ModelProblem(model, {"a": square(0), "b": square(1)} | losses, train, validation, batch_size=32)
