"""Objectives given as losses of a PyTorch module on data."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn

from paretonav.errors import ProblemError
from paretonav.objectives.checks import depends_on, functions, number, require_deterministic, scalar
from paretonav.objectives.data import Batch, Data, Source
from paretonav.objectives.forward import Forward, Outputs, StatelessModel
from paretonav.objectives.outputs import Join, detached, divided
from paretonav.objectives.parameters import FlatParameters
from paretonav.objectives.problem import Composite, Losses, Problem, Split, check_names, require_finite

Loss = Callable[[Outputs, Batch], Tensor]
Metric = Callable[[Outputs, Batch], Tensor | float]


class ModelProblem(Problem):
    """Several losses of one module, steered through all or some of its parameters.

    The model is neither copied nor put in another mode; its parameters are written only when a point is
    accepted. Each objective is the mean over the data of a loss that is itself a mean over a batch, plus
    ``weight_decay / 2 * |theta|^2``; the losses that are shown are without that term.

    Batches count by their numbers of examples, so that the mean over the data is exact. Full passes read a
    shuffling loader in order, to the last example. A loss that sets the examples of a batch against each
    other (a contrastive loss) is taken on the batches as they are.

    Args:
        model: in eval mode if it has dropout or BatchNorm.
        losses: name -> ``(outputs, batch) -> scalar``, the mean over the batch. What depends on the
            parameters must come from ``outputs``: the model itself does not have the steered values by then.
        train: a DataLoader, or a Dataset (read in batches of ``batch_size``), without random augmentation.
        validation: the same, on which every change is shown as well.
        metrics: name -> ``(outputs, batch) -> number``, averaged over the validation data (the training data
            if there is none); shown, not steered.
        parameters: names or patterns of the parameters to steer; by default all that require grad.
        weight_decay: the coefficient that the model was, or is to be, trained with.
        forward: ``(model, batch) -> outputs``, tensors in any nesting of tuples, lists and dicts; by default
            ``model(batch[0])``, or ``model(batch)`` where the batch is a tensor.
        batch_size: how a Dataset is read in full passes.
        seed: of the frozen curvature sample.

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
        metrics: Mapping[str, Metric] | None = None,
        parameters: str | Sequence[str] | None = None,
        weight_decay: float = 0.0,
        *,
        forward: Forward | None = None,
        batch_size: int = 512,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if not isinstance(model, nn.Module):
            raise ProblemError(f"model must be a torch.nn.Module, not {type(model).__name__}")
        self._losses: dict[str, Loss] = functions("losses", losses)
        self._metrics: dict[str, Metric] = functions("metrics", {} if metrics is None else metrics)
        self.names = check_names(list(self._losses))
        for name in self._losses.keys() & self._metrics.keys():
            raise ProblemError(f"{name!r} is the name of a loss and of a metric; rename one")
        if not isinstance(weight_decay, int | float) or not 0 <= weight_decay < math.inf:
            raise ProblemError(f"weight_decay={weight_decay!r}; it must be zero or a positive number")
        self.model = model
        self.weight_decay = float(weight_decay)
        self._flat = FlatParameters(model, parameters)
        self._stateless = StatelessModel(model, self._flat, forward)
        self._seed = seed
        self._samples: dict[int, Sequence[tuple[Batch, int]]] = {}
        self._data: dict[Split, Data] = {"train": Data(train, batch_size, self._flat.device, "train")}
        if validation is not None:
            self._data["validation"] = Data(validation, batch_size, self._flat.device, "validation")
            self.has_validation = True
        for split in self._data:
            self._try_out(split)

    @property
    def steered(self) -> tuple[str, ...]:
        """The names of the steered parameters."""
        return self._flat.names

    def parameters(self) -> Tensor:
        return self._flat.read()

    def set_parameters(self, theta: Tensor) -> None:
        self._flat.write(theta)

    def evaluate(self, theta: Tensor, split: Split = "train") -> Losses:
        collected = _Collected()
        with torch.no_grad():
            for batch, length in self._batches(split):
                outputs = self._outputs(theta, batch)
                collected.add(length, self._values(outputs, batch), self._measured(outputs, batch, split))
        self.cost.forward_passes += self._share(split)
        return collected.losses()

    def jacobian(self, theta: Tensor, split: Split = "train") -> tuple[Losses, Tensor]:
        collected = _Collected()
        theta = theta.detach().requires_grad_()
        jacobian = torch.zeros(self.m, theta.numel(), dtype=theta.dtype, device=theta.device)
        for batch, length in self._batches(split):
            outputs = self._outputs(theta, batch)
            values = self._values(outputs, batch)
            for i in range(self.m if values.requires_grad else 0):
                (gradient,) = torch.autograd.grad(
                    values[i], theta, retain_graph=i + 1 < self.m, materialize_grads=True
                )
                jacobian[i].add_(gradient, alpha=length)
            outputs = detached(outputs)
            collected.add(length, values.detach(), self._measured(outputs, batch, split))
        self.cost.forward_passes += self._share(split)
        self.cost.gradient_passes += self._share(split) * self.m
        return collected.losses(), jacobian.div_(collected.length)

    def curvature_sample(self, size: int | None = None) -> Sequence[Composite]:
        require_deterministic(self.model)
        data = self._data["train"]
        if size is not None and size < 1:
            raise ProblemError(f"a curvature sample of {size} examples is not possible; take at least 1")
        size = data.size if size is None else min(size, data.size)
        if size not in self._samples:
            self._samples[size] = data.sample(size, torch.Generator().manual_seed(self._seed))
        total = sum(length for _, length in self._samples[size])
        return [self._composite(batch, length / total) for batch, length in self._samples[size]]

    def minibatches(self, size: int, generator: torch.Generator) -> Iterable[Composite]:
        require_deterministic(self.model)
        data = self._data["train"]
        return (self._composite(batch, n / data.size) for batch, n in data.shuffled(size, generator))

    def state_dict(self, theta: Tensor) -> dict[str, Tensor]:
        """The module's whole state_dict with the steered parameters replaced; the module stays as it is.

        It is the module's own state_dict, taken while the steered values are in place, so that tied weights
        and state_dict hooks are as ever. Its tensors share memory with ``theta`` and the module.
        """
        return self._stateless.state_dict(theta)

    def _outputs(self, theta: Tensor, batch: Batch) -> Outputs:
        return self._stateless.outputs(theta, batch)

    def _values(self, outputs: Outputs, batch: Batch) -> Tensor:
        return torch.stack([scalar(name, loss(outputs, batch)) for name, loss in self._losses.items()])

    def _measured(self, outputs: Outputs, batch: Batch, split: Split) -> dict[str, float]:
        """The metrics of one batch, if they are shown for this split."""
        measured: dict[str, float] = {}
        if split == "train" and self.has_validation:
            return measured
        for name, metric in self._metrics.items():
            try:
                with torch.no_grad():
                    value = metric(outputs, batch)
            except Exception as error:
                raise ProblemError(
                    f"metric {name!r} failed on {split} data: {error}; it is called as metric(outputs, batch)"
                ) from error
            measured[name] = number(name, value)
        return measured

    def _batches(self, split: Split) -> Iterator[tuple[Batch, int]]:
        if split not in self._data:
            raise ProblemError(
                f"there is no {split} data, only {', '.join(self._data)}; give validation= to the problem"
            )
        require_deterministic(self.model)
        return iter(self._data[split])

    def _share(self, split: Split) -> float:
        return self._data[split].size / self._data["train"].size

    def _composite(self, batch: Batch, fraction: float) -> Composite:
        joins: list[Join] = []  # of the latest outputs

        def outputs(theta: Tensor) -> tuple[Tensor, ...]:
            variable, join = divided(self._stateless.outputs_for_curvature(theta, batch))
            joins[:] = [join]
            return variable

        def losses(variable: tuple[Tensor, ...]) -> Tensor:
            values = self._values(joins[0](variable), batch)
            # Nothing, but with a graph: losses that are constant on this batch have derivatives, too.
            return values + sum(tensor[..., None][..., :0].sum() for tensor in variable)

        return Composite(fraction, outputs, losses)

    def _try_out(self, split: Split) -> None:
        """Run the first batch, so that a mistake comes out now and with its name; costs are not counted."""
        batch, again = (next(self._batches(split), None) for _ in range(2))
        if batch is None or again is None:
            raise ProblemError(
                f"the {split} data yields nothing in a second pass; let its __iter__ start anew"
            )
        batch, again = batch[0], again[0]
        theta = self.parameters().requires_grad_()
        try:
            outputs = self._outputs(theta, batch)
        except Exception as error:
            raise ProblemError(
                f"the model failed on the first {split} batch, a {type(batch).__name__}: {error}; say how it "
                "reads a batch, for example forward=lambda model, batch: model(batch['x'])"
            ) from error
        for name, loss in self._losses.items():
            try:
                value = loss(outputs, batch)
            except Exception as error:
                raise ProblemError(
                    f"loss {name!r} failed on the first {split} batch: {error}; it is called as "
                    "loss(outputs, batch)"
                ) from error
            require_finite(name, float(scalar(name, value).detach()), f"on the first {split} batch")
            if split == "train":
                self._require_dependence(name, theta, outputs, batch)
        self._measured(detached(outputs), batch, split)
        with torch.no_grad():
            first, same, reread = (self._values(self._outputs(theta, b), b) for b in (batch, batch, again))
        for values, what in (
            (same, "on one batch; is there dropout (functional dropout, say)? Call model.eval()"),
            (reread, "in two passes; give data without random augmentation, in a fixed order"),
        ):
            differs = ~torch.isclose(first, values, rtol=torch.finfo(first.dtype).eps ** 0.5)
            for name, wrong in zip(self.names, differs.tolist(), strict=True):
                if wrong:
                    raise ProblemError(
                        f"loss {name!r} on the {split} data is random: it has two values {what}"
                    )

    def _require_dependence(self, name: str, theta: Tensor, outputs: Outputs, batch: Batch) -> None:
        """Refuse a loss that does not depend on theta, or not by way of the outputs alone."""
        variable, join = divided(outputs)
        beside = self._losses[name](join(tuple(leaf.detach() for leaf in variable)), batch)
        if any(depends_on(beside, tensor) for tensor in (theta, *self._flat.tensors)):
            raise ProblemError(
                f"loss {name!r} takes what depends on the parameters from elsewhere than the tensors in "
                f"outputs (a {type(outputs).__name__}); let forward return it in a tuple, list or dict, for "
                "example forward=lambda model, batch: (model(batch[0]), model.weight)"
            )
        if not self._has_slope(name, theta):
            raise ProblemError(
                f"loss {name!r} does not depend on the steered parameters; choose others with parameters=, "
                "or check that nothing between model and loss detaches (.item(), .detach(), torch.no_grad)"
            )

    def _has_slope(self, name: str, theta: Tensor) -> bool:
        """Whether the loss has a gradient anywhere in the training data; usually the first batch knows."""
        for batch, _ in self._batches("train"):
            value = scalar(name, self._losses[name](self._outputs(theta, batch), batch))
            if depends_on(value, theta) and torch.autograd.grad(value, theta)[0].any():
                return True
        return False


class _Collected:
    """The losses and metrics of one pass, batch by batch."""

    def __init__(self) -> None:
        self._values: list[Tensor] = []
        self._lengths: list[int] = []
        self._metrics: dict[str, float] = {}

    @property
    def length(self) -> int:
        """The number of examples so far."""
        return sum(self._lengths)

    def add(self, length: int, values: Tensor, metrics: Mapping[str, float]) -> None:
        """Add a batch: its number of examples, its losses [m] and its metrics."""
        self._values.append(values)
        self._lengths.append(length)
        for name, value in metrics.items():
            self._metrics[name] = self._metrics.get(name, 0.0) + length * value

    def losses(self) -> Losses:
        """All that was added."""
        fractions = torch.tensor(self._lengths, dtype=torch.float64) / self.length
        metrics = {name: value / self.length for name, value in self._metrics.items()}
        return Losses(torch.stack(self._values).double().cpu(), fractions, metrics)
