"""The means of the losses' parts over all the data, where they were taken last."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from paretonav.objectives.collected import Collected
from paretonav.objectives.place import Place
from paretonav.objectives.problem import Split


class Means:
    """What functions of means (``Aggregate``) are functions of, at the parameters where it was asked for last.

    Args:
        read: a pass over a split without gradients, counted.
    """

    def __init__(self, read: Callable[[Tensor, Split], Collected]) -> None:
        self._read = read
        self._known: dict[Split, tuple[Place, list[Tensor]]] = {}

    def at(self, theta: Tensor, split: Split) -> list[Tensor]:
        """Of each loss its parts over all the data; known where they have just been taken, else by a pass."""
        place, means = self._known.get(split, (None, []))
        if place is None or not place.is_at(theta):
            return self.remember(theta, split, self._read(theta, split))
        return means

    def remember(self, theta: Tensor, split: Split, collected: Collected) -> list[Tensor]:
        """Keep the means of a pass that was just made at ``theta`` [n], and return them."""
        means = collected.means()
        self._known[split] = Place(theta), means
        return means

    def forget(self) -> None:
        """Forget all means: the same parameters are another model now."""
        self._known.clear()
