"""Differences in place of derivatives, of metrics that have none."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from paretonav.errors import ProblemError
from paretonav.objectives.collected import Collected, Parts, measured
from paretonav.objectives.pushforward import Curved, Pushed
from paretonav.objectives.quantities import Batch, Quantities


class Differences:
    """Central differences along directions, in one pass over data, of metrics whose derivatives are zero everywhere.

    An accuracy moves by leaps: its derivative is zero, and says nothing. The outputs at the ends are known to first
    order, which takes no pass; they are computed where there is no forward mode, or where a metric does not take what
    is linear (probabilities above 1, say).

    Args:
        metrics: all of them.
        slopes: their derivatives on the first batch, with those of the losses; what is not zero there needs no
            difference.
        steps: [k], a length along each direction.
        where: the data, for messages.
        blocks: see ``Collected``.
    """

    def __init__(
        self,
        metrics: Quantities,
        slopes: list[Parts],
        steps: Tensor,
        where: str,
        blocks: Sequence[int] | None = None,
    ) -> None:
        self._steps: list[float] = steps.tolist()
        self._where = where
        self._flat = _flat(slopes, range(len(metrics.names)))
        self._chosen = list(self._flat)
        self._metrics = metrics.chosen(self._chosen)
        self._ends = [
            [Collected(Quantities({}), self._metrics, where, blocks) for _ in range(2)] for _ in self._steps
        ]
        self._linear = True

    def add(self, length: int, batch: Batch, pushed: Pushed) -> int:
        """Measure a batch at both ends of every step, if there is still something to measure.

        Returns:
            how many passes over the batch it took.
        """
        self._flat = _flat(pushed.slopes, self._flat)
        if not self._flat:
            return 0
        found = None
        if self._linear and pushed.linear is not None:
            found = self._linearly(batch, pushed.linear)
            self._linear = found is not None
        passes = 0 if found else 2 * len(self._steps)
        for ends, pair in zip(self._ends, found or self._measured(batch, pushed.computed), strict=True):
            for collected, parts in zip(ends, pair, strict=True):
                collected.add_parts(length, [], parts)
        return passes

    def fill(self, along: Tensor) -> None:
        """Put the differences in their places among all metrics' derivatives, [b, p, k]."""
        if not self._flat:
            return
        places = [self._chosen.index(i) for i in self._flat]
        for k, (step, ends) in enumerate(zip(self._steps, self._ends, strict=True)):
            ahead, behind = (collected.losses().metric_batches for collected in ends)
            along[:, self._flat, k] = ((ahead - behind) / (2 * step))[:, places]

    def _linearly(
        self, batch: Batch, linear: Callable[[int, float], Curved]
    ) -> list[list[list[Tensor]]] | None:
        try:
            found = self._measured(batch, linear)
        except ProblemError:
            return None
        finite = all(part.isfinite().all() for pair in found for parts in pair for part in parts)
        return found if finite else None

    def _measured(self, batch: Batch, moved: Callable[[int, float], Curved]) -> list[list[list[Tensor]]]:
        """The metrics' parts, per direction ahead and behind."""
        return [
            [measured(self._metrics, moved(k, sign * step), batch, self._where) for sign in (1, -1)]
            for k, step in enumerate(self._steps)
        ]


def _flat(slopes: list[Parts], which: list[int] | range) -> list[int]:
    """Those of the metrics that no direction moves."""
    return [i for i in which if not any(metrics[i].any() for _, metrics in slopes)]
