"""The Jacobian of a model's losses, in one pass over its data."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from paretonav.objectives.collected import Collected
from paretonav.objectives.gradients import BatchGradients, Row, rows_apart, whole_rows
from paretonav.objectives.losses import Losses, Response
from paretonav.objectives.modes import variable
from paretonav.objectives.outputs import detached, divided
from paretonav.objectives.passes import Given, Passes
from paretonav.objectives.problem import Split


class Jacobians:
    """Jacobians of the losses, and the gradients of every batch that are kept of the latest one.

    A loss that is a function of means over all the data (``Aggregate``) has a gradient that is a weighted sum of the
    gradients of its parts, and the weights, its *slopes*, are known only where all the data were read. There are two
    ways: read them in a pass without gradients, then differentiate each loss once on each batch; or differentiate each
    part on each batch, and weight afterwards. The second also tells how each batch's losses change along any direction.

    Args:
        passes: over the data.
        apart: whether to differentiate part by part; see ``gradients.worth_it``.
    """

    def __init__(self, passes: Passes, *, apart: bool) -> None:
        self._passes = passes
        self.apart = apart
        self._kept: BatchGradients | None = None  # of the latest Jacobian on training data

    def at(self, theta: Tensor, split: Split) -> tuple[Losses, Tensor]:
        """The losses at ``theta`` [n] and their Jacobian [m, n]."""
        collected = self._passes.empty(split)
        keep = split == "train" and collected.metrics is None  # gradients know nothing of metrics
        # Of an Aggregate a batch's change is not along its gradient alone: what it adds depends on the other means.
        apart = keep and self.apart
        gradients = BatchGradients(theta, wanted=keep and (apart or self._passes.losses.plain))
        one = _OnePass(self._passes, theta, split, collected, gradients)
        jacobian = one.by_parts() if apart else one.by_losses()
        losses = collected.losses()
        if split == "train":
            gradients.end(collected)
            self._kept = gradients
            self._passes.watch.saw(self._passes.losses.names, losses.mean)
        return losses, jacobian.div_(collected.length)

    def response(self, theta: Tensor, directions: Tensor) -> tuple[Losses, Response] | None:
        """The training losses, and their response along ``directions`` [k, n], where kept gradients tell; else None."""
        return None if self._kept is None else self._kept.response(theta, directions)

    def forget(self) -> None:
        """Forget the gradients: the same parameters are another model now."""
        self._kept = None


class _OnePass:
    """The pass of one Jacobian.

    Args:
        passes: over the data.
        theta: where, [n].
        split: of the data.
        collected: gets the losses of each batch.
        gradients: gets the gradients.
    """

    def __init__(
        self, passes: Passes, theta: Tensor, split: Split, collected: Collected, gradients: BatchGradients
    ) -> None:
        self._passes, self._theta, self._split = passes, theta, split
        self._collected, self._gradients = collected, gradients

    def by_losses(self) -> Tensor:
        """The Jacobian, times the number of examples, by one backward pass for each loss on each batch.

        That needs the slopes of the losses by their parts at the means over all the data. Where these are unknown it
        takes a pass without gradients first.
        """
        losses = self._passes.losses
        slopes = None if losses.plain else losses.slopes(self._passes.means(self._theta, self._split))
        jacobian = self._zero()

        def add(row: Row, gradient: Tensor, length: int) -> None:
            jacobian[row.loss].add_(gradient, alpha=length)

        self._differentiate(lambda _, parts: whole_rows(parts, slopes), add)
        return jacobian

    def by_parts(self) -> Tensor:
        """The same by one backward pass for each part, weighted by slopes afterwards: no pass comes first."""
        sums: dict[tuple[int, int], Tensor] = {}

        def add(row: Row, gradient: Tensor, length: int) -> None:
            key = row.loss, row.part
            if key not in sums:
                sums[key] = torch.zeros_like(gradient)
            sums[key].add_(gradient, alpha=length)

        self._differentiate(lambda outputs, parts: rows_apart(parts, divided(outputs)[0]), add)
        means = self._passes.remember(self._theta, self._split, self._collected)
        slopes = self._passes.losses.slopes(means)
        jacobian = self._zero()
        for (i, j), total in sums.items():
            jacobian[i].add_(total, alpha=float(slopes[i][j]))
        return jacobian

    def _zero(self) -> Tensor:
        return self._theta.new_zeros(len(self._passes.losses.names), self._theta.numel())

    def _differentiate(
        self,
        rows: Callable[[Given, Sequence[Tensor]], list[Row]],
        add: Callable[[Row, Tensor, int], None],
    ) -> None:
        """One pass over the data with gradients; counts its cost.

        Args:
            rows: from a batch's outputs and the losses' parts to what is to be differentiated.
            add: called with each of these, its gradient [n], and the batch's number of examples.
        """
        passes = self._passes
        here = variable(self._theta)
        read = 0  # examples, once for every gradient
        model = passes.at(here)
        for batch, length in passes.batches(self._split):
            outputs = model(batch)
            parts = passes.losses.parts(*outputs, batch)
            self._gradients.next()
            for row in rows(outputs, parts):
                passes.watch.checkpoint()
                with passes.model.again(here):
                    gradient = row.back(here)
                add(row, gradient, length)
                self._gradients.keep(row.loss, row.part, gradient)
                read += length
            self._collected.add(length, detached(outputs), batch, parts)
        passes.tally.count(
            forward_passes=passes.share(self._split), gradient_passes=read / passes.data["train"].size
        )
