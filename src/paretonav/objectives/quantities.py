"""Named losses or metrics: what is computed of each batch, and the values over all the data that follow from it.

The value of some is no mean over examples, so that a batch has none. What a batch has is the means that go into it,
its *parts*; they are averaged over the data, and the value is computed of the averages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from paretonav.errors import ProblemError
from paretonav.objectives import trees
from paretonav.objectives.aggregate import Aggregate
from paretonav.objectives.blame import blaming
from paretonav.objectives.checks import scalar, scalar_metric
from paretonav.objectives.metric import Metric
from paretonav.objectives.penalty import Penalty
from paretonav.text import in_quotes

Batch = Any
Outputs = Any


class _Linear(NamedTuple):
    """A value as a function of the means of its parts, near the means over all the data.

    Attributes:
        value: a scalar.
        slope: its derivatives by the means, [parts].
        turning: how the slope changes along directions: ``value'' T``, [parts, k], with T the derivatives of the means;
            zero where no directions were given.
    """

    value: Tensor
    slope: Tensor
    turning: Tensor


class Quantities:
    """Named functions of a batch: plain means over examples, functions of such means, or penalties.

    Of each batch they give *parts*, whose means over all the data give the values. A plain mean has one part, which is
    its value; an ``Aggregate`` has several. So whatever the batches, the value is that over all the data. Where an
    ``Aggregate`` shows something else than its value, ``contributions`` and ``changes`` are of what it shows.

    Args:
        functions: name -> loss or metric, ``Aggregate`` or ``Penalty``.
        metrics: whether they are metrics, which may return any kind of number.

    Attributes:
        names: in order.
        plain: whether every value is a mean over examples, so that batches can be averaged.
        honest: whether every value is what is shown.
        absolute: the names of those that are shown without their sign.
    """

    def __init__(self, functions: Mapping[str, Any], *, metrics: bool = False) -> None:
        self._functions = {name: f.function if isinstance(f, Metric) else f for name, f in functions.items()}
        self._metrics = metrics
        self.names = tuple(functions)
        aggregates = {name: f for name, f in self._functions.items() if isinstance(f, Aggregate)}
        self.plain = not aggregates
        self.honest = all(f.shown is None for f in aggregates.values())
        self.absolute = tuple(name for name, f in aggregates.items() if f.absolute)

    @property
    def reads_parameters(self) -> bool:
        """Whether some are penalties, which need the steered parameters."""
        return any(isinstance(f, Penalty) for f in self._functions.values())

    def is_plain(self, name: str) -> bool:
        """Whether it is given as a mean over examples."""
        return not isinstance(self._functions[name], Aggregate | Penalty)

    def parts(self, outputs: Outputs, steered: Mapping[str, Tensor], batch: Batch) -> list[Tensor]:
        """The parts of each, every one [its number of parts], with their graphs.

        Raises:
            ProblemError: one failed, or returned something else than it should; names it.
        """
        return [self.part(name, outputs, steered, batch) for name in self.names]

    def part(self, name: str, outputs: Outputs, steered: Mapping[str, Tensor], batch: Batch) -> Tensor:
        """The parts of one."""
        function = self._functions[name]
        # Containers of its own, so that what one function takes out of a dict is there for the next.
        outputs, batch = trees.fresh(outputs), trees.fresh(batch)
        with blaming("metric" if self._metrics else "loss", name):
            value: Any
            if isinstance(function, Penalty):
                value = function(steered)
            else:
                value = (function.means if isinstance(function, Aggregate) else function)(outputs, batch)
        if isinstance(function, Penalty):
            return _one_number("penalty", name, value)[None]
        if isinstance(function, Aggregate):
            means = value
            if not isinstance(means, Tensor) or means.ndim != 1:
                raise ProblemError(
                    f"the means of {in_quotes(name)} must be a vector, not {_kind(means)}; torch.stack scalar means"
                )
            return means
        return (scalar_metric if self._metrics else scalar)(name, value)[None]

    def values(self, parts: Sequence[Tensor], means: Sequence[Tensor] | None = None) -> Tensor:
        """The values [q] on one batch alone, from its parts; differentiable.

        With the ``means`` of the parts over all the data, the values there, which change as this batch's parts do.
        """
        if means is not None:
            parts = [part + (mean.to(part) - part.detach()) for part, mean in zip(parts, means, strict=True)]
        return torch.stack([self.value(name, part) for name, part in zip(self.names, parts, strict=True)])

    def of_batch(self, name: str, outputs: Outputs, steered: Mapping[str, Tensor], batch: Batch) -> Tensor:
        """The value of one on one batch alone, a scalar; differentiable."""
        return self.value(name, self.part(name, outputs, steered, batch))

    def linear(self, parts: Sequence[Tensor], slopes: Sequence[Tensor]) -> Tensor:
        """[q], of the values the part that is linear in the parts, from their ``slopes``; differentiable."""
        return torch.stack([part @ slope.to(part) for part, slope in zip(parts, slopes, strict=True)])

    def value(self, name: str, part: Tensor) -> Tensor:
        """The value of one on one batch alone, a scalar; zero where it is not defined there, see ``Aggregate``."""
        value = self._value(name, part)
        return part.sum() * 0 if self._undefined(name, part, value) else value

    def is_defined(self, name: str, part: Tensor) -> bool:
        """Whether the value of one is a number on one batch alone."""
        return not self._undefined(name, part, self._value(name, part))

    def _undefined(self, name: str, part: Tensor, value: Tensor) -> bool:
        """Whether it takes other data to give a value, rather than the model or the data being broken."""
        if not isinstance(self._functions[name], Aggregate):
            return False
        return bool(value.isnan() & part.isfinite().all())

    def contributions(self, fractions: Tensor, parts: Sequence[Tensor]) -> Tensor:
        """Each batch's contribution to what is shown, [b, q]: its linear part around that over all the data.

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
            at = self._linearised(name, mean, shown=True)
            columns.append(at.value + (part - mean) @ at.slope)
        return torch.stack(columns, dim=1) if columns else torch.zeros(len(fractions), 0, dtype=torch.float64)

    def changes(
        self, fractions: Tensor, parts: Sequence[Tensor], tangents: Sequence[Tensor]
    ) -> tuple[Tensor, Tensor]:
        """How ``contributions`` change as the parts move along k directions, and how what is shown turns.

        An ``Aggregate``'s contribution of a batch with parts p is ``value(M) + (p - M) . slope(M)``, M being the means
        over all the data. Its derivative along a direction, in which p moves by t and M by T, is

            t . slope(M) + (p - M) . value''(M) T

        Args:
            fractions: [b], each batch's share of the data.
            parts: of each quantity, [b, its number of parts], float64.
            tangents: their derivatives, [b, its number of parts, k].

        Returns:
            the derivatives of the contributions, [b, q, k], and ``T^T value'' T``, [q, k, k]; zero for what is a mean
            itself.
        """
        columns, turns = [], []
        for name, part, tangent in zip(self.names, parts, tangents, strict=True):
            if not isinstance(self._functions[name], Aggregate):
                columns.append(tangent[:, 0])
                turns.append(tangent.new_zeros(tangent.shape[-1], tangent.shape[-1]))
                continue
            mean, mean_tangent = fractions @ part, torch.tensordot(fractions, tangent, 1)
            at = self._linearised(name, mean, mean_tangent, shown=True)
            by_the_batch = torch.einsum("bpk,p->bk", tangent, at.slope)
            by_the_means = (part - mean) @ at.turning
            columns.append(by_the_batch + by_the_means)
            turns.append(mean_tangent.T @ at.turning)
        return torch.stack(columns, dim=1), torch.stack(turns)

    def steering(
        self, means: Sequence[Tensor], along: Sequence[Tensor] | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """The values that are steered by, and how they turn.

        Args:
            means: of each quantity's parts over all the data.
            along: the derivatives T of these means along k directions, each [its number of parts, k].

        Returns:
            [q], and ``T^T value'' T``, [q, k, k]; None without ``along``.
        """
        if along is None:
            found = [self._linearised(name, mean) for name, mean in zip(self.names, means, strict=True)]
            return torch.stack([at.value for at in found]), None
        found = [self._linearised(n, mean, t) for n, mean, t in zip(self.names, means, along, strict=True)]
        turns = [t.T @ at.turning for t, at in zip(along, found, strict=True)]
        return torch.stack([at.value for at in found]), torch.stack(turns)

    def signs(self, means: Sequence[Tensor]) -> Tensor:
        """[q], -1 for what is shown without its sign and is negative; else 1."""
        signs = [float(self._sign(name, mean)) for name, mean in zip(self.names, means, strict=True)]
        return torch.tensor(signs, dtype=torch.float64)

    def slopes(self, means: Sequence[Tensor], *, shown: bool = False) -> list[Tensor]:
        """The derivative of each value, or of what is shown, by its own parts at their means over all the data."""
        return [
            self._linearised(name, mean, shown=shown).slope
            for name, mean in zip(self.names, means, strict=True)
        ]

    def _linearised(
        self, name: str, mean: Tensor, along: Tensor | None = None, *, shown: bool = False
    ) -> _Linear:
        """The value, or what is shown, at the ``mean`` [parts]; ``along`` are its derivatives [parts, k], if any."""
        turning = torch.zeros_like(mean if along is None else along)
        if not isinstance(self._functions[name], Aggregate):
            return _Linear(mean[0], torch.ones_like(mean), turning)
        slope = torch.zeros_like(mean)
        with torch.enable_grad():
            mean = mean.detach().requires_grad_()
            value = self._shown(name, mean) if shown else self._value(name, mean)
            if value.requires_grad:  # else it is constant
                twice = along is not None
                (slope,) = torch.autograd.grad(value, mean, create_graph=twice, materialize_grads=True)
            if along is not None and slope.requires_grad:  # else it is linear
                turning = _products(slope, mean, along)
        return _Linear(value.detach(), slope.detach(), turning)

    def _value(self, name: str, part: Tensor) -> Tensor:
        """The value of one from the means of its parts, a scalar; differentiable."""
        function = self._functions[name]
        if not isinstance(function, Aggregate):
            return part[0]
        with blaming("the value of aggregate", name):
            value = function.value(part)
        return _one_number("the value of aggregate", name, value)

    def _shown(self, name: str, part: Tensor) -> Tensor:
        """What is shown of one from the means of its parts; of an absolute value with the derivative of its side."""
        function = self._functions[name]
        if not isinstance(function, Aggregate) or function.shown is None:
            return self._value(name, part)
        with blaming("what is shown of aggregate", name):
            value = function.shown(part)
        shown = _one_number("what is shown of aggregate", name, value)
        return self._sign(name, part).to(shown) * shown

    def _sign(self, name: str, part: Tensor) -> Tensor:
        function = self._functions[name]
        if not isinstance(function, Aggregate) or not function.absolute or function.shown is None:
            return part.new_ones(())
        with torch.no_grad():
            return 1.0 - 2.0 * (function.shown(part) < 0).to(part)


def _products(slope: Tensor, mean: Tensor, along: Tensor) -> Tensor:
    """The second derivatives times each column of ``along`` [parts, k], from the graph of the ``slope`` by the mean."""
    products = [
        torch.autograd.grad(slope, mean, t, retain_graph=True, materialize_grads=True)[0] for t in along.T
    ]
    return torch.stack(products, dim=1)


def _one_number(what: str, name: str, value: object) -> Tensor:
    if not isinstance(value, Tensor) or value.ndim != 0:
        raise ProblemError(
            f"{what} {in_quotes(name)} must be a scalar tensor, not {_kind(value)}; end with .sum(), say"
        )
    return value


def _kind(value: object) -> str:
    return (
        f"a tensor of shape {list(value.shape)}" if isinstance(value, Tensor) else f"a {type(value).__name__}"
    )
