"""Matrix factorisation: the order in which items are preferred, against how much popular ones are pushed."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from zoo.case import Batch, Case, Split
from zoo.training import Task, trained

_USERS, _ITEMS = 300, 150


class Factors(nn.Module):
    """Users and items as vectors, items with a bias."""

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.users, self.items = nn.Embedding(_USERS, width), nn.Embedding(_ITEMS, width)
        self.bias = nn.Embedding(_ITEMS, 1)
        for table in (self.users, self.items):
            nn.init.normal_(table.weight, std=0.1)
        nn.init.zeros_(self.bias.weight)

    def forward(self, user: Tensor, item: Tensor) -> Tensor:
        score: Tensor = (self.users(user) * self.items(item)).sum(1) + self.bias(item)[:, 0]
        return score


def make(seed: int) -> Case:
    """9,000 choices of 300 users whose tastes have three dimensions; Adam until the validation loss rises."""
    generator = torch.Generator().manual_seed(seed)
    popularity = 1 / torch.arange(1.0, _ITEMS + 1) ** 0.8
    tastes = torch.randn(_USERS, 3, generator=generator) @ torch.randn(3, _ITEMS, generator=generator)
    chances = torch.softmax(tastes + popularity.log(), 1)
    known = (popularity.log() - popularity.log().mean()) / popularity.log().std()
    losses = {
        "order": lambda outputs, batch: nn.functional.softplus(outputs[1] - outputs[0]).mean(),  # noqa: ARG005
        "popularity": lambda outputs, batch: (outputs[1] * known[batch[2]]).square().mean(),
    }
    train, validation, test = (_choices(chances, n, generator) for n in (9000, 2400, 2400))
    groups: dict[Split, Tensor] = {"validation": validation.tensors[0], "test": test.tensors[0]}
    task = Task(losses, train, validation, test, _forward, weights={"popularity": 0.05}, groups=groups)
    torch.manual_seed(seed)
    return trained(
        "recommender", Factors(), task, rate=1e-2, batch_size=256, epochs=30, patience=2, seed=seed
    )


def _choices(chances: Tensor, n: int, generator: torch.Generator) -> TensorDataset:
    """Who has chosen what, and an item that was not chosen then."""
    user = torch.randint(_USERS, (n,), generator=generator)
    chosen = torch.multinomial(chances[user], 1, generator=generator)[:, 0]
    return TensorDataset(user, chosen, torch.randint(_ITEMS, (n,), generator=generator))


def _forward(model: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
    user, chosen, other = batch
    return model(user, chosen), model(user, other)
