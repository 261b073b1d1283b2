"""Whether a loss is a mean over examples, as objectives are taken to be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from paretonav.objectives import trees

_OFF = 0.05  # of its value: a mean over words or valid pixels is one over examples well enough


def halves(
    loss: Callable[[Any, Any], Tensor], outputs: Any, batch: Any, length: int
) -> tuple[float, float] | None:
    """A loss on a batch, and its mean over the halves of it, if that is something else; None if it is not, or unknown.

    Args:
        loss: of outputs and a batch.
        outputs: of the model, without a graph.
        batch: what they are of.
        length: how many examples these are.
    """
    everything = [t for t in trees.tensors((outputs, batch)) if t.ndim > 0]
    middle = length // 2
    if middle < 2 or any(len(t) != length or t.layout is not torch.strided for t in everything):
        return None

    def of(part: slice) -> float:
        return float(loss(*trees.map_tensors(lambda t: t[part] if t.ndim else t, (outputs, batch))))

    try:
        with torch.no_grad():
            whole, first, second = of(slice(None)), of(slice(middle)), of(slice(middle, None))
    except Exception:  # it needs all of a batch, so it is no mean, but what it is cannot be told
        return None
    mean = (middle * first + (length - middle) * second) / length
    return None if abs(mean - whole) <= _OFF * abs(whole) or mean != mean else (whole, mean)
