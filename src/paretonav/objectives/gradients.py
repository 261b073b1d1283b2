"""Per-batch gradients, kept from the pass that computed a Jacobian.

The Jacobian is their weighted sum. Kept one by one they also say how each batch's losses change along any direction,
for which another pass over the data is needed otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

MOST = 2**24
"""The most numbers that are kept, in all gradients together. Where there are more, none is kept."""


class Row(NamedTuple):
    """One backward pass to be made on a batch: it gives the gradient of a loss, or of one of its parts.

    Attributes:
        loss: the number of the loss.
        part: the number of the part within the loss; 0 where the gradient is that of the loss itself.
        back: theta -> the gradient, [n].
    """

    loss: int
    part: int
    back: Callable[[Tensor], Tensor]


def whole_rows(parts: Sequence[Tensor], slopes: Sequence[Tensor] | None) -> list[Row]:
    """One backward pass for every loss that depends on the parameters on this batch.

    Args:
        parts: of each loss, [its number of parts], with their graphs.
        slopes: the derivatives of each loss by its parts; None where every loss has one part, which is the loss.
    """

    def back(i: int, part: Tensor) -> Callable[[Tensor], Tensor]:
        slope = None if slopes is None else slopes[i].to(part)
        return lambda theta: torch.autograd.grad(
            part, theta, slope, retain_graph=i + 1 < len(parts), materialize_grads=True
        )[0]

    return [Row(i, 0, back(i, part)) for i, part in enumerate(parts) if part.requires_grad]


def rows_apart(parts: Sequence[Tensor], variable: Sequence[Tensor]) -> list[Row]:
    """One backward pass for every part whose gradient is not zero on this batch.

    Some parts never depend on the parameters, such as the share of examples that are in a group. They are found by
    differentiating down to the outputs only, which costs next to nothing.

    Args:
        parts: of each loss, [its number of parts], with their graphs.
        variable: the model's outputs that the parts are computed from, with their graphs.
    """
    rows = []
    for i, part in enumerate(parts):
        for j, entry in enumerate(part if part.requires_grad else ()):
            slopes = torch.autograd.grad(entry, variable, retain_graph=True, allow_unused=True)
            pairs = [(v, s) for v, s in zip(variable, slopes, strict=True) if s is not None and s.any()]
            if pairs:
                rows.append(Row(i, j, _backward(*zip(*pairs, strict=True))))
    return rows


def _backward(outputs: Sequence[Tensor], slopes: Sequence[Tensor]) -> Callable[[Tensor], Tensor]:
    return lambda theta: torch.autograd.grad(
        outputs, theta, slopes, retain_graph=True, materialize_grads=True
    )[0]


class BatchGradients:
    """The gradients of every batch of a pass, and what follows from them along any direction.

    The losses' response along directions is a product with these gradients, so that asking for it takes no pass over
    the data.

    Args:
        wanted: False to keep nothing.
    """

    def __init__(self, *, wanted: bool) -> None:
        self._room = MOST if wanted else -1
        self._batches: list[dict[tuple[int, int], Tensor]] = []

    @property
    def kept(self) -> bool:
        """Whether all are there."""
        return self._room >= 0

    def next(self) -> None:
        """Begin the next batch."""
        if self._room >= 0:
            self._batches.append({})

    def keep(self, loss: int, part: int, gradient: Tensor) -> None:
        """Keep the gradient [n] of a part of a loss on the latest batch; those that are not given are zero."""
        self._room -= gradient.numel()
        if self._room >= 0:
            self._batches[-1][loss, part] = gradient
        else:
            self._batches.clear()

    def along(self, directions: Tensor, counts: Sequence[int]) -> list[Tensor]:
        """The derivatives of every part of each loss along ``directions`` [k, n], batch by batch.

        Args:
            directions: [k, n].
            counts: how many parts each loss has.

        Returns:
            of each loss [batches, its number of parts, k], float64 on the CPU.
        """
        zero = directions.new_zeros(len(directions))

        def rows(loss: int, count: int) -> Tensor:
            found = [
                torch.stack([directions @ kept[loss, j] if (loss, j) in kept else zero for j in range(count)])
                for kept in self._batches
            ]
            empty = torch.zeros(0, count, len(directions))
            return (torch.stack(found) if found else empty).double().cpu()

        return [rows(i, count) for i, count in enumerate(counts)]


def worth_it(rows: int, losses: int, n: int, batches: int) -> bool:
    """Whether to differentiate the parts one by one: it is no dearer, and all gradients can be kept.

    The other way is a backward pass for each loss, then a response along the ``losses + 1`` solutions for a tangent.
    Two forward passes for each of these cost about as much as one backward pass.

    Args:
        rows: backward passes on a batch, if the parts are differentiated one by one.
        losses: how many there are.
        n: the number of parameters.
        batches: in one pass over the data.
    """
    return rows <= 2 * losses + 1 and rows * n * batches <= MOST
