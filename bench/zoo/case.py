"""What somebody who has trained a model has in hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.data import TensorDataset

Batch = tuple[Tensor, ...]
Loss = Callable[[Any, Batch], Tensor]
Forward = Callable[[nn.Module, Batch], Any]
MakeOptimizer = Callable[[Iterable[nn.Parameter], float], Optimizer]
Split = Literal["train", "validation", "test"]
NOT_TRAINED_ON: tuple[Split, ...] = ("validation", "test")
SPLITS: tuple[Split, ...] = ("train", *NOT_TRAINED_ON)


@dataclass(frozen=True, eq=False)
class Case:
    """A trained model with all that it was trained with.

    Attributes:
        name: of its kind.
        model: trained, in eval mode.
        losses: name -> ``(outputs, batch) -> scalar``; what the library gets, too, but for those in ``brought``.
        train: the training data.
        validation: what early stopping saw, if there was any.
        test: what nobody saw.
        forward: ``(model, batch) -> outputs``.
        weights: name -> weight in the sum that was minimised.
        optimizer: ``(parameters, learning rate) -> optimizer``, as in the training.
        rate: its last learning rate.
        batch_size: of the training.
        seconds: that the training took, of CPU.
        epochs: that the training took.
        weight_decay: of the optimizer, where it is the same as a penalty.
        pooled: the names of losses that are no means over examples, but functions of all of a split's outputs.
        brought: name -> what the library gets in the place of a pooled loss.
        groups: split -> one label per example; those with the same one belong together. Empty: each is its own.
        parameters: pattern of the parameters that were trained; None for all.
    """

    name: str
    model: nn.Module
    losses: Mapping[str, Loss]
    train: TensorDataset
    validation: TensorDataset
    test: TensorDataset
    forward: Forward
    weights: Mapping[str, float]
    optimizer: MakeOptimizer
    rate: float
    batch_size: int
    seconds: float
    epochs: float
    weight_decay: float = 0.0
    pooled: frozenset[str] = frozenset()
    brought: Mapping[str, Any] = field(default_factory=dict)
    groups: Mapping[Split, Tensor] = field(default_factory=dict)
    parameters: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Of the losses."""
        return tuple(self.losses)

    def data(self, split: Split) -> TensorDataset:
        """The data of a split."""
        return {"train": self.train, "validation": self.validation, "test": self.test}[split]
