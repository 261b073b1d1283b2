"""What work costs, and how it is counted while it is done."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

from paretonav.objectives.watch import Watch


@dataclass(frozen=True)
class Cost:
    """What was spent.

    A pass is one over the whole training set; a pass over a part of it, or over validation data, counts as
    the fraction of the training set that it reads.

    Attributes:
        forward_passes: evaluations of all objectives; a Jacobian-vector product costs two.
        gradient_passes: backward passes of one scalar; a Jacobian of m objectives costs m.
        hessian_products: curvature-vector products, each on the frozen curvature sample.
        seconds: wall-clock time, where somebody has measured it.
    """

    forward_passes: float = 0.0
    gradient_passes: float = 0.0
    hessian_products: int = 0
    seconds: float = 0.0

    def __add__(self, other: Self) -> Self:
        return type(self)(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def __sub__(self, other: Self) -> Self:
        return type(self)(*(getattr(self, f.name) - getattr(other, f.name) for f in fields(self)))


class Tally:
    """Counts what is spent on one problem, where it is spent.

    An operation's cost is what its own thread has spent. What other threads spend meanwhile is counted beside it, and
    added once it has ended.

    Args:
        watch: knows whether an operation is under way, and in which thread; None where there is none.

    Example:
        >>> tally = Tally()
        >>> tally.count(forward_passes=1, gradient_passes=3)
        >>> tally.count(forward_passes=0.5)
        >>> tally.cost
        Cost(forward_passes=1.5, gradient_passes=3.0, hessian_products=0, seconds=0.0)
    """

    def __init__(self, watch: Watch | None = None) -> None:
        self._watch = watch
        self._cost = self._beside = Cost()

    @property
    def cost(self) -> Cost:
        """What has been spent so far, as this thread counts it."""
        if self._elsewhere:
            return self._beside
        self._settle()
        return self._cost

    def count(
        self, *, forward_passes: float = 0.0, gradient_passes: float = 0.0, hessian_products: int = 0
    ) -> None:
        """Add what was just spent; see ``Cost``."""
        spent = Cost(forward_passes, gradient_passes, hessian_products)
        if self._elsewhere:
            self._beside += spent
        else:
            self._settle()
            self._cost += spent

    @property
    def _elsewhere(self) -> bool:
        return self._watch is not None and self._watch.elsewhere

    def _settle(self) -> None:
        """Add what was counted beside an operation, once that has ended."""
        if self._beside != Cost() and not (self._watch is not None and self._watch.active):
            beside, self._beside = self._beside, Cost()
            self._cost += beside
