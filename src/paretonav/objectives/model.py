"""Objectives given as losses of a PyTorch module on data."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from paretonav.errors import ParetonavError, ProblemError
from paretonav.objectives import bystanders, trees
from paretonav.objectives.aggregate import Aggregate
from paretonav.objectives.averaged import halves
from paretonav.objectives.checks import depends_on, functions, require_deterministic
from paretonav.objectives.collected import Collected, Parts, measured
from paretonav.objectives.data import Batch, Data, Source
from paretonav.objectives.differentiated import differentiated
from paretonav.objectives.followed import is_bent, is_transposed, require_derivatives
from paretonav.objectives.forward import Forward, Outputs, StatelessModel
from paretonav.objectives.gradients import BatchGradients, rows_apart, whole_rows, worth_it
from paretonav.objectives.groups import Labels
from paretonav.objectives.losses import Losses, Response
from paretonav.objectives.metric import Metric
from paretonav.objectives.modes import recorded, variable
from paretonav.objectives.observed import Observed
from paretonav.objectives.optimizers import OptimizerFactory, optimizer_for, require_factory
from paretonav.objectives.outputs import Join, detached, divided
from paretonav.objectives.parameters import FlatParameters, plain_name, some_of
from paretonav.objectives.penalty import Penalty
from paretonav.objectives.place import Place, version
from paretonav.objectives.problem import Composite, Entry, Problem, Split, check_names, require_finite
from paretonav.objectives.pushforward import Pushforward
from paretonav.objectives.quantities import Quantities
from paretonav.objectives.randomness import random_module
from paretonav.objectives.splits import splits, unlike
from paretonav.objectives.supported import (
    require_dense,
    require_gradients,
    require_supported,
    unchanged_buffers,
)
from paretonav.objectives.training_weights import training_weights
from paretonav.objectives.untouched import copied, same, versions, written
from paretonav.objectives.whereabouts import Whereabouts, explained

logger = logging.getLogger(__name__)

Loss = Callable[[Outputs, Batch], Tensor] | Aggregate | Penalty
AnyMetric = Callable[[Outputs, Batch], Tensor | float] | Metric | Aggregate | Penalty

_WRITES = (
    "writes into the steered parameters when it is called, and so into the vector that was given; let it compute "
    "with a changed copy (weight = self.weight.clamp(-1, 1)) instead"
)


class ModelProblem(Problem):
    """Several losses of one module, steered through all or some of its parameters.

    The model is neither copied nor put in another mode; its parameters are written only when a point is
    accepted. Each objective is the mean over the data of a loss that is itself a mean over a batch, plus
    ``weight_decay / 2 * |theta|^2``; the losses that are shown are without that term.

    Batches count by their numbers of examples, so that the mean over the data is exact. Full passes read a
    shuffling loader in order, to the last example. A loss that sets the examples of a batch against each
    other (a contrastive loss) is taken on the batches as they are read; a batch sampler fixes them.

    What of a model works, and what is refused and why, is in docs/models.md.

    Args:
        model: in eval mode if it has dropout or BatchNorm.
        losses: name -> ``(outputs, batch) -> scalar``, the mean over the batch. What depends on the
            parameters must come from ``outputs``: the model itself does not have the steered values by then.
            An objective that is not such a mean is an ``Aggregate`` (a gap between groups, the worst group) or a
            ``Penalty`` on the parameters.
        train: a DataLoader, or a Dataset (read in batches of ``batch_size``), without random augmentation.
        validation: the same, on which every change is shown as well. From 32 examples on it is read in at least twelve
            batches, between which changes have a standard error, unless its batches are fixed (a batch sampler,
            ``batch_size=None``, a stream); with fewer examples, or fewer than four batches, that is unknown.
        metrics: name -> ``(outputs, batch) -> number``, averaged over the validation data (the training data
            if there is none), or an ``Aggregate`` or ``Penalty``. Wrapped as ``Metric`` it can be asked for by
            ``Improve``.
        parameters: names or patterns of the parameters to steer; by default all that require grad.
        weight_decay: the coefficient that the model was, or is to be, trained with.
        test: data for ``evaluate(theta, "test")`` alone, read as validation data are: nothing is ever chosen by it.
        forward: ``(model, batch) -> outputs``, tensors in any nesting of tuples, dicts, dataclasses and what
            Hugging Face models return; by default ``model(batch[0])``, or ``model(batch)`` where the batch is a
            tensor. It should return what the losses need and no more.
        optimizer: makes the optimizer that the model was trained with, by which it can be trained on (``TrainOn``), for
            example ``lambda parameters: torch.optim.SGD(parameters, 1e-2, momentum=0.9)``. The list that it is called
            with has one vector, which holds all steered parameters.
        autocast: torch.bfloat16 to run all passes but those for curvature under torch.autocast.
        batch_size: how many examples of a Dataset are read at a time in full passes, at most.
        seed: of the frozen curvature sample.
        weights: name -> weight of every loss in the sum that the model was trained on, at any scale; equal by default.
        groups: which validation examples belong together (overlays of the same scans, windows of one series, sentences
            of one text): one label per example, equal within a group, in the order of a full pass; or split -> labels.
            Standard errors are then those of a mean over independent groups, and unknown for fewer than four.

    Raises:
        ProblemError: naming what is wrong and the remedy. The first batch of each split is tried out.
        NonFiniteError: a loss is not finite on the first batch.

    Example:
        >>> import torch
        >>> from paretonav import ModelProblem
        >>> data = torch.utils.data.TensorDataset(torch.tensor([[0.0], [1.0], [2.0]]))
        >>> model = torch.nn.Linear(1, 1, bias=False)
        >>> problem = ModelProblem(
        ...     model,
        ...     losses={
        ...         "far from 1": lambda outputs, batch: (outputs - 1).square().mean(),
        ...         "far from 2": lambda outputs, batch: (outputs - 2).square().mean(),
        ...     },
        ...     train=data,
        ... )
        >>> losses, jacobian = problem.jacobian(torch.tensor([0.0]))
        >>> losses.mean.tolist(), jacobian.tolist()
        ([1.0, 4.0], [[-2.0], [-4.0]])
    """

    default_curvature = "gauss-newton"
    stochastic = True

    def __init__(
        self,
        model: nn.Module,
        losses: Mapping[str, Loss],
        train: Source,
        validation: Source | None = None,
        metrics: Mapping[str, AnyMetric] | None = None,
        parameters: str | Sequence[str] | None = None,
        weight_decay: float = 0.0,
        *,
        test: Source | None = None,
        forward: Forward | None = None,
        optimizer: OptimizerFactory | None = None,
        autocast: torch.dtype | None = None,
        batch_size: int = 512,
        seed: int = 0,
        weights: Mapping[str, float] | None = None,
        groups: Labels | None = None,
    ) -> None:
        super().__init__()
        if not isinstance(model, nn.Module):
            raise ProblemError(f"model must be a torch.nn.Module, not {type(model).__name__}")
        given, shown = functions("losses", losses), functions("metrics", {} if metrics is None else metrics)
        self.names = check_names(list(given))
        for name in given.keys() & shown.keys():
            raise ProblemError(f"{name!r} is the name of a loss and of a metric; rename one")
        self._losses, self._metrics = Quantities(given), Quantities(shown, metrics=True)
        for name, f in given.items():
            if isinstance(f, Metric) and f.higher_is_better:
                raise ProblemError(
                    f"loss {name!r} is a Metric of which higher is better, but losses are minimised; turn its sign"
                )
        self.metric_names = self._metrics.names
        self.means = self._losses.plain
        self.absolute = self._losses.absolute + self._metrics.absolute
        self.higher_is_better = {
            name: better
            for name, f in shown.items()
            if (better := getattr(f, "higher_is_better", None)) is not None
        }
        if not isinstance(weight_decay, int | float) or not 0 <= weight_decay < math.inf:
            raise ProblemError(f"weight_decay={weight_decay!r}; it must be zero or a positive number")
        require_supported(model)
        self.model = model
        self.weight_decay = float(weight_decay)
        self._flat = FlatParameters(model, parameters)
        require_dense(model, self._flat.tensors)
        if optimizer is not None:
            require_factory(optimizer)
            optimizer_for(optimizer, self.parameters()[:1].requires_grad_())
            self.optimizer = optimizer
        self._stateless = StatelessModel(model, self._flat, forward, autocast)
        self._seed = seed
        self._pushforward = Pushforward()
        self._whereabouts = Whereabouts()
        self._known: dict[Split, tuple[Place, list[Tensor]]] = {}  # the latest means of the losses' parts
        self._gradients: BatchGradients | None = None  # of the latest Jacobian on training data
        self._apart = False  # whether these are of parts
        self._bystanders: bystanders.State = {}  # as they were at the latest pass
        self._left: bystanders.State | None = None  # as they were when the parameters were last set
        self._half = autocast is not None
        self._curvature_known = False  # whether autograd can follow it
        self._samples: dict[int, Sequence[tuple[Batch, int]]] = {}
        self._weights = training_weights(weights, self.names)
        sources: dict[Split, Source | None] = {"train": train, "validation": validation, "test": test}
        self._data = splits(sources, groups, batch_size, self._flat.device, self.watch.checkpoint)
        self.has_validation, self.has_test = "validation" in self._data, "test" in self._data
        for split in self._data:
            self._try_out(split)

    @property
    def steered(self) -> tuple[str, ...]:
        """The names of the steered parameters."""
        return self._flat.names

    @property
    def examples(self) -> int:
        return self._data["train"].size

    @property
    def batch_size(self) -> int:
        return self._data["train"].largest

    def share(self, split: Split = "train", batches: int | None = None) -> float:
        data = self._require(split)
        return data.size / self._data["train"].size * data.part(batches)

    @property
    def training_weights(self) -> Tensor:
        return self._weights.clone()

    @property
    def comes_trained(self) -> bool:
        return type(self).train is Problem.train  # else it brings a recipe

    def parameters(self) -> Tensor:
        return self._flat.read()

    def set_parameters(self, theta: Tensor) -> None:
        self._flat.write(theta)
        self._left = bystanders.state(self.model, self._flat.tensors, self._bystanders)

    def changed_since(self, theta: Tensor) -> str | None:
        if not self._flat.holds(theta):
            return "the steered parameters"
        if self._left is None:
            return None
        return bystanders.changed(self._left, bystanders.state(self.model, self._flat.tensors, self._left))

    @explained
    def evaluate(self, theta: Tensor, split: Split = "train") -> Losses:
        collected = self._read(theta, self._collect(split), split)
        self.cost.forward_passes += self.share(split)
        if not self._losses.plain:  # a Jacobian here will ask for them
            self._remember(theta, split, collected)
        return collected.losses()

    @explained
    def probe(
        self, points: Iterable[Tensor], split: Split = "train", batches: int | None = None
    ) -> list[Losses]:
        points = list(points)
        collected = [self._collect(split, batches) for _ in points]
        if points:
            with torch.no_grad():
                for batch, length in self._batches(split, batches):
                    for theta, each in zip(points, collected, strict=True):
                        self.watch.checkpoint()
                        each.add(length, self._outputs(theta, batch), batch)
        self.cost.forward_passes += sum(each.length for each in collected) / self._data["train"].size
        return [each.losses() for each in collected]

    @explained
    def jacobian(self, theta: Tensor, split: Split = "train") -> tuple[Losses, Tensor]:
        collected = self._collect(split)
        keep = split == "train" and collected.metrics is None  # gradients know nothing of metrics
        # Of an Aggregate a batch's change is not along its gradient alone: what it adds depends on the other means.
        apart = keep and self._apart
        slopes = None if self._losses.plain or apart else self._losses.slopes(self._means(theta, split))
        gradients = BatchGradients(theta, wanted=keep and slopes is None)
        here = variable(theta)
        jacobian = torch.zeros(self.m, theta.numel(), dtype=theta.dtype, device=theta.device)
        sums = {} if apart else {(i, 0): row for i, row in enumerate(jacobian)}
        passes = 0  # examples, once for every gradient
        for batch, length in self._batches(split):
            outputs = self._outputs(here, batch)
            parts = self._losses.parts(*outputs, batch)
            gradients.next()
            for i, j, back in rows_apart(parts, divided(outputs)[0]) if apart else whole_rows(parts, slopes):
                self.watch.checkpoint()
                gradient = back(here)
                if (i, j) not in sums:
                    sums[i, j] = torch.zeros_like(gradient)
                sums[i, j].add_(gradient, alpha=length)
                gradients.keep(i, j, gradient)
                passes += length
            collected.add(length, detached(outputs), batch, parts)
        self.cost.forward_passes += self.share(split)
        self.cost.gradient_passes += passes / self._data["train"].size
        if apart:
            slopes = self._losses.slopes(self._remember(theta, split, collected))
            for (i, j), total in sums.items():
                jacobian[i].add_(total, alpha=float(slopes[i][j]))
        losses = collected.losses()
        if split == "train":
            gradients.end(collected)
            self._gradients = gradients
            self.watch.saw(self.names, losses.mean)
        return losses, jacobian.div_(collected.length)

    @explained
    def response(
        self,
        theta: Tensor,
        directions: Tensor,
        split: Split = "train",
        *,
        batches: int | None = None,
    ) -> tuple[Losses, Response]:
        if split == "train" and self._gradients is not None:
            known = self._gradients.response(theta, directions)
            if known is not None:
                return known
        theta, directions = recorded(theta).detach(), recorded(directions)
        collected = self._collect(split, batches)
        moving = [Collected(self._losses, collected.metrics) for _ in directions]
        read = 0  # examples, once for every pass
        for batch, length in self._batches(split, batches):
            pushed = self._pushforward(
                partial(self._outputs, batch=batch),
                partial(self._parts, batch=batch, metrics=collected.metrics, split=split),
                theta,
                directions,
                self.watch.checkpoint,
            )
            collected.add_parts(length, *pushed.parts)
            read += 2 * len(directions) * length
            for each, slopes in zip(moving, pushed.slopes, strict=True):
                each.add_parts(length, *slopes)
        self.cost.forward_passes += read / self._data["train"].size
        return collected.losses(), collected.response(moving, collected.length / self._data[split].size)

    @explained
    def curvature_sample(
        self, size: int | None = None, *, around: Tensor | None = None
    ) -> Sequence[Composite]:
        require_deterministic(self.model)
        data = self._data["train"]
        if size is not None and size < 1:
            raise ProblemError(f"a curvature sample of {size} examples is not possible; take at least 1")
        size = data.size if size is None else min(size, data.size)
        if size not in self._samples:
            self._samples[size] = data.sample(size, torch.Generator().manual_seed(self._seed))
        total = sum(length for _, length in self._samples[size])
        means = None if around is None or self._losses.plain else self._means(around, "train")
        sample = [self._composite(batch, length, total, means) for batch, length in self._samples[size]]
        if not self._curvature_known:
            self._require_curvature(sample[0], self.parameters() if around is None else around)
            self._curvature_known = True
        return sample

    def minibatches(self, size: int, generator: torch.Generator) -> Iterable[Composite]:
        require_deterministic(self.model)
        data = self._data["train"]
        return (self._composite(batch, n, data.size) for batch, n in data.shuffled(size, generator))

    def state_dict(self, theta: Tensor) -> dict[str, Tensor]:
        """The module's whole state_dict with the steered parameters replaced; the module stays as it is.

        It is the module's own state_dict, taken while the steered values are in place, so that tied weights
        and state_dict hooks are as ever. Its tensors share memory with ``theta`` and the module.
        """
        return self._stateless.state_dict(theta)

    def layout(self) -> tuple[Entry, ...]:
        return self._flat.layout()

    def restore(self, fixed: Mapping[str, Tensor]) -> None:
        own = {plain_name(name): value for name, value in self.model.state_dict().items()}
        for name, value in fixed.items():
            if not isinstance(own.get(name), Tensor) or own[name].shape != value.shape:
                raise ProblemError(f"the model has no {name!r} of shape {list(value.shape)} to restore")
        self._known.clear()  # the same parameters are another model now
        self._gradients = None
        with torch.no_grad():
            for name, value in fixed.items():
                own[name].copy_(value)
        self._left = None

    def _outputs(self, theta: Tensor, batch: Batch) -> tuple[Outputs, Mapping[str, Tensor]]:
        """The model's outputs, and the steered parameters by name where a penalty reads them."""
        read = self._losses.reads_parameters or self._metrics.reads_parameters
        before, cause, outputs = version(theta), None, None
        try:
            outputs = self._stateless.outputs(theta, trees.fresh(batch))
        except Exception as error:
            cause = error
        if version(theta) != before:
            raise ProblemError(f"the model {_WRITES}") from cause
        if cause is not None:
            raise cause
        return outputs, self._flat.unflatten(theta) if read else {}

    def _values(self, outputs: tuple[Outputs, Mapping[str, Tensor]], batch: Batch) -> Tensor:
        """The losses of one batch alone, [m]."""
        return self._losses.values(self._losses.parts(*outputs, batch))

    def _means(self, theta: Tensor, split: Split) -> list[Tensor]:
        """Of each loss its parts over all the data; known where they have just been taken."""
        place, means = self._known.get(split, (None, []))
        if place is None or not place.is_at(theta):
            collected = self._read(theta, Collected(self._losses, None), split)
            self.cost.forward_passes += self.share(split)
            return self._remember(theta, split, collected)
        return means

    def _remember(self, theta: Tensor, split: Split, collected: Collected) -> list[Tensor]:
        means = collected.means()
        self._known[split] = Place(theta), means
        return means

    def _read(self, theta: Tensor, collected: Collected, split: Split, count: int | None = None) -> Collected:
        """Add a pass without graphs, or about ``count`` batches of one; the caller counts the cost."""
        with torch.no_grad():
            for batch, length in self._batches(split, count):
                collected.add(length, self._outputs(theta, batch), batch)
        return collected

    def _collect(self, split: Split, count: int | None = None) -> Collected:
        """For ``_batches(split, count)``: of the losses, and of the metrics where they are shown for this split."""
        shown = self.metric_names and (split != "train" or not self.has_validation)
        blocks = self._require(split).blocks(count)
        return Collected(self._losses, self._metrics if shown else None, split, blocks)

    def _parts(
        self,
        outputs: tuple[Outputs, Mapping[str, Tensor]],
        batch: Batch,
        metrics: Quantities | None,
        split: Split,
    ) -> Parts:
        losses = self._losses.parts(*outputs, batch)
        return [losses, [] if metrics is None else measured(metrics, outputs, batch, split)]

    def _batches(self, split: Split, count: int | None = None) -> Iterator[tuple[Batch, int]]:
        """One pass, or about ``count`` batches of it."""
        data = self._require(split)
        require_deterministic(self.model)
        self._flat.require_in_place()
        pairs = self.watch.through(iter(data), data.size) if count is None else data.some(count)
        return self._bystanding(self._whereabouts.follow(pairs, split), split)

    def _bystanding(self, pairs: Iterator[tuple[Batch, int]], split: Split) -> Iterator[tuple[Batch, int]]:
        """Require that a pass leaves what is not steered as it is; it is only looked at where it was written to."""
        before = bystanders.state(self.model, self._flat.tensors, self._bystanders)
        yield from pairs
        now = bystanders.state(self.model, self._flat.tensors, before)
        self._bystanders = now
        if (what := bystanders.changed(before, now)) is not None:
            raise ProblemError(
                f"{what} of the model changes in a pass over the {split} data, so that no two passes are the same; let "
                "the model leave it alone in eval mode, or freeze it"
            )

    def _require(self, split: Split) -> Data:
        if split not in self._data:
            raise ProblemError(
                f"there is no {split} data, only {', '.join(self._data)}; give {split}= to the problem"
            )
        return self._data[split]

    def _composite(
        self, batch: Batch, length: int, total: int, means: list[Tensor] | None = None
    ) -> Composite:
        """A batch's share of all losses, alone or with the ``means`` of their parts over all the data."""
        joins: list[Join] = []  # of the latest outputs
        untouched = versions(batch)

        def outputs(theta: Tensor) -> tuple[Tensor, ...]:
            with self._whereabouts.explained(f"the model failed on a curvature batch of {length} examples"):
                curved = self._stateless.outputs_for_curvature(theta, trees.fresh(batch))
            steered = self._flat.unflatten(theta) if self._losses.reads_parameters else {}
            variable, join = divided((curved, steered))
            joins[:] = [join]
            return variable

        def taken(values: Callable[[list[Tensor]], Tensor], variable: tuple[Tensor, ...]) -> Tensor:
            curved, steered = joins[0](variable)
            with self._whereabouts.explained(
                f"the model or a loss failed on a curvature batch of {length} examples"
            ):
                found = values(self._losses.parts(curved, steered, batch))
            if versions(batch) != untouched:
                raise ProblemError(
                    f"the model or a loss writes into a curvature batch of {length} examples, which changes all that "
                    "is computed of them next; let it work on a copy (labels = labels.clone()), or use torch.where"
                )
            # Nothing, but with a graph: losses that are constant on this batch have derivatives, too.
            found = found + sum(tensor[..., None][..., :0].sum() for tensor in variable)
            return found.to(self._flat.dtype)  # data in float64, as NumPy has them, do not change it

        def apart(variable: tuple[Tensor, ...]) -> Mapping[str, Tensor]:
            outputs = joins[0](variable)
            return {name: self._loss(name, outputs, batch) for name in self.names}

        losses = partial(taken, partial(self._losses.values, means=means))
        if means is None:
            return Composite(length / total, outputs, losses, apart=apart)
        linear, shown = (
            partial(taken, partial(self._losses.linear, slopes=self._losses.slopes(means, shown=shown)))
            for shown in (False, True)
        )
        return Composite(
            length / total,
            outputs,
            losses,
            linear=linear,
            shown=None if self._losses.honest else shown,
            apart=apart,
        )

    @explained
    def _try_out(self, split: Split) -> None:
        """Run the first batch, so that a mistake comes out now and with its name; costs are not counted."""
        (batch, length), (again, _) = (next(self._batches(split)) for _ in range(2))
        theta = self.parameters().requires_grad_()
        # What is written to goes with it, and not the data.
        given = copied(batch)
        read = self._observer()
        try:
            with (
                unchanged_buffers(self.model),
                self._unchanged("the model", f"the first {split} batch", given, batch, theta),
                require_gradients(self.model, self._flat.paths),
                read,
            ):
                outputs = self._outputs(theta, given)
        except ParetonavError:
            raise
        except Exception as error:
            raise ProblemError(
                f"the model failed on the first {split} batch, a {type(batch).__name__}: {error}; say how it "
                "reads a batch, for example forward=lambda model, batch: model(batch['x'])"
                f"{unlike(self._data['train'], batch, split)}"
            ) from error
        if read.read:
            raise ProblemError(
                f"the model reads the steered {some_of(map(repr, read.read))} from elsewhere than its own place in the "
                "module (a parameter that a function has captured, its .data or detach(), a copy in a list), where "
                "steered values do not come; take it from the module each time it is called, for example "
                "forward=lambda model, batch: model(batch[0]) @ model.head.weight"
            )
        self._half = self._half or read.half
        for name in self.names:
            given, read = copied(batch), self._observer()
            try:
                with (
                    self._unchanged(
                        f"loss {name!r}", f"the first {split} batch", given, batch, theta, outputs
                    ),
                    read,
                ):
                    part = self._losses.part(name, *outputs, given)
                    value = self._losses.value(name, part)
                    defined = self._losses.is_defined(name, part)
            except ProblemError:
                raise
            except Exception as error:
                raise ProblemError(
                    f"loss {name!r} failed on the first {split} batch: {error}; it is called as "
                    f"loss(outputs, batch){unlike(self._data['train'], batch, split)}"
                ) from error
            self._require_unread(f"loss {name!r}", read)
            require_finite(name, float(value.detach()), f"on the first {split} batch")
            if not defined:  # on this batch alone
                everything = self._read(theta, Collected(self._losses, None), split)
                self.require_finite(everything.losses(), f"on the {split} data")
            if split == "train":
                self._require_dependence(name, theta, outputs, batch)
                self._look_at_mean(name, outputs, batch, length)
        if split == "train" and not self._losses.plain:
            rows = rows_apart(self._losses.parts(*outputs, batch), divided(outputs)[0])
            batches = math.ceil(self._data[split].size / length)
            self._apart = worth_it(len(rows), self.m, theta.numel(), batches)
        if self._collect(split).metrics is not None:
            given, read, plain = copied(batch), self._observer(), detached(outputs)
            with (
                torch.no_grad(),
                self._unchanged("a metric", f"the first {split} batch", given, batch, theta, plain),
                read,
            ):
                measured(self._metrics, plain, given, split)
            self._require_unread("a metric", read)
        self._require_determinism(theta, batch, again, split)
        if split == "train" and not self._half:  # differences of rounded numbers say nothing
            self._require_derivatives(theta, batch)

    def _look_at_mean(
        self, name: str, outputs: tuple[Outputs, Mapping[str, Tensor]], batch: Batch, length: int
    ) -> None:
        """Say so if a plain loss is no mean over examples: its value then depends on the batches."""
        if self._losses.is_plain(name):
            told = halves(
                lambda o, b: self._losses.part(name, o, {}, b)[0], detached(outputs[0]), copied(batch), length
            )
            if told is not None:
                logger.warning(
                    "loss %r is no mean over examples: it is %.3g on a batch and %.3g on average of its halves, so it "
                    "depends on how data are divided; give a gap, a rate or another function of means as an Aggregate "
                    "(group_gap), and keep batches of what compares examples by a batch sampler",
                    name,
                    *told,
                )

    def _observer(self) -> Observed:
        return Observed(dict(zip(self._flat.names, self._flat.tensors, strict=True)))

    @contextmanager
    def _unchanged(
        self, what: str, where: str, given: Batch, original: Batch, theta: Tensor, outputs: Any = None
    ) -> Iterator[None]:
        """Require that ``what`` is run does not write into what it is given."""
        before, values, made = versions(given), theta.detach().clone(), versions(outputs)
        cause = None
        try:
            yield
        except Exception as error:  # which may be torch's, of what was written
            cause = error
        if not same(theta, values):
            raise ProblemError(f"{what} {_WRITES}") from cause
        if cause is not None:
            raise cause
        if (tensor := written(given, before, original)) is not None:
            raise ProblemError(
                f"{what} writes into {where}, {tensor}, which would change your data and all that is computed of them "
                "next; let it work on a copy (labels = labels.clone()), or use torch.where"
            )
        if versions(outputs) != made:
            raise ProblemError(
                f"{what} writes into the outputs of the model, which the other losses and metrics get, too; let it "
                "work on a copy (outputs = outputs.clone())"
            )

    def _require_unread(self, what: str, seen: Observed) -> None:
        """Refuse a loss or metric that takes parameters from the module."""
        if seen.read:
            raise ProblemError(
                f"{what} reads {some_of(map(repr, seen.read))} from elsewhere than outputs: from the module itself, "
                "which does not have the steered values by then; let forward return it in a tuple, list or dict, for "
                "example forward=lambda model, batch: (model(batch[0]), model.weight), give a Penalty, or, to keep a "
                "value as it was, a copy (.detach().clone())"
            )

    def _require_determinism(self, theta: Tensor, batch: Batch, again: Batch, split: Split) -> None:
        """Refuse losses that have two values at one point."""
        with torch.no_grad():
            first, second, reread = (self._values(self._outputs(theta, b), b) for b in (batch, batch, again))
        for values, what in (
            (second, None),
            (reread, "in two passes; give data without random augmentation, in a fixed order"),
        ):
            differs = ~torch.isclose(first, values, rtol=torch.finfo(first.dtype).eps ** 0.5)
            for name, wrong in zip(self.names, differs.tolist(), strict=True):
                if wrong:
                    what = what or f"on one batch; {self._culprit(theta, batch)}"
                    raise ProblemError(
                        f"loss {name!r} on the {split} data is random: it has two values {what}"
                    )

    def _require_derivatives(self, theta: Tensor, batch: Batch) -> None:
        """Look whether the gradients of the losses on this batch are their derivatives."""

        def values(point: Tensor) -> Tensor:
            with torch.no_grad():
                return self._values(self._outputs(point, batch), batch).double()

        losses = self._values(self._outputs(theta, batch), batch)
        gradients = torch.stack(
            [
                torch.autograd.grad(loss, theta, retain_graph=True, materialize_grads=True)[0]
                if loss.requires_grad
                else torch.zeros_like(theta)
                for loss in losses
            ]
        )
        pieces = dict(zip(self.steered, self._flat.sizes, strict=True))
        require_derivatives(self.names, values, theta.detach(), losses.detach(), gradients, pieces)

    def _require_curvature(self, part: Composite, theta: Tensor) -> None:
        """Refuse a model or a loss of which autograd does not know the curvature, on a part of the sample."""
        assert part.apart is not None
        here = variable(theta)
        with differentiated(part, here):
            outputs = part.outputs(here)
            if not is_transposed(outputs, here, half=self._half):
                raise ProblemError(
                    "the model has a backward pass that torch cannot differentiate again (a kernel, a "
                    "torch.autograd.Function whose backward leaves torch or is marked once_differentiable), so that "
                    "curvature would be wrong without a word; write it with plain torch operations, or leave the "
                    "parameters before it out of parameters="
                )
            apart, leaves = part.apart, tuple(output.detach() for output in outputs)
            for name in self.names:
                if not is_bent(lambda variable, name=name: apart(variable)[name], leaves):  # type: ignore[misc]
                    raise ProblemError(
                        f"loss {name!r} is curved, but torch cannot differentiate its backward pass again (a kernel, a "
                        "torch.autograd.Function of one's own), so that curvature would be wrong without a word; write "
                        "it with plain torch operations, or show it as a metric, which needs no derivatives"
                    )

    def _culprit(self, theta: Tensor, batch: Batch) -> str:
        """What gives two values for one batch, and the remedy."""
        with torch.no_grad():
            if (module := random_module(self.model, lambda: self._outputs(theta, batch))) is not None:
                remedy = (
                    "is there dropout (functional dropout, say)? Call model.eval()"
                    if any(each.training for each in self.model.modules())
                    else "it draws random numbers in eval mode, too, so let it return the mean there, "
                    "or take the noise from the batch"
                )
                return f"{module} gives two outputs for one input; {remedy}"
            first, second = (trees.fingerprint(self._outputs(theta, batch)[0]) for _ in range(2))
        if first != second:
            return "forward itself gives two outputs for one input; take the random part out of it"
        return "the model's outputs are the same, so take the random part out of the loss"

    def _loss(self, name: str, outputs: tuple[Outputs, Mapping[str, Tensor]], batch: Batch) -> Tensor:
        """One loss on one batch alone."""
        return self._losses.value(name, self._losses.part(name, *outputs, batch))

    def _require_dependence(
        self, name: str, theta: Tensor, outputs: tuple[Outputs, Mapping[str, Tensor]], batch: Batch
    ) -> None:
        """Refuse a loss that does not depend on theta, or not by way of the outputs alone."""
        variable, join = divided(outputs)
        beside = self._loss(name, join(tuple(leaf.detach() for leaf in variable)), batch)
        if any(depends_on(beside, tensor) for tensor in (theta, *self._flat.tensors)):
            raise ProblemError(
                f"loss {name!r} takes what depends on the parameters from elsewhere than the tensors in "
                f"outputs (a {type(outputs[0]).__name__}); let forward return it in a tuple, list or dict, for "
                "example forward=lambda model, batch: (model(batch[0]), model.weight)"
            )
        linked = self._slope_of(name, theta)
        if linked is None:
            raise ProblemError(
                f"loss {name!r} does not depend on the steered parameters; choose others with parameters=, "
                "or check that nothing between model and loss detaches (.item(), .detach(), torch.no_grad)"
            )
        if not linked and not any(self._slope_of(name, there, only=batch) for there in _aside(theta)):
            raise ProblemError(
                f"loss {name!r} does not depend on the steered parameters here: its gradient is zero on all the "
                "training data, and a per cent away, too; choose others with parameters=, or, if it is met already "
                "(a hinge that nothing violates) or goes by leaps (a rounded or thresholded output), so that nothing "
                "can be traded for it, show it as a metric, give a smooth stand-in (softplus), or leave it out until "
                "it is violated"
            )

    def _slope_of(self, name: str, theta: Tensor, only: Batch | None = None) -> bool | None:
        """Whether the loss has a gradient anywhere in the training data, or on one batch; None if no graph leads to it.

        Usually the first batch knows.
        """
        linked = None
        for batch in (batch for batch, _ in self._batches("train")) if only is None else [only]:
            part = self._losses.part(name, *self._outputs(theta, batch), batch)
            # Means on which the value of an Aggregate depends only in other batches, or not just here, count, too.
            value = (part * torch.arange(1, len(part) + 1, device=part.device)).sum()
            if depends_on(value, theta):
                linked = False
                if torch.autograd.grad(value, theta)[0].any():
                    return True
        return linked


def _aside(theta: Tensor) -> list[Tensor]:
    """Two points a per cent away: what is constant there is constant elsewhere, as a rule."""
    way = torch.randn(theta.shape, generator=torch.Generator().manual_seed(0)).to(theta)
    return [variable(theta.detach() + sign * 0.01 * (1 + theta.detach().abs()) * way) for sign in (1, -1)]
