"""The gradients of one pass over data, batch by batch: what a Jacobian was added up of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from paretonav.objectives.collected import Collected
from paretonav.objectives.losses import Losses, Response
from paretonav.objectives.place import Place

MOST = 2**24
"""Numbers that are kept; where there are more, none are."""


class Row(NamedTuple):
    """What a backward pass is for.

    Attributes:
        loss: the number of the loss.
        part: the number of its part, of which this is the gradient.
        back: theta -> that gradient, [n].
    """

    loss: int
    part: int
    back: Callable[[Tensor], Tensor]


def whole_rows(parts: Sequence[Tensor], slopes: Sequence[Tensor] | None) -> list[Row]:
    """One for every loss that has a gradient on this batch.

    Args:
        parts: of each loss, [its number of parts], with their graphs.
        slopes: the derivatives of the losses by them; None where every loss is its one part.
    """

    def back(i: int, part: Tensor) -> Callable[[Tensor], Tensor]:
        slope = None if slopes is None else slopes[i].to(part)
        return lambda theta: torch.autograd.grad(
            part, theta, slope, retain_graph=i + 1 < len(parts), materialize_grads=True
        )[0]

    return [Row(i, 0, back(i, part)) for i, part in enumerate(parts) if part.requires_grad]


def rows_apart(parts: Sequence[Tensor], variable: Sequence[Tensor]) -> list[Row]:
    """One for every part whose gradient is not zero on this batch.

    That shows in the derivatives by the outputs, which cost next to nothing: of a group's mean score one part is the
    group's share, which no parameter changes.

    Args:
        parts: of each loss, [its number of parts], with their graphs.
        variable: the outputs that they are computed of, with theirs.
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
    """Those at one place, where the response of the losses along any directions follows from them: no pass is needed.

    Args:
        theta: where, [n].
        wanted: whether to keep any.
    """

    def __init__(self, theta: Tensor, *, wanted: bool) -> None:
        self._place = Place(theta)
        self._room = MOST if wanted else -1
        self._batches: list[dict[tuple[int, int], Tensor]] = []
        self._collected: Collected | None = None

    def next(self) -> None:
        """A batch begins."""
        if self._room >= 0:
            self._batches.append({})

    def keep(self, loss: int, part: int, gradient: Tensor) -> None:
        """The gradient [n] of a part of a loss on the batch; those that are not kept are zero."""
        self._room -= gradient.numel()
        if self._room >= 0:
            self._batches[-1][loss, part] = gradient
        else:
            self._batches.clear()

    def end(self, collected: Collected) -> None:
        """The pass is over, in which these losses were collected."""
        self._collected = collected

    def response(self, theta: Tensor, directions: Tensor) -> tuple[Losses, Response] | None:
        """The losses and their response along ``directions`` [k, n], if this is the place; else None."""
        if self._room < 0 or self._collected is None or not self._place.is_at(theta):
            return None
        zero = directions.new_zeros(len(directions))

        def along(loss: int, count: int) -> Tensor:
            """[b, count, k], how the parts of a loss change, batch by batch."""
            rows = [
                torch.stack([directions @ kept[loss, j] if (loss, j) in kept else zero for j in range(count)])
                for kept in self._batches
            ]
            return torch.stack(rows).double().cpu()

        tangents = [along(i, count) for i, count in enumerate(map(len, self._collected.means()))]
        return self._collected.losses(), self._collected.response_to([tangents])


def worth_it(rows: int, losses: int, n: int, batches: int) -> bool:
    """Whether gradients of the parts cost no more than those of the losses and a response, and can all be kept.

    The response along a tangent's ``losses + 1`` solutions costs two forward passes each, about as much as so many
    backward passes.
    """
    return rows <= 2 * losses + 1 and rows * n * batches <= MOST
