"""Objectives given as losses of a PyTorch module on data."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn

from paretonav.errors import ProblemError, ProcessesError
from paretonav.objectives import bystanders, trees
from paretonav.objectives.aggregate import Aggregate
from paretonav.objectives.checks import functions, require_deterministic
from paretonav.objectives.collected import Collected
from paretonav.objectives.composites import composite
from paretonav.objectives.data import Batch, Data, Source
from paretonav.objectives.forward import Forward, Outputs, StatelessModel
from paretonav.objectives.groups import Labels
from paretonav.objectives.jacobians import Jacobians
from paretonav.objectives.losses import Losses, Response
from paretonav.objectives.means import Means
from paretonav.objectives.metric import Metric
from paretonav.objectives.optimizers import OptimizerFactory, optimizer_for, require_factory
from paretonav.objectives.own_part import OwnPart
from paretonav.objectives.parameters import FlatParameters, plain_name
from paretonav.objectives.passes import Passes
from paretonav.objectives.penalty import Penalty
from paretonav.objectives.problem import Composite, Entry, Problem, Split, check_names
from paretonav.objectives.quantised import require_whole_inputs
from paretonav.objectives.quantities import Quantities
from paretonav.objectives.sample import Key, Sample
from paretonav.objectives.splits import splits
from paretonav.objectives.supported import (
    require_dense,
    require_supported,
)
from paretonav.objectives.training_weights import training_weights
from paretonav.objectives.tried_out import TryOut
from paretonav.objectives.whereabouts import explained
from paretonav.processes import Team, Wire
from paretonav.text import in_quotes

Loss = Callable[[Outputs, Batch], Tensor] | Aggregate | Penalty
AnyMetric = Callable[[Outputs, Batch], Tensor | float] | Metric | Aggregate | Penalty


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
        *,
        metrics: Mapping[str, AnyMetric] | None = None,
        parameters: str | Sequence[str] | None = None,
        weight_decay: float = 0.0,
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
            raise ProblemError(f"{in_quotes(name)} is the name of a loss and of a metric; rename one")
        self._losses, self._metrics = Quantities(given), Quantities(shown, metrics=True)
        for name, f in given.items():
            if isinstance(f, Metric) and f.higher_is_better:
                raise ProblemError(
                    f"loss {in_quotes(name)} is a Metric of which higher is better, but losses are "
                    "minimised; turn its sign"
                )
        self.metric_names = self._metrics.names
        self.absolute = self._losses.absolute + self._metrics.absolute
        self.higher_is_better = {
            name: better
            for name, f in shown.items()
            if (better := getattr(f, "higher_is_better", None)) is not None
        }
        if not isinstance(weight_decay, int | float) or not 0 <= weight_decay < math.inf:
            raise ProblemError(f"weight_decay={weight_decay!r}; it must be zero or a positive number")
        require_supported(model)
        require_whole_inputs(model)
        self.model = model
        self.weight_decay = float(weight_decay)
        self._flat = FlatParameters(model, parameters)
        require_dense(model, self._flat.tensors)
        if optimizer is not None:
            require_factory(optimizer)
            optimizer_for(optimizer, self.parameters()[:1].requires_grad_())
            self.optimizer = optimizer
        self._weights = training_weights(weights, self.names)
        self._left: bystanders.State | None = None  # what is not steered, when the parameters were last set
        self._common: bystanders.State = {}  # the same, as all processes have it
        self._stateless = StatelessModel(model, self._flat, forward, autocast)
        sources: dict[Split, Source | None] = {"train": train, "validation": validation, "test": test}
        self._data = splits(sources, groups, batch_size, self._flat.device, self.watch.checkpoint)
        self.has_validation, self.has_test = "validation" in self._data, "test" in self._data
        self._passes = Passes(self._stateless, self._losses, self._metrics, self._data, self.watch)
        self._whereabouts = self._passes.whereabouts
        tried = TryOut(self._passes, autocast=autocast is not None)
        for split in self._data:
            tried.first_batch(split)
        self._options = (f"seed={seed}", f"batch_size={batch_size}", f"autocast={autocast}")
        self._own = OwnPart(self._passes, tried, seed)
        self.team = Team(self._own)
        self._means = Means(self._read)
        self._jacobians = Jacobians(self.team, self._passes, self._means, self.tally, apart=tried.apart)

    @property
    def steered(self) -> tuple[str, ...]:
        """The names of the steered parameters."""
        return self._flat.names

    @property
    def data(self) -> Mapping[Split, Data]:
        """What is read, by split."""
        return self._data

    @property
    def options(self) -> tuple[str, ...]:
        """What else decides on numbers, in words."""
        return self._options

    @property
    def processes(self) -> int:
        return self.team.size

    def join(self, wire: Wire) -> None:
        """From here on passes are divided among processes, all of which have joined with the same problem."""
        self.team.join(wire, self._flat.device)
        self._common = self._passes.bystanders()
        self._take_turns(wire.rank, wire.size)

    def leave(self) -> None:
        """Read all batches again: this process is alone from here on."""
        self._take_turns(0, 1)

    def _take_turns(self, rank: int, processes: int) -> None:
        self._own.take_turns(rank, processes)
        self._means.forget()
        self._jacobians.forget()

    @property
    def examples(self) -> int:
        return self._data["train"].size

    @property
    def batch_size(self) -> int:
        return self._data["train"].largest

    def share(self, split: Split = "train", batches: int | None = None) -> float:
        return self._passes.share(split, batches)

    @property
    def training_weights(self) -> Tensor:
        return self._weights.clone()

    @property
    def comes_trained(self) -> bool:
        return type(self).train is Problem.train  # else it brings a recipe

    def parameters(self) -> Tensor:
        return self._flat.read()

    def set_parameters(self, theta: Tensor) -> None:
        if self.team.size == 1 or self.team.lost:  # the model here is left as it should be, at least
            self._flat.write(theta)
        else:
            self._synchronize()
            written, _ = self.team.everywhere(OwnPart.write, theta)
            _require_same(written)
        self._left = self._passes.bystanders()

    def _synchronize(self) -> None:
        """Have all processes hold what a recipe has changed here of what is not steered, such as running means."""
        before = self._common
        # Buffers are read anew: normalisation does not count what it writes to them.
        now = self._passes.bystanders(
            {name: seen for name, seen in before.items() if seen.kind == "parameter"}
        )
        self._common = now
        news = {
            plain_name(name): seen.tensor.detach().cpu()
            for name, seen in now.items()
            if name not in before or not trees.alike(before[name].numbers, seen.numbers, 0.0)
        }
        if news:
            self.team.everywhere(OwnPart.restore, fixed=news)

    def changed_since(self, theta: Tensor) -> str | None:
        if not self._flat.holds(theta):
            return "the steered parameters"
        if self._left is None:
            return None
        return bystanders.changed(self._left, self._passes.bystanders(self._left))

    @explained
    def evaluate(self, theta: Tensor, split: Split = "train") -> Losses:
        collected = self._read(theta, split)
        if not self._losses.plain:  # a Jacobian here will ask for them
            self._means.remember(theta, split, collected)
        return collected.losses()

    def _read(self, theta: Tensor, split: Split) -> Collected:
        """A pass without gradients, counted."""
        reads, _ = self.team.everywhere(OwnPart.read, theta, split=split)
        self.tally.count(forward_passes=self.share(split))
        return self._passes.empty(split).joined(reads)

    @explained
    def probe(
        self,
        points: Iterable[Tensor],
        split: Split = "train",
        batches: int | None = None,
        *,
        around: Tensor | None = None,
    ) -> list[Losses]:
        points = list(points)
        if not points:
            return []
        part = around if batches is not None and not self._losses.plain else None
        points += [] if part is None else [part]
        reads, _ = self.team.everywhere(OwnPart.probe, *points, split=split, batches=batches)
        collected = [self._passes.empty(split, batches).joined(each) for each in zip(*reads, strict=True)]
        self.tally.count(forward_passes=sum(each.length for each in collected) / self._data["train"].size)
        if part is not None:
            missing = zip(self._means.at(part, split), collected.pop().means(), strict=True)
            shifts = [all_of_it - some for all_of_it, some in missing]
            collected = [each.shifted(shifts) for each in collected]
        return [each.losses() for each in collected]

    @explained
    def jacobian(self, theta: Tensor, split: Split = "train") -> tuple[Losses, Tensor]:
        return self._jacobians.at(theta, split)

    @explained
    def response(
        self,
        theta: Tensor,
        directions: Tensor,
        split: Split = "train",
        *,
        batches: int | None = None,
    ) -> tuple[Losses, Response]:
        if split == "train" and (known := self._jacobians.response(theta, directions)) is not None:
            return known
        found, _ = self.team.everywhere(OwnPart.response, theta, directions, split=split, batches=batches)
        collected = self._passes.empty(split, batches).joined([each.read for each in found])
        moving = [
            Collected(self._losses, collected.metrics).joined(each)
            for each in zip(*(each.slopes for each in found), strict=True)
        ]
        read = 2 * len(directions) * collected.length
        self.tally.count(forward_passes=read / self._data["train"].size)
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
        means = None if around is None or self._losses.plain else self._means.at(around, "train")
        key = Key(size, means)
        return Sample(self.team, key, self._own.sample(key, self.parameters() if around is None else around))

    def minibatches(self, size: int, generator: torch.Generator) -> Iterable[Composite]:
        require_deterministic(self.model)
        data = self._data["train"]
        return (composite(self._passes, batch, n, data.size) for batch, n in data.shuffled(size, generator))

    def state_dict(self, theta: Tensor) -> dict[str, Tensor]:
        """The module's whole state_dict with the steered parameters replaced; the module stays as it is.

        It is the module's own state_dict, taken while the steered values are in place, so that tied weights
        and state_dict hooks are as ever. Its tensors share memory with ``theta`` and the module.
        """
        return self._stateless.state_dict(theta)

    def layout(self) -> tuple[Entry, ...]:
        return self._flat.layout()

    def restore(self, fixed: Mapping[str, Tensor]) -> None:
        self._means.forget()
        self._jacobians.forget()
        own = self.state_dict(self.parameters()) if self.team.size > 1 else {}
        news = {
            name: value.cpu()
            for name, value in fixed.items()
            if name not in own or not torch.equal(own[name], value.to(own[name]))
        }
        self.team.everywhere(OwnPart.restore, fixed=news)
        self._left = None


def _require_same(written: Sequence[float]) -> None:
    """Require that the parameters of all processes have the same sum."""
    if not all(math.isclose(each, written[0], rel_tol=1e-6) or each != each for each in written):
        raise ProcessesError(
            "the parameters that were written are not the same in all processes; something else writes to one of them"
        )
