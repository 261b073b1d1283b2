"""Training as it is usually done: minibatches, a weighted sum, early stopping on validation data."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, AdamW, Optimizer
from torch.utils.data import TensorDataset

from zoo.case import Batch, Case, Forward, Loss, MakeOptimizer, Split


def adam(parameters: Iterable[nn.Parameter], rate: float) -> Optimizer:
    """Adam as it comes."""
    return Adam(parameters, rate)


def adamw(parameters: Iterable[nn.Parameter], rate: float) -> Optimizer:
    """AdamW as it comes: with a weight decay of .01, which is decoupled and so no part of any loss."""
    return AdamW(parameters, rate)


def sgd(parameters: Iterable[nn.Parameter], rate: float) -> Optimizer:
    """SGD with momentum .9."""
    return SGD(parameters, rate, momentum=0.9)


@dataclass(frozen=True)
class Task:
    """What is trained on what; all that a ``Case`` has but the trained model.

    Attributes are those of ``Case``.
    """

    losses: Mapping[str, Loss]
    train: TensorDataset
    validation: TensorDataset
    test: TensorDataset
    forward: Forward = lambda model, batch: model(batch[0])
    weights: Mapping[str, float] = field(default_factory=dict)
    pooled: frozenset[str] = frozenset()
    brought: Mapping[str, Any] = field(default_factory=dict)
    groups: Mapping[Split, Tensor] = field(default_factory=dict)
    parameters: str | None = None

    def total(self, outputs: Any, batch: Batch) -> Tensor:
        """The weighted sum of the losses."""
        return weighted(self.losses, self.weights, outputs, batch)


def weighted(losses: Mapping[str, Loss], weights: Mapping[str, float], outputs: Any, batch: Batch) -> Tensor:
    """The weighted sum of the losses; a weight that is not given is 1."""
    return torch.stack([weights.get(name, 1.0) * loss(outputs, batch) for name, loss in losses.items()]).sum()


def minibatches(data: TensorDataset, size: int, generator: torch.Generator | None = None) -> Iterator[Batch]:
    """One pass over the data, shuffled if there is a generator.

    A last batch of a single example is left out of shuffled passes, as BatchNorm cannot train on it.
    """
    n = len(data)
    order = torch.arange(n) if generator is None else torch.randperm(n, generator=generator)
    for first in range(0, n, size):
        indices = order[first : first + size]
        if generator is None or len(indices) > 1 or n == 1:
            yield tuple(tensor[indices] for tensor in data.tensors)


def trained(
    name: str,
    model: nn.Module,
    task: Task,
    *,
    optimizer: MakeOptimizer = adam,
    rate: float = 1e-3,
    batch_size: int = 64,
    epochs: int = 100,
    patience: int | None = None,
    seed: int = 0,
) -> Case:
    """Train a model and hand it over in eval mode.

    Args:
        name: of the case.
        model: with fresh parameters; those that require no gradients stay as they are.
        task: its losses and data.
        optimizer: makes one.
        rate: the learning rate.
        batch_size: of the minibatches.
        epochs: at most, or exactly without ``patience``.
        patience: epochs without a better validation loss after which the best model so far is taken.
        seed: of the order of the examples.
    """
    began = time.process_time()
    steps = optimizer([p for p in model.parameters() if p.requires_grad], rate)
    generator = torch.Generator().manual_seed(seed)
    best, best_state, waited, done = math.inf, copy.deepcopy(model.state_dict()), 0, 0
    for done in range(1, epochs + 1):  # noqa: B007
        model.train()
        for batch in minibatches(task.train, batch_size, generator):
            steps.zero_grad()
            task.total(task.forward(model, batch), batch).backward()  # type: ignore[no-untyped-call]
            steps.step()
        if patience is None:
            continue
        now = validation_loss(model, task)
        if now < best:
            best, best_state, waited = now, copy.deepcopy(model.state_dict()), 0
        else:
            waited += 1
            if waited == patience:
                break
    if patience is not None:
        model.load_state_dict(best_state)
    return handed_over(
        name,
        model,
        task,
        optimizer=optimizer,
        rate=rate,
        batch_size=batch_size,
        seconds=time.process_time() - began,
        epochs=done,
    )


def validation_loss(model: nn.Module, task: Task) -> float:
    """The weighted sum on all validation data; leaves the model in eval mode."""
    model.eval()
    total = 0.0
    for batch in minibatches(task.validation, 1000):
        with torch.no_grad():
            total += len(batch[0]) * float(task.total(task.forward(model, batch), batch))
    return total / len(task.validation)


def handed_over(
    name: str,
    model: nn.Module,
    task: Task,
    *,
    optimizer: MakeOptimizer,
    rate: float,
    batch_size: int,
    seconds: float,
    epochs: float,
) -> Case:
    """The case of a model that has been trained; its gradients are dropped."""
    model.eval()
    model.zero_grad(set_to_none=True)
    return Case(
        name=name,
        model=model,
        losses=task.losses,
        train=task.train,
        validation=task.validation,
        test=task.test,
        forward=task.forward,
        weights={loss: task.weights.get(loss, 1.0) for loss in task.losses},
        optimizer=optimizer,
        rate=rate,
        batch_size=batch_size,
        seconds=seconds,
        epochs=epochs,
        pooled=task.pooled,
        brought=task.brought,
        groups=task.groups,
        parameters=task.parameters,
    )
