"""Jacobians of a model's losses, put together from what every process has differentiated."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from paretonav.objectives.collected import Collected, interleaved
from paretonav.objectives.cost import Tally
from paretonav.objectives.jacobian import Differentiated
from paretonav.objectives.losses import Losses, Response
from paretonav.objectives.means import Means
from paretonav.objectives.own_part import OwnPart
from paretonav.objectives.passes import Passes
from paretonav.objectives.place import Place
from paretonav.objectives.problem import Split
from paretonav.processes import Team


class Jacobians:
    """Jacobians of the losses; the gradients of every batch of the latest one may be kept.

    Args:
        team: the processes.
        passes: over the data.
        means: of the losses' parts.
        tally: counts the passes.
        apart: whether to differentiate part by part; see ``gradients.worth_it``.
    """

    def __init__(
        self, team: Team[OwnPart], passes: Passes, means: Means, tally: Tally, *, apart: bool
    ) -> None:
        self._team, self._passes, self._means, self._tally = team, passes, means, tally
        self.apart = apart
        self._kept: tuple[Place, Collected] | None = None  # where the gradients are of, and the losses

    def at(self, theta: Tensor, split: Split) -> tuple[Losses, Tensor]:
        """The losses at ``theta`` [n] and their Jacobian [m, n]."""
        passes = self._passes
        keep = split == "train" and not passes.shows_metrics(split)  # gradients know nothing of metrics
        # Of an Aggregate a batch's change is not along its gradient alone: what it adds depends on the other means.
        apart = keep and self.apart
        wanted = keep and (apart or passes.losses.plain)
        if split == "train":
            self._kept = None
        if apart:
            collected, made, jacobian = self._by_parts(theta, split, wanted)
        else:
            collected, made, jacobian = self._by_losses(theta, split, wanted)
        losses = collected.losses()
        if split == "train":
            if all(each.kept for each in made):
                self._kept = Place(theta), collected
            passes.watch.saw(passes.losses.names, losses.mean)
        return losses, jacobian.div_(collected.length)

    def response(self, theta: Tensor, directions: Tensor) -> tuple[Losses, Response] | None:
        """The training losses, and their response along ``directions`` [k, n], where kept gradients tell; else None."""
        if self._kept is None or not self._kept[0].is_at(theta):
            return None
        collected = self._kept[1]
        counts = [len(mean) for mean in collected.means()]
        found, _ = self._team.everywhere(OwnPart.along, directions, counts=counts)
        tangents = [interleaved(each) for each in zip(*found, strict=True)]
        return collected.losses(), collected.response_to([tangents])

    def forget(self) -> None:
        """Forget the gradients: the same parameters are another model now."""
        self._kept = None

    def _by_losses(self, theta: Tensor, split: Split, wanted: bool) -> Any:
        """By a backward pass for each loss, where the slopes of the losses by their parts are known, or a pass more."""
        losses = self._passes.losses
        slopes = None if losses.plain else losses.slopes(self._means.at(theta, split))
        made, jacobian = self._team.everywhere(
            OwnPart.differentiate, theta, split=split, slopes=slopes, wanted=wanted
        )
        return self._put_together(made, split), made, jacobian

    def _by_parts(self, theta: Tensor, split: Split, wanted: bool) -> Any:
        """By a backward pass for each part, weighted by slopes that are known after it."""
        made, _ = self._team.everywhere(OwnPart.differentiate_apart, theta, split=split, wanted=wanted)
        collected = self._put_together(made, split)
        slopes = self._passes.losses.slopes(self._means.remember(theta, split, collected))
        _, jacobian = self._team.everywhere(OwnPart.weighted, slopes=slopes)
        return collected, made, jacobian

    def _put_together(self, made: list[Differentiated], split: Split) -> Collected:
        passes = self._passes
        self._tally.count(
            forward_passes=passes.share(split),
            gradient_passes=sum(each.examples for each in made) / passes.data["train"].size,
        )
        return passes.empty(split).joined([each.read for each in made])
