"""One pass over data, batch by batch, and what follows from all of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, Self

import torch
from torch import Tensor
from torch.autograd import forward_ad

from paretonav.errors import ProblemError
from paretonav.objectives import trees
from paretonav.objectives.losses import Losses, Response
from paretonav.objectives.quantities import Batch, Outputs, Quantities
from paretonav.text import in_quotes

Parts = list[list[Tensor]]
"""The parts of the losses, then those of the metrics."""


class Read(NamedTuple):
    """What one process has read in a pass: the batches whose turn it was.

    Attributes:
        lengths: of the batches.
        parts: of each kind and quantity, [batches, its number of parts], float64 on the CPU.
    """

    lengths: list[int]
    parts: Parts


class Collected:
    """The parts of the losses and metrics in one pass, block by block.

    Args:
        losses: what they are of.
        metrics: the same.
        where: the data, for messages.
        blocks: for each batch that will be added, in order, the number of its block; None where every batch is one.
            What follows from the pass has an entry for every block, the mean over its batches.
    """

    def __init__(
        self,
        losses: Quantities,
        metrics: Quantities | None,
        where: str = "",
        blocks: Sequence[int] | None = None,
    ) -> None:
        self._where = where
        self.blocks = blocks
        self.metrics = metrics
        self._kinds = [losses] if metrics is None else [losses, metrics]
        self._lengths: list[int] = []
        self._parts: list[Parts] = []
        self._columns: Parts | None = None  # of each kind and quantity, where they have come from elsewhere

    @property
    def length(self) -> int:
        """The number of examples so far."""
        return sum(self._lengths)

    @property
    def fractions(self) -> Tensor:
        """[b], each block's share of the examples."""
        sizes = torch.tensor(self._lengths, dtype=torch.float64)
        return (sizes if self.blocks is None else self._membership().T @ sizes) / self.length

    def add(
        self,
        length: int,
        outputs: tuple[Outputs, Mapping[str, Tensor]],
        batch: Batch,
        losses: list[Tensor] | None = None,
    ) -> None:
        """Add a batch: its number of examples, and what was computed of it."""
        self.add_parts(length, *self.parts(outputs, batch, losses))

    def parts(
        self,
        outputs: tuple[Outputs, Mapping[str, Tensor]],
        batch: Batch,
        losses: list[Tensor] | None = None,
    ) -> Parts:
        """Those of a batch, without adding them."""
        losses = self._kinds[0].parts(*outputs, batch) if losses is None else losses
        with torch.no_grad():
            return [
                losses,
                [] if self.metrics is None else measured(self.metrics, outputs, batch, self._where),
            ]

    def add_parts(self, length: int, losses: list[Tensor], metrics: list[Tensor]) -> None:
        """Add a batch whose parts are known."""
        self._lengths.append(length)
        self._parts.append([[part.detach() for part in kind] for kind in (losses, metrics)])

    def read(self) -> Read:
        """What was added, to be sent elsewhere.

        Raises:
            ProblemError: the number of parts differs between batches; names the quantity.
        """
        return Read(self._lengths, self._by_batch() if self._lengths else [[] for _ in self._kinds])

    def joined(self, reads: Sequence[Read]) -> Self:
        """This with what several processes have read, whose turn it was one after the other."""
        self._lengths = interleaved([torch.tensor(read.lengths) for read in reads]).tolist()
        there = [read for read in reads if read.lengths]
        self._columns = []
        for k, kind in enumerate(self._kinds):
            for q, name in enumerate(kind.names):
                _require_one_size(name, [read.parts[k][q].shape[1] for read in there])
            columns = zip(*(read.parts[k] for read in there), strict=True)
            self._columns.append([interleaved(column) for column in columns])
        return self

    def shifted(self, shifts: Sequence[Tensor]) -> Collected:
        """The same, with the parts of each loss larger by its ``shifts`` [its number of parts] on every batch."""
        found = Collected(self._kinds[0], self.metrics, self._where, self.blocks)
        losses, *metrics = self._by_batch()
        found._lengths = self._lengths
        found._columns = [[part + shift for part, shift in zip(losses, shifts, strict=True)], *metrics]
        return found

    def losses(self) -> Losses:
        """All that was added."""
        fractions = self.fractions
        losses, *metrics = (
            q.contributions(fractions, p) for q, p in zip(self._kinds, self._stacked(), strict=True)
        )
        found = Losses(losses, fractions, examples=self.length)
        if self.metrics is not None:
            found = replace(found, metric_names=self.metrics.names, metric_batches=metrics[0])
        if any(kind.absolute for kind in self._kinds):
            signs = [kind.signs(means) for kind, means in zip(self._kinds, self._all_means(), strict=True)]
            found = replace(found, signs=torch.cat(signs))
        if self._kinds[0].honest:
            return found
        return replace(found, stand_in=self._kinds[0].steering(self.means())[0])

    def means(self) -> list[Tensor]:
        """Of each loss its parts, over all that was added."""
        return self._all_means()[0]

    def response(self, moving: Sequence[Collected], share: float = 1.0) -> Response:
        """How the values change along directions.

        Args:
            moving: per direction, the derivatives of the parts that were collected here, of the same blocks.
            share: of the data that was collected.
        """
        stacked = [each._by_batch() for each in moving]
        kinds = [zip(*each, strict=True) for each in zip(*stacked, strict=True)]
        return self.response_to([[torch.stack(each, dim=-1) for each in kind] for kind in kinds], share)

    def response_to(self, tangents: Parts, share: float = 1.0) -> Response:
        """The same from these derivatives of each kind and quantity, per batch: [batches, its number of parts, k]."""
        kinds = zip(self._kinds, self._stacked(), self._by_block(tangents), strict=True)
        moved = [kind.changes(self.fractions, *both) for kind, *both in kinds]
        changes, turns = zip(*moved, strict=True)
        response = Response(torch.cat(changes, dim=1), self.fractions, share, examples=self.length)
        losses = self._kinds[0]
        if losses.plain:
            return response
        response = replace(response, turn=turns[0], steered_turn=turns[0])
        if losses.honest:
            return response
        means = self.means()
        along = [torch.tensordot(self.fractions, tangent, 1) for tangent in self._by_block(tangents)[0]]
        return replace(response, steered_turn=losses.steering(means, along)[1], signs=losses.signs(means))

    def _all_means(self) -> Parts:
        """Of each kind and quantity its parts, over all that was added."""
        return [[self.fractions @ part for part in kind] for kind in self._stacked()]

    def _stacked(self) -> Parts:
        """Of each kind and quantity [b, its number of parts], by block."""
        return self._by_block(self._by_batch())

    def _by_block(self, parts: Parts) -> Parts:
        """The means over the blocks of means over the batches, [batches, ...] each."""
        if self.blocks is None:
            return parts
        shares = self._membership() * torch.tensor(self._lengths, dtype=torch.float64)[:, None]
        shares = shares / shares.sum(dim=0)
        return [[torch.tensordot(shares.T, part, 1) for part in kind] for kind in parts]

    def _membership(self) -> Tensor:
        """[batches, b], whether a batch is in a block; of the blocks that were met."""
        blocks = torch.tensor((self.blocks or ())[: len(self._lengths)])
        return (blocks[:, None] == torch.tensor(sorted(set(blocks.tolist())))).double()

    def _by_batch(self) -> Parts:
        """Of each kind and quantity [batches, its number of parts], float64 on the CPU.

        Raises:
            ProblemError: the number of parts differs between batches; names the quantity.
        """
        if self._columns is not None:
            return self._columns
        stacked: Parts = []
        for k, quantities in enumerate(self._kinds):
            columns = list(zip(*(parts[k] for parts in self._parts), strict=True))
            for name, column in zip(quantities.names, columns, strict=True):
                _require_one_size(name, map(len, column))
            stacked.append([torch.stack(column).double().cpu() for column in columns])
        return stacked


def interleaved(rows: Sequence[Tensor]) -> Tensor:
    """What several processes have of the batches whose turn it was, in the order of the batches; [its batches, ...]."""
    there = [each for each in rows if len(each)]  # those without any are the last
    if len(there) == 1:
        return there[0]
    total = sum(map(len, there))
    found = there[0].new_empty(total, *there[0].shape[1:])
    for rank, each in enumerate(there):
        found[rank :: len(rows)] = each
    return found


def _require_one_size(name: str, sizes: Iterable[int]) -> None:
    different = sorted(set(sizes))
    if len(different) > 1:
        raise ProblemError(
            f"the means of {in_quotes(name)} are {different[0]} numbers on one batch and {different[-1]} on another; "
            "give as many on every batch, with zero for what it does not hold"
        )


def measured(
    metrics: Quantities, outputs: tuple[Outputs, Mapping[str, Tensor]], batch: Batch, where: str
) -> list[Tensor]:
    """The parts of the metrics on one batch, with their graphs where they have one.

    Raises:
        ProblemError: a metric failed; names it.
    """
    parts = []
    for name in metrics.names:
        try:
            try:
                parts.append(metrics.part(name, *outputs, batch))
            except (RuntimeError, TypeError) as error:
                # What leaves torch (NumPy, scikit-learn) cannot take tensors that are being differentiated.
                if "requires grad" not in str(error):
                    raise
                plain, steered = trees.map_tensors(_primal, outputs)
                parts.append(metrics.part(name, plain, steered, batch))
        except ProblemError:
            raise
        except Exception as error:
            raise ProblemError(
                f"metric {in_quotes(name)} failed on {where} data: {error}; it is called as metric(outputs, batch)"
            ) from error
    return parts


def _primal(tensor: Tensor) -> Tensor:
    primal: Tensor = forward_ad.unpack_dual(tensor).primal  # type: ignore[no-untyped-call]
    return primal.detach()
