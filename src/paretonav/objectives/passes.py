"""Passes over the data of a model: what each batch is given to, and what is watched for meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor

from paretonav.errors import ProblemError
from paretonav.objectives import bystanders, trees
from paretonav.objectives.checks import require_deterministic
from paretonav.objectives.collected import Collected
from paretonav.objectives.data import Batch, Data
from paretonav.objectives.forward import Outputs, StatelessModel
from paretonav.objectives.place import version
from paretonav.objectives.problem import Split
from paretonav.objectives.quantities import Quantities
from paretonav.objectives.untouched import WRITES
from paretonav.objectives.watch import Watch
from paretonav.objectives.whereabouts import Whereabouts

Given = tuple[Outputs, Mapping[str, Tensor]]
"""What losses and metrics are given besides the batch: the model's outputs, and the steered parameters by name."""


class Passes:
    """One pass after another of a model over its data, without gradients or with them.

    A pass reads every batch of a split in order. It tells how far it is, can be stopped between two batches, knows at
    which batch something failed, and sees to it that the model is the same afterwards: what is not steered must not
    change by being looked at. Where several processes take turns, a pass is over this one's batches.

    Args:
        model: as a function of the steered vector.
        losses: what is computed of each batch.
        metrics: the same, for the split that they are shown of.
        data: by split.
        watch: is told how far a pass is.

    Attributes:
        whereabouts: at which batch the latest pass is.
    """

    def __init__(
        self,
        model: StatelessModel,
        losses: Quantities,
        metrics: Quantities,
        data: Mapping[Split, Data],
        watch: Watch,
    ) -> None:
        self.model, self.losses, self.metrics, self.data = model, losses, metrics, data
        self.watch = watch
        self.whereabouts = Whereabouts()
        self._turn = 0, 1
        self._bystanders: bystanders.State = {}

    def of(self, split: Split) -> Data:
        """The data of a split.

        Raises:
            ProblemError: there are none.
        """
        if split not in self.data:
            raise ProblemError(
                f"there is no {split} data, only {', '.join(self.data)}; give {split}= to the problem"
            )
        return self.data[split]

    def share(self, split: Split, count: int | None = None) -> float:
        """What a pass over a split reads, or over about ``count`` batches of it, in parts of the training data."""
        data = self.of(split)
        return data.size / self.data["train"].size * data.part(count)

    def batches(self, split: Split, count: int | None = None) -> Iterator[tuple[Batch, int]]:
        """One pass, or about ``count`` batches of it: each batch, and its number of examples."""
        data = self.of(split)
        require_deterministic(self.model.module)
        self.model.flat.require_in_place()
        pairs = self.watch.through(iter(data), data.own_size) if count is None else data.some(count)
        return self._bystanding(self.whereabouts.follow(pairs, split, self._turn), split)

    def take_turns(self, rank: int, processes: int) -> None:
        """From here on passes read batches ``rank``, ``rank + processes``, ... of the data only."""
        self._turn = rank, processes
        for data in self.data.values():
            data.take_turns(rank, processes)

    def outputs(self, theta: Tensor, batch: Batch) -> Given:
        """The model's outputs at ``theta`` [n], and the steered parameters by name where a penalty reads them."""
        return self.at(theta)(batch)

    def at(self, theta: Tensor) -> Callable[[Batch], Given]:
        """``outputs`` as a function of batches; what theta alone decides is done once."""
        model, steered = self.model.at(theta), self._steered(theta)
        before = version(theta)

        def outputs(batch: Batch) -> Given:
            cause, found = None, None
            try:
                found = model(trees.fresh(batch))
            except Exception as error:
                cause = error
            if version(theta) != before:
                raise ProblemError(f"the model {WRITES}") from cause
            if cause is not None:
                raise cause
            return found, dict(steered)

        return outputs

    def unwatched(self, theta: Tensor, batch: Batch) -> Given:
        """``outputs`` where what the model does to ``theta`` [n] is not to be seen, as under torch.func.vmap."""
        return self.model.outputs(theta, trees.fresh(batch)), self._steered(theta)

    def _steered(self, theta: Tensor) -> dict[str, Tensor]:
        """The steered parameters by name, where a penalty reads them."""
        read = self.losses.reads_parameters or self.metrics.reads_parameters
        return self.model.flat.unflatten(theta) if read else {}

    def empty(self, split: Split, count: int | None = None) -> Collected:
        """To be filled by ``batches(split, count)``: of the losses, and of the metrics if they are shown of it."""
        blocks = self.of(split).blocks(count)
        return Collected(self.losses, self.metrics if self.shows_metrics(split) else None, split, blocks)

    def shows_metrics(self, split: Split) -> bool:
        """Whether metrics are measured on a split."""
        return bool(self.metrics.names) and (split != "train" or "validation" not in self.data)

    def read(self, theta: Tensor, collected: Collected, split: Split) -> Collected:
        """Add a pass without gradients; the caller counts its cost."""
        with torch.no_grad():
            model = self.at(theta)
            for batch, length in self.batches(split):
                collected.add(length, model(batch), batch)
        return collected

    def bystanders(self, before: bystanders.State | None = None) -> bystanders.State:
        """What of the module is not steered, as it is now; only what was written to since ``before`` is read."""
        known = self._bystanders if before is None else before
        return bystanders.state(self.model.module, self.model.flat.tensors, known)

    def _bystanding(self, pairs: Iterator[tuple[Batch, int]], split: Split) -> Iterator[tuple[Batch, int]]:
        """Require that a pass leaves what is not steered as it is."""
        before = self.bystanders()
        yield from pairs
        now = self._bystanders = self.bystanders(before)
        if (what := bystanders.changed(before, now)) is not None:
            raise ProblemError(
                f"{what} of the model changes in a pass over the {split} data, so that no two passes are the same; let "
                "the model leave it alone in eval mode, or freeze it"
            )
