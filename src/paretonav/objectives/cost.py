"""What work costs, and how it is counted while it is done."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

from paretonav.objectives.watch import Watch


@dataclass
class Cost:
    """What was spent, counted where it is spent.

    A pass is one over the whole training set; a pass over a part of it, or over validation data, counts as
    the fraction of the training set that it reads.

    Attributes:
        forward_passes: evaluations of all objectives; a Jacobian-vector product costs two.
        gradient_passes: backward passes of one scalar; a Jacobian of m objectives costs m.
        hessian_products: curvature-vector products, each on the frozen curvature sample.
        seconds: wall-clock time, filled in by who measures it.
    """

    forward_passes: float = 0.0
    gradient_passes: float = 0.0
    hessian_products: int = 0
    seconds: float = 0.0

    def __sub__(self, other: Self) -> Self:
        return type(self)(*(getattr(self, f.name) - getattr(other, f.name) for f in fields(self)))

    def add(self, other: Self) -> None:
        """Add ``other`` to this, in place."""
        for f in fields(self):
            setattr(self, f.name, getattr(self, f.name) + getattr(other, f.name))


class Tally:
    """Counts what is spent on one problem, apart for the thread of an operation and for all others.

    An operation's cost is what its own thread has spent. What other threads spend meanwhile is counted beside it, and
    added once it has ended.

    Args:
        watch: knows whether an operation is under way, and in which thread.
    """

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._cost, self._beside = Cost(), Cost()

    @property
    def cost(self) -> Cost:
        """What has been spent so far, as this thread counts it."""
        if self._watch.elsewhere:
            return self._beside
        if not self._watch.active and self._beside != Cost():
            beside, self._beside = self._beside, Cost()
            self._cost.add(beside)
        return self._cost

    @cost.setter
    def cost(self, cost: Cost) -> None:
        self._cost, self._beside = cost, Cost()
