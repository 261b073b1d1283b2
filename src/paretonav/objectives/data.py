"""Batches of data: full passes in a fixed order, shuffled epochs, and a frozen sample."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch.utils import _pytree as pytree
from torch.utils.data import DataLoader, Dataset, IterableDataset, RandomSampler, Subset, TensorDataset

from paretonav.errors import ProblemError

Batch = Any
Source = DataLoader[Any] | Dataset[Any]


class Data:
    """A loader or a dataset, read as batches on the right device.

    Full passes come in a fixed order, even where the loader shuffles, so that two passes can be compared batch
    by batch. Nothing is copied: a TensorDataset is read by slices, any other source through a DataLoader.

    Args:
        source: a DataLoader (its batch size and collation are kept), or a Dataset.
        batch_size: for a Dataset only.
        device: where the batches go.
        role: "train" or "validation", for messages.
    """

    def __init__(self, source: Source, batch_size: int, device: torch.device, role: str) -> None:
        self._device = device
        self._role = role
        self._loader: DataLoader[Any] | None = None
        self._tensors: tuple[torch.Tensor, ...] | None = None
        if isinstance(source, TensorDataset):
            self._tensors = source.tensors
        elif isinstance(source, DataLoader):
            self._loader = source
        elif isinstance(source, Dataset):
            self._loader = DataLoader(source, batch_size=batch_size)
        else:
            raise ProblemError(f"{role} data must be a DataLoader or a Dataset, not {type(source).__name__}")
        self._batch_size = batch_size
        self._in_order = None if self._loader is None else _in_order(self._loader)
        self.size = sum(batch_length(batch) for batch in self._passes()) if self._tensors is None else self._rows()
        if self.size == 0:
            raise ProblemError(f"the {role} data is empty: it yields no batch; check the dataset and drop_last")

    def __iter__(self) -> Iterator[Batch]:
        """One full pass, in the same order every time."""
        return (self._move(batch) for batch in self._passes())

    def shuffled(self, batch_size: int, generator: torch.Generator) -> Iterator[Batch]:
        """One epoch in random order; a DataLoader that was given keeps its own batch size and sampler."""
        if self._tensors is not None:
            order = torch.randperm(self.size, generator=generator)
            for rows in order.split(batch_size):
                yield self._move([t[rows] for t in self._tensors])
        else:
            assert self._loader is not None
            for batch in self._loader:
                yield self._move(batch)

    def sample(self, count: int, generator: torch.Generator) -> list[Batch]:
        """Batches of about ``count`` random examples (the first ones of a stream), to be kept by the caller."""
        if count >= self.size:
            return list(self)
        if self._tensors is not None:
            rows = torch.randperm(self.size, generator=generator)[:count]
            parts = rows.split(max(self._batch_size, 1024))
            return [self._move([t[part] for t in self._tensors]) for part in parts]
        assert self._loader is not None
        assert self._in_order is not None
        dataset = self._loader.dataset
        if self._loader.batch_size is not None and not isinstance(dataset, IterableDataset):
            chosen = torch.randperm(len(dataset), generator=generator)[:count].tolist()  # type: ignore[arg-type]
            reader = DataLoader(
                Subset(dataset, chosen), batch_size=self._loader.batch_size, collate_fn=self._loader.collate_fn
            )
            return [self._move(batch) for batch in reader]
        kept, seen = [], 0
        for batch in self:
            kept.append(batch)
            seen += batch_length(batch)
            if seen >= count:
                break
        return kept

    def _rows(self) -> int:
        assert self._tensors is not None
        return len(self._tensors[0])

    def _passes(self) -> Iterable[Batch]:
        if self._tensors is None:
            assert self._in_order is not None
            return self._in_order
        starts = range(0, self._rows(), self._batch_size)
        return ([t[i : i + self._batch_size] for t in self._tensors] for i in starts)

    def _move(self, batch: Batch) -> Batch:
        return pytree.tree_map_only(torch.Tensor, lambda t: t.to(self._device, non_blocking=True), batch)


def _in_order(loader: DataLoader[Any]) -> DataLoader[Any]:
    """The same data without shuffling and without dropping the last batch."""
    if isinstance(loader.dataset, IterableDataset) or loader.batch_size is None:
        return loader
    if not (isinstance(loader.sampler, RandomSampler) or loader.drop_last):
        return loader
    return DataLoader(
        loader.dataset,
        batch_size=loader.batch_size,
        collate_fn=loader.collate_fn,
        num_workers=loader.num_workers,
        pin_memory=loader.pin_memory,
    )


def batch_length(batch: Batch) -> int:
    """The number of examples in a batch: the length of its first tensor."""
    for leaf in pytree.tree_leaves(batch):
        if isinstance(leaf, torch.Tensor) and leaf.ndim > 0:
            return len(leaf)
    raise ProblemError(
        f"a batch of type {type(batch).__name__} holds no tensor, so its number of examples is unknown; "
        "let the loader's collate_fn return tensors"
    )
