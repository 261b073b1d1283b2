"""The losses and metrics at a point, and how they respond to directions, batch by batch."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from paretonav.statistics import has_standard_error, standard_error


@dataclass(frozen=True)
class Losses:
    """The objectives and metrics at one point, kept batch by batch so that changes have a standard error.

    What is not a mean over examples (``Aggregate``) is there by its linear part: the batches' entries have the value
    over all the data as their mean, and vary as that value does with the batch (the delta method).

    Attributes:
        batches: [b, m], each objective's mean over each batch, float64 on the CPU. Where examples belong together
            (``groups=``), a batch here is a block of whole groups, however many were read at a time.
        fractions: [b], each batch's share of the data, float64; they sum to one.
        metric_names: of the metrics that were measured, in order.
        metric_batches: [b, p], the same of the metrics.
        examples: how many the batches have together; None for a function, which has none.
        stand_in: [m], what is steered by instead of the objectives (``Aggregate.value`` where something else is shown);
            None where they are that themselves.
        signs: [m + p], -1 for a loss or metric that is negative and shown without its sign, else 1; None where nothing
            is shown without its sign.
    """

    batches: Tensor
    fractions: Tensor
    metric_names: tuple[str, ...] = ()
    metric_batches: Tensor = field(default_factory=lambda: torch.zeros(0, 0, dtype=torch.float64))
    examples: int | None = None
    stand_in: Tensor | None = None
    signs: Tensor | None = None

    @property
    def mean(self) -> Tensor:
        """[m], the objectives over all the data, as they are shown."""
        return self.fractions @ self.batches

    @property
    def steered(self) -> Tensor:
        """[m], what gradients and curvature are of: the objectives, or what stands in for them; for line searches."""
        return self.mean if self.stand_in is None else self.stand_in

    @property
    def metrics(self) -> dict[str, float]:
        """Name -> metric over all the data."""
        if not self.metric_names:
            return {}
        means = self.fractions @ self.metric_batches
        return dict(zip(self.metric_names, means.tolist(), strict=True))

    def standard_error(self) -> Tensor | None:
        """[m], of ``mean``; None where it is unknown, see ``has_standard_error``."""
        return standard_error(self.fractions, self.batches, self.examples)

    def metric_standard_error(self) -> Tensor | None:
        """[p], the same of the metrics; None without any."""
        if not self.metric_names:
            return None
        return standard_error(self.fractions, self.metric_batches, self.examples)

    def change_from(self, before: Losses) -> tuple[Tensor, Tensor | None]:
        """The change of the objectives since ``before`` and its standard error, both [m].

        The standard error is that of paired per-batch differences, see ``standard_error``. It is None with fewer than
        32 examples or four batches, where the batches are not the same ones, and for a deterministic function, which
        has no sampling error at all.
        """
        return self.mean - before.mean, self._paired(before, self.batches, before.batches)

    def metric_change_from(self, before: Losses) -> tuple[Tensor, Tensor | None]:
        """The same of the metrics, [p]."""
        if not self.metric_names:
            return torch.zeros(0, dtype=torch.float64), None
        change = self.fractions @ self.metric_batches - before.fractions @ before.metric_batches
        return change, self._paired(before, self.metric_batches, before.metric_batches)

    def _paired(self, before: Losses, now: Tensor, then: Tensor) -> Tensor | None:
        if not torch.equal(self.fractions, before.fractions):
            return None
        return standard_error(self.fractions, now - then, self.examples)


@dataclass(frozen=True)
class Response:
    """How the objectives and metrics change along directions, per unit length and batch by batch.

    Attributes:
        batches: [b, m + p, k], objectives first; float64 on the CPU.
        fractions: [b], each batch's share of what was measured.
        share: the share of the data that was measured. Standard errors are those of a mean over all the data.
        turn: [m, k, k], what objectives that are no means over examples (``Aggregate``) add to the curvature along the
            directions, as functions of the means that they are made of; None where all are means.
        examples: how many were measured; None for a function.
        steered_turn: the same of what is steered by, where something else is shown.
        signs: [m], -1 for an objective that is negative and shown without its sign, else 1; None where all are 1.
    """

    batches: Tensor
    fractions: Tensor
    share: float = 1.0
    turn: Tensor | None = None
    examples: int | None = None
    steered_turn: Tensor | None = None
    signs: Tensor | None = None

    @property
    def mean(self) -> Tensor:
        """[m + p, k], over all the data."""
        mean: Tensor = torch.tensordot(self.fractions, self.batches, 1)
        return mean

    def standard_error(self) -> Tensor | None:
        """[m + p, k], of each entry of ``mean``; None where it is unknown, see ``has_standard_error``."""
        return self._error(self.batches)

    def covariance(self) -> Tensor | None:
        """[m + p, k, k], of each row of ``mean``, so that ``c^T covariance c`` is the squared error of ``along(c)``."""
        b = len(self.fractions)
        if not has_standard_error(b, self.examples):
            return None
        deviations = self.batches - self.mean
        weighted = deviations * self.fractions[:, None, None]
        covariance: Tensor = torch.einsum("bij,bil->ijl", weighted, deviations) * (self.share / (b - 1))
        return covariance

    def along(self, coordinates: Tensor) -> tuple[Tensor, Tensor | None]:
        """The change per unit along a combination [k] of the directions, and its standard error, both [m + p]."""
        batches = self.batches @ coordinates
        return self.fractions @ batches, self._error(batches)

    def _error(self, batches: Tensor) -> Tensor | None:
        error = standard_error(self.fractions, batches, self.examples)
        return None if error is None else error * self.share**0.5
