"""Objectives given as losses of a PyTorch module on data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils import _pytree as pytree

from paretonav.errors import ProblemError
from paretonav.objectives.data import Batch, Data, Source, batch_length
from paretonav.objectives.parameters import FlatParameters
from paretonav.objectives.problem import Composite, Losses, Problem, Split, check_names, require_finite

Outputs = Any
Loss = Callable[[Outputs, Batch], Tensor]
Metric = Callable[[Outputs, Batch], Tensor | float]


class ModelProblem(Problem):
    """Several losses of one module, steered through all or some of its parameters.

    The model is neither copied nor put in another mode; its parameters are written only when a point is
    accepted. Each objective is the mean over the data of a loss that is itself a mean over a batch, plus
    ``weight_decay / 2 * |theta|^2``; the losses that are shown are without that term.

    Args:
        model: in eval mode if it has dropout or BatchNorm.
        losses: name -> ``(outputs, batch) -> scalar``, the mean over the batch.
        train: a DataLoader, or a Dataset (read in batches of ``batch_size``).
        validation: the same, on which every change is shown as well.
        metrics: name -> ``(outputs, batch) -> number``, averaged over the validation data (the training data
            if there is none); shown, not steered.
        parameters: names or patterns of the parameters to steer; by default all that require grad.
        weight_decay: the coefficient that the model was, or is to be, trained with.
        forward: ``(model, batch) -> outputs``; by default ``model(batch[0])``, or ``model(batch)`` where the
            batch is a tensor.
        batch_size: how a Dataset is read in full passes.
        seed: of the frozen curvature sample.

    Raises:
        ProblemError: naming what is wrong and the remedy.
        NonFiniteError: a loss is not finite on the first batch.
    """

    default_curvature = "gauss-newton"
    stochastic = True

    def __init__(
        self,
        model: nn.Module,
        losses: Mapping[str, Loss],
        train: Source,
        validation: Source | None = None,
        metrics: Mapping[str, Metric] | None = None,
        parameters: str | Sequence[str] | None = None,
        weight_decay: float = 0.0,
        *,
        forward: Callable[[nn.Module, Batch], Outputs] | None = None,
        batch_size: int = 512,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.names = check_names(list(losses))
        if not weight_decay >= 0:
            raise ProblemError(f"weight_decay is {weight_decay}; it must be zero or positive")
        self.model = model
        self.weight_decay = float(weight_decay)
        self._losses = dict(losses)
        self._metrics = dict(metrics or {})
        for name in set(self._metrics) & set(self._losses):
            raise ProblemError(f"{name!r} is the name of a loss and of a metric; rename one")
        self._flat = FlatParameters(model, parameters)
        self._call = _Forward(model, forward or _first_element)
        _require_deterministic(model)
        self._data: dict[Split, Data] = {"train": Data(train, batch_size, self._flat.device, "train")}
        if validation is not None:
            self._data["validation"] = Data(validation, batch_size, self._flat.device, "validation")
            self.has_validation = True
        self._seed = seed
        self._samples: dict[int, list[Batch]] = {}
        self._check_losses(next(iter(self._data["train"])))

    @property
    def steered(self) -> tuple[str, ...]:
        """The names of the steered parameters."""
        return self._flat.names

    def parameters(self) -> Tensor:
        return self._flat.read()

    def set_parameters(self, theta: Tensor) -> None:
        self._flat.write(theta)

    def evaluate(self, theta: Tensor, split: Split = "train") -> Losses:
        collected = _Collected(self, split)
        with torch.no_grad():
            for batch in self._data[split]:
                outputs = self._outputs(theta, batch)
                collected.add(batch, self._values(outputs, batch), outputs)
        self.cost.forward_passes += self._share(split)
        return collected.losses()

    def jacobian(self, theta: Tensor, split: Split = "train") -> tuple[Losses, Tensor]:
        _require_deterministic(self.model)
        collected = _Collected(self, split)
        theta = theta.detach().requires_grad_()
        jacobian = torch.zeros(self.m, theta.numel(), dtype=theta.dtype, device=theta.device)
        for batch in self._data[split]:
            outputs = self._outputs(theta, batch)
            values = self._values(outputs, batch)
            share = batch_length(batch) / self._data[split].size
            for i in range(self.m):
                (gradient,) = torch.autograd.grad(values[i], theta, retain_graph=i + 1 < self.m, materialize_grads=True)
                jacobian[i].add_(gradient, alpha=share)
            collected.add(batch, values.detach(), pytree.tree_map_only(Tensor, Tensor.detach, outputs))
        self.cost.forward_passes += self._share(split)
        self.cost.gradient_passes += self._share(split) * self.m
        return collected.losses(), jacobian

    def curvature_sample(self, size: int | None = None) -> Sequence[Composite]:
        data = self._data["train"]
        size = data.size if size is None else min(size, data.size)
        if size not in self._samples:
            self._samples[size] = data.sample(size, torch.Generator().manual_seed(self._seed))
        batches = self._samples[size]
        total = sum(map(batch_length, batches))
        return [self._composite(batch, batch_length(batch) / total) for batch in batches]

    def minibatches(self, size: int, generator: torch.Generator) -> Iterable[Composite]:
        data = self._data["train"]
        return (self._composite(b, batch_length(b) / data.size) for b in data.shuffled(size, generator))

    def state_dict(self, theta: Tensor) -> dict[str, Tensor]:
        """The module's whole state_dict with the steered parameters replaced; the module itself stays as it is."""
        state = dict(self.model.state_dict())
        steered = self._flat.unflatten(theta)
        shared = {p.data_ptr(): steered[name] for name, p in self.model.named_parameters() if name in steered}
        return {name: shared.get(value.data_ptr(), value) for name, value in state.items()}

    def _composite(self, batch: Batch, fraction: float) -> Composite:
        structure: list[pytree.TreeSpec] = []

        def outputs(theta: Tensor) -> tuple[Tensor, ...]:
            leaves, spec = pytree.tree_flatten(self._outputs(theta, batch))
            structure[:] = [spec]
            return tuple(leaves)

        def losses(leaves: tuple[Tensor, ...]) -> Tensor:
            return self._values(pytree.tree_unflatten(list(leaves), structure[0]), batch)

        return Composite(fraction, outputs, losses)

    def _outputs(self, theta: Tensor, batch: Batch) -> Outputs:
        replaced = {f"model.{name}": value for name, value in self._flat.unflatten(theta).items()}
        return functional_call(self._call, replaced, (batch,))

    def _values(self, outputs: Outputs, batch: Batch) -> Tensor:
        return torch.stack([loss(outputs, batch) for loss in self._losses.values()])

    def _share(self, split: Split) -> float:
        return self._data[split].size / self._data["train"].size

    def _shows_metrics(self, split: Split) -> bool:
        return bool(self._metrics) and (split == "validation" or not self.has_validation)

    def _check_losses(self, batch: Batch) -> None:
        theta = self.parameters().requires_grad_()
        outputs = self._outputs(theta, batch)
        for name, loss in self._losses.items():
            value = loss(outputs, batch)
            if not isinstance(value, Tensor) or value.ndim != 0:
                what = f"shape {list(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
                raise ProblemError(
                    f"loss {name!r} returned {what}; it must return a scalar tensor, the mean over the batch "
                    "(reduction='mean', or end with .mean())"
                )
            require_finite(name, float(value.detach()), "on the first batch")
            gradient = torch.autograd.grad(value, theta, retain_graph=True, allow_unused=True)[0] if value.requires_grad else None
            if gradient is None or not gradient.any():
                raise ProblemError(
                    f"loss {name!r} does not depend on the steered parameters; choose others with parameters=, or "
                    "check that nothing between model and loss detaches (.item(), .detach(), torch.no_grad)"
                )


class _Forward(nn.Module):
    """Makes ``forward(model, batch)`` a module, so that functional_call can replace the model's parameters."""

    def __init__(self, model: nn.Module, forward: Callable[[nn.Module, Batch], Outputs]) -> None:
        super().__init__()
        self.model = model
        self._forward = forward
        self.training = model.training

    def forward(self, batch: Batch) -> Outputs:
        return self._forward(self.model, batch)


def _first_element(model: nn.Module, batch: Batch) -> Outputs:
    return model(batch if isinstance(batch, Tensor) else batch[0])


class _Collected:
    """Per-batch losses and averaged metrics of one pass."""

    def __init__(self, problem: ModelProblem, split: Split) -> None:
        self._problem = problem
        self._with_metrics = problem._shows_metrics(split)
        self._values: list[Tensor] = []
        self._lengths: list[int] = []
        self._metrics = dict.fromkeys(problem._metrics if self._with_metrics else (), 0.0)

    def add(self, batch: Batch, values: Tensor, outputs: Outputs) -> None:
        length = batch_length(batch)
        self._values.append(values.detach())
        self._lengths.append(length)
        if self._with_metrics:
            with torch.no_grad():
                for name, metric in self._problem._metrics.items():
                    self._metrics[name] += length * float(metric(outputs, batch))

    def losses(self) -> Losses:
        lengths = torch.tensor(self._lengths, dtype=torch.float64)
        total = float(lengths.sum())
        metrics = {name: value / total for name, value in self._metrics.items()}
        return Losses(torch.stack(self._values).double().cpu(), lengths / total, metrics)


def _require_deterministic(model: nn.Module) -> None:
    """Krylov methods need the same operator at every product; dropout and batch statistics are not."""
    for name, module in model.named_modules():
        if not module.training:
            continue
        random = isinstance(module, nn.modules.dropout._DropoutNd) and module.p > 0
        random = random or (isinstance(module, nn.RNNBase | nn.MultiheadAttention) and module.dropout > 0)
        if random or isinstance(module, nn.modules.batchnorm._BatchNorm):
            raise ProblemError(
                f"module {name!r} ({type(module).__name__}) is in train mode, which makes the losses random or "
                "dependent on the batch; call model.eval() first (gradients do not need train mode)"
            )
