"""What the problems on real data share: a training recipe, and the losses and metrics of classification."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from paretonav.objectives import ModelProblem, differentiated
from paretonav.objectives.data import Batch, Source
from paretonav.objectives.model import Loss

Module = TypeVar("Module", bound=nn.Module)


class TrainedProblem(ModelProblem):
    """A model problem that brings its own training: Adam on the mean loss with a one-cycle learning rate.

    Args:
        model: in eval mode.
        losses: see ``ModelProblem``.
        train: see ``ModelProblem``.
        epochs: of the training.
        generator: of the order of the training's minibatches.
        learning_rate: the highest one.
        minibatch_size: of the training.
        options: the other arguments of ``ModelProblem``, but for ``weights``, which are equal in the mean loss.
    """

    def __init__(
        self,
        model: nn.Module,
        losses: Mapping[str, Loss],
        train: Source,
        *,
        epochs: int,
        generator: torch.Generator,
        learning_rate: float = 1e-2,
        minibatch_size: int = 256,
        **options: Any,
    ) -> None:
        super().__init__(model, losses, train, **options)
        self._epochs = epochs
        self._generator = generator
        self._learning_rate = learning_rate
        self._minibatch_size = minibatch_size
        self._trained = False

    @property
    def needs_training(self) -> bool:
        return not self._trained

    def train(self) -> Tensor:
        # Nothing of the problem changes before the end, so that a training that was stopped can be begun anew.
        generator = self._generator.clone_state()
        theta = self.parameters().requires_grad_()
        optimizer = torch.optim.Adam([theta], weight_decay=self.weight_decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer,
            max_lr=self._learning_rate,
            epochs=self._epochs,
            steps_per_epoch=-(-self._data["train"].size // self._minibatch_size),
        )
        for epoch in range(self._epochs):
            done, total = 0.0, torch.zeros(self.m, device=theta.device)
            for batch in self.minibatches(self._minibatch_size, generator):
                optimizer.zero_grad()
                with differentiated(batch, theta):
                    losses = batch.losses(batch.outputs(theta))
                    losses.mean().backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                schedule.step()
                done += batch.fraction
                total = total + batch.fraction * losses.detach()
                self.watch.saw(self.names, total / done)
                self.watch.at((epoch + done) / self._epochs)
            self.tally.count(forward_passes=1, gradient_passes=1)
        self._generator.set_state(generator.get_state())
        self.set_parameters(theta)
        self._trained = True
        return theta.detach()


def seeded(make: Callable[[], Module], seed: int) -> Module:
    """A model in eval mode whose first weights depend on the seed alone; torch's global state is left alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make().eval()


class CrossEntropy:
    """The loss of one of several tasks: logits [batch, tasks, classes], classes [batch, tasks] as batch[1]."""

    def __init__(self, task: int) -> None:
        self._task = task

    def __call__(self, logits: Tensor, batch: Batch) -> Tensor:
        return nn.functional.cross_entropy(logits[:, self._task], batch[1][:, self._task])


class Accuracy:
    """The share of right answers in one task; shapes as in ``CrossEntropy``."""

    def __init__(self, task: int) -> None:
        self._task = task

    def __call__(self, logits: Tensor, batch: Batch) -> Tensor:
        labels: Tensor = batch[1][:, self._task]
        return (logits[:, self._task].argmax(dim=1) == labels).double().mean()


class BinaryCrossEntropy:
    """The loss of one of several yes-or-no tasks: logits [batch, tasks], answers 0.0 or 1.0 likewise as batch[1]."""

    def __init__(self, task: int) -> None:
        self._task = task

    def __call__(self, logits: Tensor, batch: Batch) -> Tensor:
        return nn.functional.binary_cross_entropy_with_logits(logits[:, self._task], batch[1][:, self._task])


class BinaryAccuracy:
    """The share of right answers in one task; shapes as in ``BinaryCrossEntropy``."""

    def __init__(self, task: int) -> None:
        self._task = task

    def __call__(self, logits: Tensor, batch: Batch) -> Tensor:
        answers: Tensor = batch[1][:, self._task]
        return ((logits[:, self._task] > 0) == (answers > 0.5)).double().mean()
