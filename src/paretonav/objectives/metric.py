"""A number that a decision maker cares for beside the losses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor


@dataclass(frozen=True)
class Metric:
    """A metric that says which way is better, so that it can be asked for by ``Improve``.

    A plain function can be shown, held and moved by ``Direction``; one with an attribute ``higher_is_better`` of its
    own (as those of torchmetrics have) need not be wrapped.

    Args:
        function: ``(outputs, batch) -> number``, the mean over the batch, or an ``Aggregate``.
        higher_is_better: True for an accuracy, False for an error rate.

    Example:
        >>> def share_right(outputs, batch):
        ...     return (outputs.argmax(1) == batch[1]).float().mean()
        >>> accuracy = Metric(share_right, higher_is_better=True)
    """

    function: Callable[[Any, Any], Tensor | float]
    higher_is_better: bool = field(kw_only=True)

    def __call__(self, outputs: Any, batch: Any) -> Tensor | float:
        return self.function(outputs, batch)
