"""What the geometry and the steering need to know of the thing that is steered."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from types import MappingProxyType
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from paretonav.errors import NonFiniteError, ProblemError
from paretonav.objectives.cost import Cost, Tally
from paretonav.objectives.losses import Losses, Response
from paretonav.objectives.optimizers import OptimizerFactory
from paretonav.objectives.training_weights import equal_weights
from paretonav.objectives.watch import Watch
from paretonav.text import in_quotes

Split = Literal["train", "validation", "test"]


class Composite(NamedTuple):
    """A share of the data on which every objective is ``losses(outputs(theta))``.

    Gauss-Newton curvature linearises ``outputs`` and keeps the curvature of ``losses``. Where ``outputs`` is
    the identity it is the exact Hessian.

    Attributes:
        fraction: this share's weight; the fractions of a sample sum to one.
        outputs: Tensor[n] -> tuple of floating-point tensors of any shapes.
        losses: the tuple that ``outputs`` returned last, or one of the same shapes -> Tensor[m], means over
            this share.
        at_once: whether several backward passes may run as one, which takes the memory of as many.
        linear: the same as ``losses``, but for objectives that are functions of means over all the data the part that
            is linear in these means; None where there are no such objectives.
        shown: as ``linear``, but of what is shown where that is something else; None where it is not.
        apart: as ``losses``, but each by its name and with a graph of its own; None where they cannot be told apart.
        again: theta -> the context in which backward passes through what ``outputs`` made there may run parts of it
            again, as gradient checkpointing does; None where nothing is recomputed. ``differentiated`` enters it.
        forward_mode: whether outputs are best followed along directions in forward mode, see ``Linearised``.
    """

    fraction: float
    outputs: Callable[[Tensor], tuple[Tensor, ...]]
    losses: Callable[[tuple[Tensor, ...]], Tensor]
    at_once: bool = False
    linear: Callable[[tuple[Tensor, ...]], Tensor] | None = None
    shown: Callable[[tuple[Tensor, ...]], Tensor] | None = None
    apart: Callable[[tuple[Tensor, ...]], Mapping[str, Tensor]] | None = None
    again: Callable[[Tensor], AbstractContextManager[None]] | None = None
    forward_mode: bool = False

    @property
    def linearised(self) -> Composite:
        """Of means over examples only, so that curvature is a mean over them, too; the rest is ``Response.turn``."""
        return self if self.linear is None else self._replace(losses=self.linear, linear=None, shown=None)

    @property
    def as_shown(self) -> Composite:
        """The same of what is shown."""
        return self.linearised if self.shown is None else self.linearised._replace(losses=self.shown)


class Entry(NamedTuple):
    """A stretch of the parameter vector, as a state_dict has it.

    Attributes:
        names: in the state_dict; several where the parameter is tied.
        shape: of the tensor.
        dtype: of the tensor; the vector may have another one.
    """

    names: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: torch.dtype


class Bounds(NamedTuple):
    """Box bounds on the parameters, both [n]; an infinite entry is no bound."""

    lower: Tensor
    upper: Tensor

    def clamp(self, theta: Tensor) -> Tensor:
        """The nearest point inside the box."""
        return theta.clamp(self.lower, self.upper)


class Problem(ABC):
    """Several losses of one flat parameter vector, all of them minimised.

    The objectives whose front is explored are ``f_i(theta) = loss_i(theta) + weight_decay / 2 |theta|^2``;
    the losses that are shown are without the decay.

    None of the methods but ``set_parameters`` and ``train`` changes the current parameters. Losses and
    derivatives are returned as they are, finite or not, since a line search may want to step back from there;
    ``require_finite`` is for those who do not.

    Attributes:
        names: the objectives' names, in the order of every vector of length m.
        bounds: box bounds, or None.
        weight_decay: the coefficient of the quadratic term in every objective.
        watch: is told between batches how far a long operation is, and may stop it there.
        tally: counts what is spent.
        default_curvature: which curvature operator suits it, "exact" or "gauss-newton".
        has_validation: whether the split "validation" can be evaluated.
        has_test: the same of "test", by which nothing is ever chosen.
        stochastic: whether the losses are means over a sample of data, so that they have a sampling error.
        metric_names: of the metrics, which are shown for the validation data, or else for the training data.
        higher_is_better: metric name -> which way is better, for those of which it is known.
        optimizer: makes the optimizer that the model was trained with, from a list of tensors; None if that is unknown.
        absolute: the names of the losses and metrics that are absolute values, with a corner at zero.
    """

    names: tuple[str, ...]
    bounds: Bounds | None = None
    weight_decay: float = 0.0
    default_curvature: Literal["exact", "gauss-newton"] = "exact"
    has_validation: bool = False
    has_test: bool = False
    stochastic: bool = False
    metric_names: tuple[str, ...] = ()
    higher_is_better: Mapping[str, bool] = MappingProxyType({})
    optimizer: OptimizerFactory | None = None
    absolute: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.watch = Watch()
        self.tally = Tally(self.watch)

    @property
    def cost(self) -> Cost:
        """What has been spent on the problem so far."""
        return self.tally.cost

    @property
    def m(self) -> int:
        """The number of objectives."""
        return len(self.names)

    @property
    def processes(self) -> int:
        """Among how many processes passes over data are divided."""
        return 1

    @property
    def examples(self) -> int | None:
        """How many training examples there are; None for a function, which has no data."""
        return None

    @property
    def batch_size(self) -> int | None:
        """How many training examples a full pass reads at a time, at most; None for a function."""
        return None

    def share(self, split: Split = "train", batches: int | None = None) -> float:  # noqa: ARG002 - it has no parts
        """What a pass over a split reads, or one over about so many batches of it, in parts of the training data."""
        return 1.0

    @property
    def training_weights(self) -> Tensor:
        """[m], float64, sum one: of the losses in the sum that the model was trained on; equal if nothing is known."""
        return equal_weights(self.m)

    @property
    def comes_trained(self) -> bool:
        """Whether the parameters are those of a trained model, to be left where they are.

        A problem that brings a recipe for its training does not come trained, not even after the recipe was run: it is
        trained, and then polished until it is on the front. Neither does a function: it starts anywhere. The answer
        is the same for as long as the problem lives.
        """
        return False

    @abstractmethod
    def parameters(self) -> Tensor:
        """A copy of the current parameters, [n]."""

    @abstractmethod
    def set_parameters(self, theta: Tensor) -> None:
        """Make ``theta`` [n] the current parameters."""

    def changed_since(self, theta: Tensor) -> str | None:  # noqa: ARG002 - the default has nothing to compare
        """What somebody else has changed of the problem since ``set_parameters(theta)``, in words; None if nothing."""
        return None

    @abstractmethod
    def evaluate(self, theta: Tensor, split: Split = "train") -> Losses:
        """The losses at ``theta`` [n]; one forward pass, no graph."""

    @abstractmethod
    def jacobian(self, theta: Tensor, split: Split = "train") -> tuple[Losses, Tensor]:
        """The losses at ``theta`` [n] and their Jacobian [m, n], both without the weight decay."""

    def probe(
        self,
        points: Iterable[Tensor],
        split: Split = "train",
        batches: int | None = None,  # noqa: ARG002 - what has no batches is measured whole
        *,
        around: Tensor | None = None,  # noqa: ARG002 - then a part is the whole, too
    ) -> list[Losses]:
        """The losses and metrics at several points, paired batch by batch; a forward pass for each, no graph.

        Args:
            points: [n] each.
            split: on what.
            batches: measure on about so many batches, the same ones at every point, instead of all.
            around: [n], near the points. On a part of the data a function of means is another quantity than on all of
                them; with this, the means are taken to be those of all the data there, and to change from there as
                those of the part do.
        """
        return [self.evaluate(theta, split) for theta in points]

    def response(
        self,
        theta: Tensor,
        directions: Tensor,
        split: Split = "train",
        *,
        batches: int | None = None,  # noqa: ARG002 - what has no batches is measured whole
    ) -> tuple[Losses, Response]:
        """The derivatives of the objectives and the metrics shown for this split along directions.

        Of what has no derivative, such as an accuracy, that is zero.

        Args:
            theta: [n].
            directions: [k, n].
            split: on what.
            batches: measure on about so many batches instead of all.

        Returns:
            the losses on the same batches, and the response.
        """
        losses, jacobian = self.jacobian(theta, split)
        along = (jacobian @ directions.T).double().cpu()
        return losses, Response(along[None], torch.ones(1, dtype=torch.float64))

    @abstractmethod
    def curvature_sample(
        self, size: int | None = None, *, around: Tensor | None = None
    ) -> Sequence[Composite]:
        """Training examples for curvature; frozen: the same ones at every call.

        Args:
            size: about how many; None for all.
            around: [n], where curvature is wanted. What is a function of means is then taken around their values over
                all the data there; otherwise, around those of the sample.
        """

    @abstractmethod
    def minibatches(self, size: int, generator: torch.Generator) -> Iterable[Composite]:
        """One epoch of shuffled training batches of ``size`` examples; the caller counts their cost.

        ``fraction`` is each batch's share of the epoch.
        """

    @property
    def needs_training(self) -> bool:
        """Whether ``train`` has something to do."""
        return False

    def train(self) -> Tensor:
        """Run the problem's own recipe for a first model, if it has one, and return its parameters [n].

        It should tell ``watch`` how far it is. Where it is stopped or fails, the model is as it was before.
        """
        return self.parameters()

    @abstractmethod
    def state_dict(self, theta: Tensor) -> dict[str, Tensor]:
        """What to save of the model at ``theta`` [n], by name; may share memory with ``theta``."""

    @abstractmethod
    def layout(self) -> tuple[Entry, ...]:
        """Where the state_dict has the entries of theta [n], in the order of the vector."""

    def restore(self, fixed: Mapping[str, Tensor]) -> None:  # noqa: B027 - the default has nothing else
        """Set what a state_dict holds besides the parameters, so that a model becomes again what it was.

        Raises:
            ProblemError: that does not fit this model, which is as it was.
        """

    def objectives(self, losses: Tensor, theta: Tensor) -> Tensor:
        """What is steered by (``Losses.steered``, [m]) plus every objective's weight decay at ``theta`` [n]; [m]."""
        if self.weight_decay == 0:
            return losses
        return losses + 0.5 * self.weight_decay * float(theta.double() @ theta.double())

    def require_finite(self, losses: Tensor | Losses, where: str) -> None:
        """Raise ``NonFiniteError`` naming the first objective in ``losses`` that is not finite.

        Args:
            losses: [m], or batch by batch, in which case the first batch to blame is named, too, unless all are.
            where: the end of "objective 'a' is nan ...", such as "at x0".
        """
        require_all_finite(self.names, losses, where)


def require_all_finite(names: Sequence[str], losses: Tensor | Losses, where: str) -> None:
    """Raise ``NonFiniteError`` naming the first objective that is not finite; see ``Problem.require_finite``."""
    values = losses.mean if isinstance(losses, Losses) else losses
    for i, (name, value) in enumerate(zip(names, values.tolist(), strict=True)):
        if isinstance(losses, Losses) and not math.isfinite(value):
            finite = losses.batches[:, i].isfinite()
            if finite.any() and not finite.all():
                where = f"{where}, first in batch {int(finite.int().argmin()) + 1} of {len(finite)}"
        require_finite(name, value, where)


def require_finite(name: str, value: float, where: str) -> None:
    """Raise ``NonFiniteError`` naming objective ``name`` unless ``value`` is finite."""
    if not math.isfinite(value):
        raise NonFiniteError(
            f"objective {in_quotes(name)} is {value} {where}; look for a division by zero (a group "
            "without examples), a log of zero, data that are not finite, or a learning rate that is too high"
        )


def check_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return the objectives' names as a tuple if there are two or more, all different and none empty."""
    if isinstance(names, str):
        raise ProblemError(f"names={names!r} is one string; give a list with one name per objective")
    names = tuple(names)
    if len(names) < 2:
        raise ProblemError(
            f"{len(names)} objective{'' if len(names) == 1 else 's'} given; a trade-off needs at least 2 "
            "(add a loss, or minimise the one directly)"
        )
    for name in names:
        if not isinstance(name, str) or not name:
            raise ProblemError(f"{name!r} is not a name; give every objective a non-empty string")
        if names.count(name) > 1:
            raise ProblemError(
                f"the objective name {in_quotes(name)} is used {names.count(name)} times; names must differ"
            )
    return names
