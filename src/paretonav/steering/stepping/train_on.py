"""Further training at the weights that a model was trained with, ended by validation data."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.optim import Optimizer

from paretonav.errors import ProblemError
from paretonav.objectives import Losses, Problem, Split
from paretonav.objectives.optimizers import OptimizerFactory, adam, optimizer_for, require_factory
from paretonav.steering.stepping.correctors.minibatch import batch_losses_and_gradient
from paretonav.steering.stepping.settings import require_integers

_DESCENT = 0.8  # of an epoch; the rest is for measuring


@dataclass(frozen=True, kw_only=True)
class TrainOn:
    """How a model is trained on: descent by minibatches on the weighted sum of its losses, stopped early.

    After each epoch the losses are measured on the validation data (on the training data where there are none). Kept is
    what has the least weighted sum there, the model as it came included: one that gains nothing stays as it is, bit
    for bit.

    BatchNorm and dropout stay in eval mode, as in everything else here: running statistics are those of the earlier
    training, and nothing is dropped.

    Args:
        optimizer: makes one from a list of parameters; None for the problem's (``ModelProblem(optimizer=...)``), or, if
            there is none, Adam with a learning rate of 1e-3. Where the problem has weight decay, that takes the place
            of the optimizer's own, so that none counts twice.
        learning_rate_factor: on the learning rates of what ``optimizer`` makes. A tenth by default, since a model that
            comes trained is thrown off by the rates that it began with: 1e-4 for Adam as above.
        epochs: at most.
        batch_size: of the minibatches.
        patience: stop after as many epochs in a row without improvement.
        seed: of the batches' order.

    Raises:
        ProblemError: an argument is out of range.

    Example:
        >>> TrainOn(optimizer=lambda parameters: torch.optim.SGD(parameters, lr=1e-2, momentum=0.9), epochs=5).patience
        2
    """

    optimizer: OptimizerFactory | None = None
    learning_rate_factor: float = 0.1
    epochs: int = 20
    batch_size: int = 256
    patience: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        if self.optimizer is not None:
            require_factory(self.optimizer)
        require_integers(self, epochs=1, batch_size=1, patience=1, seed=0)
        factor = self.learning_rate_factor
        if not isinstance(factor, int | float) or isinstance(factor, bool) or not 0 < factor < math.inf:
            raise ProblemError(f"learning_rate_factor={factor!r} is not possible; give a positive number")


@dataclass(frozen=True, eq=False)
class Trained:
    """What training on has come to.

    Attributes:
        theta: the parameters that are kept, [n].
        before: the losses at the start, on the split that decides.
        losses: those at ``theta``.
        on: that split.
        values: the weighted sum there at the start and after every epoch.
        kept: after which epoch ``theta`` was; 0 for the start.
    """

    theta: Tensor
    before: Losses
    losses: Losses
    on: Split
    values: tuple[float, ...]
    kept: int

    @property
    def epochs(self) -> int:
        """How many were run."""
        return len(self.values) - 1


def train_on(problem: Problem, weights: Tensor, how: TrainOn) -> Trained:
    """Train the problem's current model on, without writing its parameters.

    What is descended is ``sum_i w_i (f_i + weight_decay / 2 |theta|^2)``. Validation data decide by the losses alone;
    training data by the objectives, decay included, which then is all that speaks for unseen data.

    Args:
        problem: with training data.
        weights: w, [m], float64.
        how: see ``TrainOn``.

    Raises:
        ProblemError: the optimizer does not fit.
        NonFiniteError: a loss or a gradient is not finite on the way; names it.
        Cancelled: that was asked of the problem's watch.
    """
    on: Split = "validation" if problem.has_validation else "train"
    theta = problem.parameters()
    moving = theta.clone().requires_grad_()
    optimizer = _optimizer(problem, moving, how)
    generator = torch.Generator().manual_seed(how.seed)

    def measured(where: str) -> tuple[Losses, float]:
        here = moving.detach()
        losses = problem.evaluate(here, on)
        problem.require_finite(losses, where)
        objectives = losses.mean if problem.has_validation else problem.objectives(losses.mean, here)
        return losses, float(weights @ objectives)

    first = 1 - _DESCENT  # what is measured before the first epoch, in epochs
    with problem.watch.part(first / (first + how.epochs), passes=1):
        before, value = measured(f"on the {on} data, before training on")
    kept, losses, values = 0, before, [value]
    for epoch in range(1, how.epochs + 1):
        with problem.watch.part((first + epoch) / (first + how.epochs), passes=1):
            _epoch(problem, moving, weights, how.batch_size, optimizer, generator, epoch)
            found, value = measured(f"on the {on} data, after epoch {epoch} of training on")
        if value < min(values):
            theta, losses, kept = moving.detach().clone(), found, epoch
        values.append(value)
        if epoch - kept >= how.patience:
            break
    return Trained(theta, before, losses, on, tuple(values), kept)


def _epoch(
    problem: Problem,
    theta: Tensor,
    weights: Tensor,
    batch_size: int,
    optimizer: Optimizer,
    generator: torch.Generator,
    epoch: int,
) -> None:
    """Move ``theta``, the optimizer's own tensor, once through the data."""
    decay = problem.weight_decay * float(weights.sum())
    done, total = 0.0, torch.zeros(problem.m, dtype=torch.float64)
    for number, batch in enumerate(problem.minibatches(batch_size, generator), 1):
        here = theta.detach()
        where = f"on batch {number} of epoch {epoch} of training on"
        losses, gradient = batch_losses_and_gradient(problem, batch, here, weights, where)
        theta.grad = gradient + decay * here if decay else gradient
        optimizer.step()
        if problem.bounds is not None:
            with torch.no_grad():
                theta.copy_(problem.bounds.clamp(theta))
        done += batch.fraction
        total += batch.fraction * losses.double().cpu()
        problem.watch.saw(problem.names, total / done)
        problem.watch.at(_DESCENT * done)


def _optimizer(problem: Problem, theta: Tensor, how: TrainOn) -> Optimizer:
    make: Callable[[list[Tensor]], Optimizer] = how.optimizer or problem.optimizer or adam
    made = optimizer_for(make, theta)
    for group in made.param_groups:
        if "lr" in group:
            group["lr"] = how.learning_rate_factor * group["lr"]
        elif how.learning_rate_factor != 1:
            raise ProblemError(
                f"optimizer made a {type(made).__name__} without a learning rate, the 'lr' of its groups, to scale; "
                "set learning_rate_factor=1"
            )
        if problem.weight_decay > 0 and "weight_decay" in group:
            group["weight_decay"] = 0.0
    return made
