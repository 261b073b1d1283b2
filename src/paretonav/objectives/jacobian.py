"""The Jacobian of a model's losses, in one pass over its data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from paretonav.objectives.collected import Read
from paretonav.objectives.gradients import BatchGradients, Row, rows_apart, whole_rows
from paretonav.objectives.modes import variable
from paretonav.objectives.outputs import detached, divided
from paretonav.objectives.passes import Given, Passes
from paretonav.objectives.problem import Split


class Differentiated(NamedTuple):
    """What is known after a pass with gradients, besides these.

    Attributes:
        read: the losses.
        examples: that were differentiated, once for every gradient.
        kept: whether the gradients of every batch are kept.
    """

    read: Read
    examples: int
    kept: bool


class JacobianPass:
    """The pass of one Jacobian over this process's batches, and the gradients of every batch that are kept of it.

    A loss that is a function of means over all the data (``Aggregate``) has a gradient that is a weighted sum of the
    gradients of its parts, and the weights, its *slopes*, are known only where all the data were read. There are two
    ways: read them in a pass without gradients, then differentiate each loss once on each batch; or differentiate each
    part on each batch, and weight afterwards. The second also tells how each batch's losses change along any direction.

    Args:
        passes: over the data.
        theta: where, [n].
        split: of the data.
        wanted: whether to keep the gradients of every batch.

    Attributes:
        gradients: those that are kept.
    """

    def __init__(self, passes: Passes, theta: Tensor, split: Split, *, wanted: bool) -> None:
        self._passes, self._theta, self._split = passes, theta, split
        self.gradients = BatchGradients(wanted=wanted)
        self._sums: dict[tuple[int, int], Tensor] = {}

    def by_losses(self, slopes: Sequence[Tensor] | None) -> tuple[Differentiated, Tensor]:
        """The Jacobian, times the number of examples, by one backward pass for each loss on each batch.

        Args:
            slopes: of the losses by their parts, at the means over all the data; None where every loss is a mean.
        """
        jacobian = self._zero()

        def add(row: Row, gradient: Tensor, length: int) -> None:
            jacobian[row.loss].add_(gradient, alpha=length)

        return self._differentiate(lambda _, parts: whole_rows(parts, slopes), add), jacobian

    def by_parts(self) -> Differentiated:
        """The gradients of each part by one backward pass each, to be ``weighted`` by slopes: no pass comes first."""
        sums = self._sums

        def add(row: Row, gradient: Tensor, length: int) -> None:
            key = row.loss, row.part
            if key not in sums:
                sums[key] = torch.zeros_like(gradient)
            sums[key].add_(gradient, alpha=length)

        return self._differentiate(lambda outputs, parts: rows_apart(parts, divided(outputs)[0]), add)

    def weighted(self, slopes: Sequence[Tensor]) -> Tensor:
        """The Jacobian, times the number of examples, from the gradients ``by_parts``, which are let go of."""
        jacobian = self._zero()
        for (i, j), total in self._sums.items():
            jacobian[i].add_(total, alpha=float(slopes[i][j]))
        self._sums.clear()
        return jacobian

    def _zero(self) -> Tensor:
        return self._theta.new_zeros(len(self._passes.losses.names), self._theta.numel())

    def _differentiate(
        self,
        rows: Callable[[Given, Sequence[Tensor]], list[Row]],
        add: Callable[[Row, Tensor, int], None],
    ) -> Differentiated:
        """One pass over the data with gradients.

        Args:
            rows: from a batch's outputs and the losses' parts to what is to be differentiated.
            add: called with each of these, its gradient [n], and the batch's number of examples.
        """
        passes, collected = self._passes, self._passes.empty(self._split)
        here = variable(self._theta)
        examples = 0
        model = passes.at(here)
        for batch, length in passes.batches(self._split):
            outputs = model(batch)
            parts = passes.losses.parts(*outputs, batch)
            self.gradients.next()
            for row in rows(outputs, parts):
                passes.watch.checkpoint()
                with passes.model.again(here):
                    gradient = row.back(here)
                add(row, gradient, length)
                self.gradients.keep(row.loss, row.part, gradient)
                examples += length
            collected.add(length, detached(outputs), batch, parts)
        return Differentiated(collected.read(), examples, self.gradients.kept)
