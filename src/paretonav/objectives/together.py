"""A batch through a small model at several points at once."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.func import vmap

from paretonav.objectives.collected import Collected, Parts
from paretonav.objectives.data import Batch
from paretonav.objectives.passes import Passes
from paretonav.objectives.problem import Split

# More parameters keep a core busy one point at a time; so do convolutions, and recurrent layers have no rule of their
# own. With 13,000 parameters a point takes half of its time, with 3,000 a third of it; a small ResNet takes longer.
_SMALL = 100_000
_BUSY = (nn.modules.conv._ConvNd, nn.RNNBase, nn.RNNCellBase)
_LEAST = 10  # fewer points are no faster
_MOST = 16  # at once: so many times the memory of one
_ROUNDING = 256 * torch.finfo(torch.float32).eps  # of the largest part


class Together:
    """Several points in one pass, by torch.func.vmap over the steered vector.

    A small model takes less time on a batch than torch takes to begin its operations, so that many points cost hardly
    more than one. What vmap cannot follow (numbers taken out of tensors, branches by their values, random numbers) it
    refuses; then, and wherever what comes out is not what comes out of one point alone, points are read one by one from
    then on. That is looked after in every pass: the last batch is read at the last point alone, too. So what a module
    puts aside is of a plain pass afterwards.

    Args:
        passes: of the model.

    Attributes:
        possible: whether points are read at once.
    """

    def __init__(self, passes: Passes) -> None:
        self._passes = passes
        model = passes.model
        busy = any(isinstance(module, _BUSY) for module in model.module.modules())
        self.possible = model.flat.size <= _SMALL and model.flat.as_views and not busy
        self._tried = False

    def read(self, points: Sequence[Tensor], split: Split, count: int | None) -> list[Collected] | None:
        """What a pass over a split, or about ``count`` batches of it, collects at each point; None if not at once.

        The caller counts the cost.
        """
        if not self.possible or len(points) < _LEAST:
            return None
        stacked = torch.stack(list(points))
        collected = [self._passes.empty(split, count) for _ in points]
        alone = self._passes.at(points[-1])
        last = None
        for batch, length in self._passes.batches(split, count):
            self._passes.watch.checkpoint()
            found = self._parts(stacked, batch, collected[0])
            if found is None:
                return None
            for number, each in enumerate(collected):
                each.add_parts(length, *([part[number] for part in kind] for kind in found))
            last = batch, [[part[-1] for part in kind] for kind in found]
        if last is None:
            return collected
        batch, parts = last
        plain = collected[0].parts(alone(batch), batch)
        self.possible = all(
            _alike(one, other)
            for kinds in zip(parts, plain, strict=True)
            for one, other in zip(*kinds, strict=True)
        )
        return collected if self.possible else None

    def _parts(self, stacked: Tensor, batch: Batch, collected: Collected) -> Parts | None:
        """Of losses and metrics at all points [p, n] the parts on one batch, each [p, its number of parts]."""

        def parts(theta: Tensor) -> Parts:
            return collected.parts(self._passes.unwatched(theta, batch), batch)

        try:
            with warnings.catch_warnings():
                if not self._tried:  # what has no rule is done one by one all the same, slowly
                    warnings.filterwarnings("error", message=".*performance drop.*")
                found: Parts = vmap(parts, chunk_size=_MOST)(stacked)
        except Exception:  # if it is the model's own fault, it comes again at one point
            self.possible = False
            return None
        self._tried = True
        return found


def _alike(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors are the same numbers but for rounding."""
    if one.shape != other.shape:
        return False
    one, other = one.double(), other.to(one).double()
    size = float(other.abs().nan_to_num(posinf=0.0).max()) if other.numel() else 0.0
    return torch.allclose(one, other, rtol=0.0, atol=_ROUNDING * size, equal_nan=True)
