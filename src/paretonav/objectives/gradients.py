"""The gradients of one pass over data, batch by batch: what a Jacobian was added up of."""

from __future__ import annotations

import torch
from torch import Tensor

from paretonav.objectives.collected import Collected
from paretonav.objectives.losses import Losses, Response
from paretonav.objectives.place import Place

MOST = 2**24
"""Numbers that are kept; where there are more, none are."""


class BatchGradients:
    """Those at one place, where the response of plain losses along any directions follows from them: no pass is needed.

    Args:
        theta: where, [n].
        m: the number of losses.
        wanted: whether to keep any.
    """

    def __init__(self, theta: Tensor, m: int, *, wanted: bool) -> None:
        self._place = Place(theta)
        self._m = m
        self._room = MOST if wanted else -1
        self._batches: list[list[Tensor | None]] = []
        self._collected: Collected | None = None

    def next(self) -> None:
        """A batch begins."""
        if self._room >= 0:
            self._batches.append([None] * self._m)

    def keep(self, i: int, gradient: Tensor) -> None:
        """The gradient [n] of loss i on the batch."""
        self._room -= gradient.numel()
        if self._room >= 0:
            self._batches[-1][i] = gradient
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
        along = [torch.stack([zero if g is None else directions @ g for g in row]) for row in self._batches]
        batches = torch.stack(along).double().cpu()
        return self._collected.losses(), Response(batches, self._collected.fractions)
