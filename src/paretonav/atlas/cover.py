"""Models that lie evenly along the front, as a value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from paretonav.display import Display, Shown
from paretonav.objectives import Cost
from paretonav.steering.preferences import Units
from paretonav.text import listed, number, printable, seconds, value

Values = dict[str, float]


@dataclass(frozen=True, repr=False)
class Unreached(Shown):
    """An outcome that was gone for in vain.

    Attributes:
        outcome: name -> the loss that was aimed at.
        start: the point from which that was tried last.
        reason: why it was not reached, in words.
    """

    outcome: Values
    start: int
    reason: str

    def _display(self) -> Display:
        at = listed(f"{printable(name)} {value(loss, loss)}" for name, loss in self.outcome.items())
        return Display(f"Not reached from point {self.start}: {at}", note=self.reason)


@dataclass(frozen=True, eq=False, repr=False)
class Cover(Shown):
    """Points that are spread evenly along the front.

    Attributes:
        points: their ids; with two objectives in the order in which they lie along the front, the best in the first
            objective first, otherwise each as far as could be from those before it.
        losses: name -> loss of each, in this order.
        wanted: how many were asked for.
        spacing: the distances of neighbours along the front; with more than two objectives, of each point to the
            nearest other.
        units: what they are counted in, see ``Navigator.cover``.
        allow: name -> the worst value that counted; around a model that is held also of losses of which nobody said.
        gaps: pairs of points between which there is no front that a walk could follow.
        unreached: what was gone for in vain.
        steps: how many were taken for it now, those that were taken back included.
        cost: of these.
    """

    points: tuple[int, ...]
    losses: tuple[Values, ...]
    wanted: int
    spacing: tuple[float, ...]
    units: Units
    allow: Values
    gaps: tuple[tuple[int, int], ...]
    unreached: tuple[Unreached, ...]
    steps: int
    cost: Cost

    @property
    def complete(self) -> bool:
        """Whether there are as many as were asked for."""
        return len(self.points) == self.wanted

    @property
    def unevenness(self) -> float:
        """The largest distance between neighbours over the mean, 1 at best; NaN where there are no two."""
        return float(max(self.spacing) / np.mean(self.spacing)) if self.spacing else float("nan")

    def _display(self) -> Display:
        many = (
            f"{len(self.points)} points" if self.complete else f"{len(self.points)} of {self.wanted} points"
        )
        title = f"Cover of {many}"
        if self.spacing and np.mean(self.spacing) > 0:
            title += f", the largest gap {number(round(self.unevenness, 2))} times the mean"
        names = list(self.losses[0]) if self.losses else []
        rows = [
            [str(point), *(value(losses[name], losses[name]) for name in names)]
            for point, losses in zip(self.points, self.losses, strict=True)
        ]
        spent = f"{self.steps} step{'' if self.steps == 1 else 's'} in {seconds(self.cost.seconds)}"
        beside = [f"no walk leads from point {a} to point {b}" for a, b in self.gaps]
        if not self.complete and self.unreached:
            beside.append(self.unreached[-1].reason)
        return Display(title, ["point", *names], rows, "; ".join([spent, *beside]))
