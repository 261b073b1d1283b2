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
from paretonav.statistics import standard_error
from paretonav.steering.stepping.correctors.minibatch import batch_losses_and_gradient
from paretonav.steering.stepping.settings import require_integers

_MEASURED = 0.2  # of an epoch: what measuring takes
CLEAR = 2.0  # standard errors of the weighted sum, for training on to pay
WORTH = 0.005  # of the weighted sum, likewise
_GROWTH = (
    1,
    2,
    4,
)  # times the first round; most models of the zoo gain more in four times than in one or two
_BATCHES, _BATCH = 32, (16, 256)  # minibatches of an epoch, and their least and largest size: as people train


@dataclass(frozen=True, kw_only=True)
class TrainOn:
    """How a model is trained on: descent by minibatches on the weighted sum of its losses, at a falling rate.

    It goes in rounds. In each, the rate begins at the optimizer's own, which may throw a trained model off at first,
    and falls to zero, which brings it back: that finds more than a small rate does (bench/training_on.py). Then the
    losses are measured on the validation data (on the training data where there are none). A round whose end has a
    lower weighted sum there than its beginning is kept, any other is taken back: so a model that gains nothing stays as
    it is, bit for bit. Rounds are short at first, for models that soon learn by heart, and twice as long each time, up
    to four times; then another one begins as long as that pays.

    Ends of rounds alone are looked at. The epoch that is best on the validation data is so by chance, too: its losses
    on other data are higher than they look, and whatever comes after it seems to cost something.

    BatchNorm and dropout stay in eval mode, as in everything else here: running statistics are those of the earlier
    training, and nothing is dropped.

    Args:
        optimizer: makes one from a list of parameters; None for the problem's (``ModelProblem(optimizer=...)``), or, if
            there is none, Adam with a learning rate of 1e-3. Where the problem has weight decay, that takes the place
            of the optimizer's own, so that none counts twice.
        learning_rate_factor: on the learning rates of what ``optimizer`` makes, at the beginning; they fall linearly to
            zero over the epochs of a round.
        epochs: of the first round; the second has twice as many, and all that follow four times as many.
        rounds: at most; another one begins where the last one that was kept has come to, at the full rate again. After
            the third it does so only if the last one paid (see ``TrainingGain.pays``), which only validation data can
            say: where there are none, there is one round.
        batch_size: of the minibatches; None for a 32nd of the examples, but from 16 to 256.
        seed: of the batches' order.

    Raises:
        ProblemError: an argument is out of range.

    Example:
        >>> TrainOn(optimizer=lambda parameters: torch.optim.SGD(parameters, lr=1e-2, momentum=0.9), epochs=5).epochs
        5
    """

    optimizer: OptimizerFactory | None = None
    learning_rate_factor: float = 1.0
    epochs: int = 5
    rounds: int = 10
    batch_size: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.optimizer is not None:
            require_factory(self.optimizer)
        given = {} if self.batch_size is None else {"batch_size": 1}
        require_integers(self, epochs=1, rounds=1, seed=0, **given)
        factor = self.learning_rate_factor
        if not isinstance(factor, int | float) or isinstance(factor, bool) or not 0 < factor < math.inf:
            raise ProblemError(f"learning_rate_factor={factor!r} is not possible; give a positive number")

    def length(self, number: int) -> int:
        """The epochs of a round, of which the first is number 0."""
        return self.epochs * _GROWTH[min(number, len(_GROWTH) - 1)]

    def batch_size_for(self, examples: int) -> int:
        """That of the minibatches of as many examples."""
        return self.batch_size or max(_BATCH[0], min(_BATCH[1], examples // _BATCHES))


@dataclass(frozen=True, eq=False)
class Trained:
    """What training on has come to.

    Attributes:
        theta: the parameters that are kept, [n].
        before: the losses at the start, on the split that decides.
        losses: those at ``theta``.
        on: that split.
        sum_before: the weighted sum there, at the start.
        sum: that at ``theta``.
        epochs: how many were run, of all rounds.
        kept: after which of them ``theta`` was; 0 for the start.
    """

    theta: Tensor
    before: Losses
    losses: Losses
    on: Split
    sum_before: float
    sum: float
    epochs: int
    kept: int


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
    generator = torch.Generator().manual_seed(how.seed)
    theta = problem.parameters()
    rounds = [how.length(number) for number in range(how.rounds if on == "validation" else 1)]
    whole = sum(rounds) + (len(rounds) + 1) * _MEASURED
    with problem.watch.part(_MEASURED / whole, passes=1):
        before, first = _measured(problem, theta, on, weights, "before training on")
    losses, least, epochs, kept = before, first, 0, 0
    for number, length in enumerate(rounds, 1):
        moving = theta.clone().requires_grad_()
        descent = _Descent.of(problem, moving, weights, how, length, generator)
        for epoch in range(1, length + 1):
            epochs += 1
            with problem.watch.part((number * _MEASURED + epochs) / whole, passes=1):
                descent.epoch(epoch, epochs)
        with problem.watch.part(((number + 1) * _MEASURED + epochs) / whole, passes=1):
            where = f"after epoch {epochs} of training on"
            found, value = _measured(problem, moving.detach(), on, weights, where)
        paid = pays(value - least, change_error(losses, found, weights), least)
        if value < least:
            theta, losses, least, kept = moving.detach(), found, value, epochs
        if number >= len(_GROWTH) and not paid:
            break
    return Trained(theta, before, losses, on, first, least, epochs, kept)


def pays(total: float, error: float | None, before: float) -> bool | None:
    """Whether a change of the weighted sum is a gain beyond doubt: of more than 2 standard errors and 0.5 % of it.

    Args:
        total: the change; negative is better.
        error: its standard error; the answer is None without.
        before: the sum before it.
    """
    return None if error is None else -total > max(CLEAR * error, WORTH * abs(before))


def change_error(before: Losses, after: Losses, weights: Tensor) -> float | None:
    """The standard error of the change of the weighted sum [m], from the batches, in which the losses vary together."""
    error = standard_error(after.fractions, (after.batches - before.batches) @ weights)
    return None if error is None else float(error)


def _measured(
    problem: Problem, theta: Tensor, on: Split, weights: Tensor, where: str
) -> tuple[Losses, float]:
    """The losses, and the weighted sum that decides: of the objectives, decay included, where it is training data."""
    losses = problem.evaluate(theta, on)
    problem.require_finite(losses, f"on the {on} data, {where}")
    objectives = losses.mean if problem.has_validation else problem.objectives(losses.mean, theta)
    return losses, float(weights @ objectives)


@dataclass(frozen=True, eq=False)
class _Descent:
    """The epochs of a training.

    Attributes:
        problem: with the data.
        theta: what is moved, the optimizer's own tensor.
        weights: of the losses, [m].
        how: all is done.
        length: of the descent, in epochs.
        optimizer: at the rates of the beginning.
        rates: these, one for each of its groups; None for one that has none.
        generator: of the batches' order.
    """

    problem: Problem
    theta: Tensor
    weights: Tensor
    how: TrainOn
    length: int
    optimizer: Optimizer
    rates: tuple[float | None, ...]
    generator: torch.Generator

    @classmethod
    def of(
        cls,
        problem: Problem,
        theta: Tensor,
        weights: Tensor,
        how: TrainOn,
        length: int,
        generator: torch.Generator,
    ) -> _Descent:
        """With an optimizer of ``theta``."""
        optimizer = _optimizer(problem, theta, how)
        rates = tuple(group.get("lr") for group in optimizer.param_groups)
        return cls(problem, theta, weights, how, length, optimizer, rates, generator)

    def epoch(self, number: int, called: int) -> None:
        """Move ``theta`` once through the data: epoch ``number`` of this descent, which messages ``called`` tell of."""
        problem, theta, weights = self.problem, self.theta, self.weights
        decay = problem.weight_decay * float(weights.sum())
        size = self.how.batch_size_for(problem.examples or 1)
        done, total = 0.0, torch.zeros(problem.m, dtype=torch.float64)
        for place, batch in enumerate(problem.minibatches(size, self.generator), 1):
            here = theta.detach()
            where = f"on batch {place} of epoch {called} of training on"
            losses, gradient = batch_losses_and_gradient(problem, batch, here, weights, where)
            theta.grad = gradient + decay * here if decay else gradient
            self._slow_down((number - 1 + done) / self.length)
            self.optimizer.step()
            if problem.bounds is not None:
                with torch.no_grad():
                    theta.copy_(problem.bounds.clamp(theta))
            done += batch.fraction
            total += batch.fraction * losses.double().cpu()
            problem.watch.saw(problem.names, total / done)
            problem.watch.at(done)

    def _slow_down(self, done: float) -> None:
        """Set the rates to what is left of them when a part of the descent is ``done``."""
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            if rate is not None:
                group["lr"] = rate * (1 - done)


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
