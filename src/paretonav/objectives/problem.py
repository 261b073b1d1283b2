"""What the geometry and the steering need to know of the thing that is steered."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Literal, NamedTuple, Self

import torch
from torch import Tensor

from paretonav.errors import NonFiniteError, ProblemError

Split = Literal["train", "validation"]
Progress = Callable[[str, float], None]
"""Called with the name of the phase under way and the fraction of it that is done."""


@dataclass
class Cost:
    """What was spent, counted where it is spent.

    A pass is one over the whole training set; a pass over a part of it, or over validation data, counts as
    the fraction of the training set that it reads.

    Attributes:
        forward_passes: evaluations of all objectives.
        gradient_passes: backward passes of one scalar; a Jacobian of m objectives costs m.
        hessian_products: curvature-vector products, each on the frozen curvature sample.
        seconds: wall-clock time, filled in by who measures it.
    """

    forward_passes: float = 0.0
    gradient_passes: float = 0.0
    hessian_products: int = 0
    seconds: float = 0.0

    def __sub__(self, other: Self) -> Self:
        return type(self)(*(getattr(self, f.name) - getattr(other, f.name) for f in fields(self)))

    def add(self, other: Self) -> None:
        """Add ``other`` to this, in place."""
        for f in fields(self):
            setattr(self, f.name, getattr(self, f.name) + getattr(other, f.name))


@dataclass(frozen=True)
class Losses:
    """The objectives at one point, kept batch by batch so that changes have a standard error.

    Attributes:
        batches: [b, m], each objective's mean over each batch.
        fractions: [b], each batch's share of the data; they sum to one.
        metrics: further numbers from the same pass, by name.
    """

    batches: Tensor
    fractions: Tensor
    metrics: Mapping[str, float] = field(default_factory=dict)

    @property
    def mean(self) -> Tensor:
        """[m], the objectives over all the data, in float64 on the CPU."""
        return self.fractions @ self.batches

    def change_from(self, before: Losses) -> tuple[Tensor, Tensor | None]:
        """The change since ``before`` and its standard error from paired per-batch differences, both [m].

        The standard error treats batches as independent draws, b / (b - 1) corrected; it is None with fewer
        than four batches, and for a deterministic function, which has no sampling error at all.
        """
        change = self.mean - before.mean
        if len(self.fractions) < 4 or self.batches.shape != before.batches.shape:
            return change, None
        b = len(self.fractions)
        deviations = self.batches - before.batches - change
        return change, ((self.fractions**2) @ deviations**2 * b / (b - 1)).sqrt()


class Composite(NamedTuple):
    """A share of the data on which every objective is ``losses(outputs(theta))``.

    Gauss-Newton curvature linearises ``outputs`` and keeps the curvature of ``losses``. Where ``outputs`` is
    the identity it is the exact Hessian.

    Attributes:
        fraction: this share's weight; the fractions of a sample sum to one.
        outputs: Tensor[n] -> tuple of tensors of any shape.
        losses: that tuple -> Tensor[m], means over this share.
    """

    fraction: float
    outputs: Callable[[Tensor], tuple[Tensor, ...]]
    losses: Callable[[tuple[Tensor, ...]], Tensor]


class Bounds(NamedTuple):
    """Box bounds on the parameters, both [n]; an infinite entry is no bound."""

    lower: Tensor
    upper: Tensor

    def clamp(self, theta: Tensor) -> Tensor:
        """The nearest point inside the box."""
        return theta.clamp(self.lower, self.upper)


class Problem(ABC):
    """Several losses of one flat parameter vector, all of them minimised.

    The objectives whose front is explored are ``f_i(theta) = loss_i(theta) + weight_decay / 2 |theta|^2``; the
    losses that are shown are without the decay.

    Attributes:
        names: the objectives' names, in the order of every vector of length m.
        bounds: box bounds, or None.
        weight_decay: the coefficient of the quadratic term in every objective.
        cost: what this problem has spent so far.
        default_curvature: which curvature operator suits it, "exact" or "gauss-newton".
    """

    names: tuple[str, ...]
    bounds: Bounds | None = None
    weight_decay: float = 0.0
    default_curvature: Literal["exact", "gauss-newton"] = "exact"
    has_validation: bool = False
    stochastic: bool = False

    def __init__(self) -> None:
        self.cost = Cost()

    @property
    def m(self) -> int:
        """The number of objectives."""
        return len(self.names)

    @abstractmethod
    def parameters(self) -> Tensor:
        """A copy of the current parameters, [n]."""

    @abstractmethod
    def set_parameters(self, theta: Tensor) -> None:
        """Make ``theta`` the current parameters."""

    @abstractmethod
    def evaluate(self, theta: Tensor, split: Split = "train") -> Losses:
        """The losses at ``theta``; one forward pass, no graph."""

    @abstractmethod
    def jacobian(self, theta: Tensor, split: Split = "train") -> tuple[Losses, Tensor]:
        """The losses and their Jacobian [m, n], without the weight decay."""

    @abstractmethod
    def curvature_sample(self, size: int | None = None) -> Sequence[Composite]:
        """About ``size`` training examples (None: all) to measure curvature on; frozen: the same at every call."""

    @abstractmethod
    def minibatches(self, size: int, generator: torch.Generator) -> Iterable[Composite]:
        """One epoch of shuffled training batches; ``fraction`` is each batch's share of the epoch."""

    @property
    def needs_training(self) -> bool:
        """Whether ``train`` has something to do."""
        return False

    def train(self, progress: Progress | None = None) -> Tensor:  # noqa: ARG002 - the default has nothing to do
        """Run the problem's own recipe for a first model, where it has one, and return its parameters [n]."""
        return self.parameters()

    @abstractmethod
    def state_dict(self, theta: Tensor) -> dict[str, Tensor]:
        """What to save of the model at ``theta``, by name."""

    def objectives(self, losses: Tensor, theta: Tensor) -> Tensor:
        """The losses [m] plus the weight decay that every objective carries."""
        if self.weight_decay == 0:
            return losses
        return losses + 0.5 * self.weight_decay * float(theta.double() @ theta.double())

    def require_finite(self, losses: Tensor, where: str) -> None:
        """Raise ``NonFiniteError`` naming the first objective in ``losses`` [m] that is not finite."""
        for name, value in zip(self.names, losses.tolist(), strict=True):
            require_finite(name, value, where)


def require_finite(name: str, value: float, where: str) -> None:
    """Raise ``NonFiniteError`` naming objective ``name`` unless ``value`` is finite."""
    if not math.isfinite(value):
        raise NonFiniteError(
            f"objective {name!r} is {value} {where}; look for a division by zero, a log of zero or a learning "
            "rate that is too high"
        )


def check_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return the objectives' names as a tuple if there are two or more, all different and none empty."""
    names = tuple(names)
    if len(names) < 2:
        raise ProblemError(
            f"{len(names)} objective given; a trade-off needs at least 2 (add a loss, or minimise the one directly)"
        )
    for name in names:
        if not isinstance(name, str) or not name:
            raise ProblemError(f"{name!r} is not a name; give every objective a non-empty string")
        if names.count(name) > 1:
            raise ProblemError(f"the objective name {name!r} is used {names.count(name)} times; names must differ")
    return names
