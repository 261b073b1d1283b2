"""Batches as a trainer's collator makes them, with the numbers that it leaves out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch


class Collating:
    """A collator that keeps columns of numbers.

    Collators of language models know tokens alone. By which of the losses an example counts may stand beside them.

    Args:
        collate: the trainer's.
    """

    def __init__(self, collate: Callable[[list[Any]], Any]) -> None:
        self._collate = collate

    def __call__(self, items: Sequence[Any]) -> Any:
        """The batch of these examples."""
        numbers = _numbers(items)
        batch = self._collate(list(items))
        if isinstance(batch, Mapping):
            for name in numbers.keys() - batch.keys():
                batch[name] = numbers[name]  # type: ignore[index] # BatchEncoding and dict have it
        return batch


def _numbers(items: Sequence[Any]) -> dict[str, torch.Tensor]:
    """The columns that have one number for every example."""
    if not all(isinstance(item, Mapping) for item in items):
        return {}
    shared = set.intersection(*(set(item) for item in items)) if items else set()
    columns = {name: [item[name] for item in items] for name in sorted(shared)}
    return {
        name: torch.tensor(column)
        for name, column in columns.items()
        if all(isinstance(number, int | float) for number in column)
    }
