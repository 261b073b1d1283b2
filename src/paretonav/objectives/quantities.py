"""What is computed of each batch for the objectives or the metrics, and the values that follow over all the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from paretonav.errors import ProblemError
from paretonav.objectives.aggregate import Aggregate
from paretonav.objectives.checks import scalar, scalar_metric
from paretonav.objectives.metric import Metric
from paretonav.objectives.penalty import Penalty

Batch = Any
Outputs = Any


class Quantities:
    """Named functions of a batch: plain means over examples, functions of such means, or penalties.

    Of each batch they give *parts*, whose means over all the data give the values. A plain mean has one part, which is
    its value; an ``Aggregate`` has several. So whatever the batches, the value is that over all the data.

    Args:
        functions: name -> loss or metric, ``Aggregate`` or ``Penalty``.
        metrics: whether they are metrics, which may return any kind of number.

    Attributes:
        names: in order.
        plain: whether every value is a mean over examples, so that batches can be averaged.
    """

    def __init__(self, functions: Mapping[str, Any], *, metrics: bool = False) -> None:
        self._functions = {name: f.function if isinstance(f, Metric) else f for name, f in functions.items()}
        self._metrics = metrics
        self.names = tuple(functions)
        self.plain = not any(isinstance(f, Aggregate) for f in self._functions.values())
        self._sizes: list[int] = []

    @property
    def reads_parameters(self) -> bool:
        """Whether some are penalties, which need the steered parameters."""
        return any(isinstance(f, Penalty) for f in self._functions.values())

    def parts(self, outputs: Outputs, steered: Mapping[str, Tensor], batch: Batch) -> list[Tensor]:
        """The parts of each, every one [its number of parts], with their graphs.

        Raises:
            ProblemError: one failed, or returned something else than it should; names it.
        """
        return [self.part(name, outputs, steered, batch) for name in self.names]

    def part(self, name: str, outputs: Outputs, steered: Mapping[str, Tensor], batch: Batch) -> Tensor:
        """The parts of one."""
        function = self._functions[name]
        if isinstance(function, Penalty):
            return scalar(name, function(steered))[None]
        if isinstance(function, Aggregate):
            means = function.means(outputs, batch)
            if not isinstance(means, Tensor) or means.ndim != 1:
                raise ProblemError(
                    f"the means of {name!r} must be a vector, not {_kind(means)}; torch.stack scalar means"
                )
            return means
        value = function(outputs, batch)
        return (scalar_metric if self._metrics else scalar)(name, value)[None]

    def values(self, parts: Sequence[Tensor]) -> Tensor:
        """The values [q] from their parts' means; differentiable."""
        return torch.stack([self.value(name, part) for name, part in zip(self.names, parts, strict=True)])

    def contributions(self, fractions: Tensor, parts: Sequence[Tensor]) -> Tensor:
        """Each batch's contribution to the values, [b, q]: their linear part around the value over all the data.

        Args:
            fractions: [b], each batch's share of the data.
            parts: of each quantity, [b, its number of parts], float64.
        """
        columns = []
        for name, part in zip(self.names, parts, strict=True):
            if not isinstance(self._functions[name], Aggregate):
                columns.append(part[:, 0])
                continue
            mean = fractions @ part
            value, slope = self._linearised(name, mean)
            columns.append(value + (part - mean) @ slope)
        return torch.stack(columns, dim=1) if columns else torch.zeros(len(fractions), 0, dtype=torch.float64)

    def slopes(self, means: Sequence[Tensor]) -> list[Tensor]:
        """The derivative of each value by its own parts at their means over all the data."""
        return [self._linearised(name, mean)[1] for name, mean in zip(self.names, means, strict=True)]

    def _linearised(self, name: str, mean: Tensor) -> tuple[Tensor, Tensor]:
        if not isinstance(self._functions[name], Aggregate):
            return mean[0], torch.ones_like(mean)
        with torch.enable_grad():
            mean = mean.detach().requires_grad_()
            value = self.value(name, mean)
            slope = torch.zeros_like(mean)
            if value.requires_grad:
                (slope,) = torch.autograd.grad(value, mean, materialize_grads=True)
        return value.detach(), slope

    def value(self, name: str, part: Tensor) -> Tensor:
        """The value of one from its parts' means, a scalar; differentiable."""
        function = self._functions[name]
        if not isinstance(function, Aggregate):
            return part[0]
        return scalar(name, function.value(part))


def _kind(value: object) -> str:
    return (
        f"a tensor of shape {list(value.shape)}" if isinstance(value, Tensor) else f"a {type(value).__name__}"
    )
