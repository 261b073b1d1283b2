"""Differences in place of derivatives, of metrics that have none."""

from __future__ import annotations

from torch import Tensor

from paretonav.objectives.collected import Collected, Parts
from paretonav.objectives.pushforward import Pushed
from paretonav.objectives.quantities import Batch, Quantities


class Differences:
    """Central differences along directions, in one pass over data, of metrics whose derivatives are zero everywhere.

    An accuracy moves by leaps: its derivative is zero, and says nothing.

    Args:
        metrics: all of them.
        slopes: their derivatives on the first batch, with those of the losses; what is not zero there needs no
            difference.
        steps: [k], a length along each direction.
        where: the data, for messages.
    """

    def __init__(self, metrics: Quantities, slopes: list[Parts], steps: Tensor, where: str) -> None:
        self._steps = steps.tolist()
        self._flat = _flat(slopes, range(len(metrics.names)))
        self._chosen = list(self._flat)
        chosen = metrics.chosen(self._chosen)
        self._ends = [
            [(sign * step, Collected(Quantities({}), chosen, where)) for sign in (1, -1)]
            for step in self._steps
        ]

    def add(self, length: int, batch: Batch, pushed: Pushed) -> int:
        """Measure a batch at the end of every step, if there is still something to measure; the number of ends."""
        self._flat = _flat(pushed.slopes, self._flat)
        if not self._flat:
            return 0
        for k, ends in enumerate(self._ends):
            for step, collected in ends:
                collected.add(length, pushed.moved(k, step), batch)
        return 2 * len(self._ends)

    def fill(self, along: Tensor) -> None:
        """Put the differences in their places among all metrics' derivatives, [b, p, k]."""
        if not self._flat:
            return
        places = [self._chosen.index(i) for i in self._flat]
        for k, (step, ends) in enumerate(zip(self._steps, self._ends, strict=True)):
            ahead, behind = (collected.losses().metric_batches for _, collected in ends)
            along[:, self._flat, k] = ((ahead - behind) / (2 * step))[:, places]


def _flat(slopes: list[Parts], which: list[int] | range) -> list[int]:
    """Those of the metrics that no direction moves."""
    return [i for i in which if not any(metrics[i].any() for _, metrics in slopes)]
