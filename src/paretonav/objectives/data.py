"""Batches of data: full passes in a fixed order, shuffled epochs, and a random sample."""

from __future__ import annotations

from collections import Counter, UserDict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    TensorDataset,
    default_collate,
)
from torch.utils.data.distributed import DistributedSampler

from paretonav.errors import ProblemError
from paretonav.objectives import blocks, trees
from paretonav.objectives.groups import require_one_per_example
from paretonav.objectives.modes import recorded

T = TypeVar("T")
Batch = Any
Source = DataLoader[Any] | Dataset[Any]
Indices = Sequence[int]  # of the examples in one batch


class Data:
    """A loader or a dataset, read as pairs of a batch on the right device and its number of examples.

    A pass holds one batch at a time, so that data may be larger than memory. Every full pass takes the same
    batches in the same order, so that two passes can be compared batch by batch: a loader's shuffling and
    drop_last are undone, and any other sampler or batch sampler is asked once for its indices, which are kept.
    Passes leave torch's global random state alone.

    The number of examples is the number of indices that a batch was made of. Where the dataset itself makes
    the batches (``batch_size=None``) or is an IterableDataset, it is the length of most of the batch's
    tensors, or of the first one where all differ.

    The tensors of a TensorDataset are sliced, not copied. Other data are read through a DataLoader like the
    given one, with its collation and workers. An IterableDataset must be finite and start anew at every pass;
    it is read once at first, to count its examples. What is in a batch may be nested in any way (see ``trees``).

    A full pass can be ``divided`` where no batch sampler was given and neither the dataset nor a loader of one's own
    has made the batches: into at least twelve if there are 32 examples. Those of a Dataset are about equal; those of a
    loader stay as they are unless they are fewer.

    Args:
        source: a DataLoader, or a Dataset.
        batch_size: of full passes over a Dataset; a DataLoader has its own.
        device: where the batches go.
        role: "train", "validation" or "test", for messages.
        checkpoint: called before every batch that is read; what it raises ends the pass.
        divided: whether the mean over a full pass should have a standard error. Training data need none of their own,
            and are read in as few batches as they come in.
        groups: one label per example, in the order of a full pass before it is divided, equal for those that belong
            together. A full pass then goes block by block of whole groups.

    Several processes can ``take_turns``: each then reads every so many-th batch of a pass, and nothing else of it.

    Attributes:
        size: the number of examples in a full pass, of all processes.

    Raises:
        ProblemError: ``source`` is something else or empty, or the number of examples in a batch is unknown; the
            groups are not of as many examples, or of examples that cannot be regrouped; from a pass, that there are
            not as many examples as before, or others in the first batch.
    """

    def __init__(
        self,
        source: Source,
        batch_size: int,
        device: torch.device,
        role: str,
        checkpoint: Callable[[], None] = lambda: None,
        *,
        divided: bool = False,
        groups: Sequence[Hashable] | None = None,
    ) -> None:
        if not isinstance(source, DataLoader | Dataset):
            kind = type(source)
            remedy = (
                "wrap it: torch.utils.data.DataLoader(data, batch_size=...), with tensors as entries "
                "(.with_format('torch') of Hugging Face's)"
                if hasattr(source, "__getitem__") and hasattr(source, "__len__")
                else "wrap tensors in a torch.utils.data.TensorDataset"
            )
            raise ProblemError(
                f"{role} data must be a DataLoader or a Dataset of torch.utils.data, not a {kind.__module__}."
                f"{kind.__qualname__}; {remedy}"
            )
        if not isinstance(batch_size, int) or batch_size < 1:
            raise ProblemError(f"batch_size={batch_size!r} is not possible; give an integer of at least 1")
        self._device = device
        self._role = role
        self._checkpoint = checkpoint
        self._rank, self._processes = 0, 1
        self._loader = source if isinstance(source, DataLoader) else DataLoader(source, batch_size=batch_size)
        batching, dataset = self._loader.batch_sampler, self._loader.dataset
        if not isinstance(dataset, IterableDataset) and not hasattr(dataset, "__len__"):
            raise ProblemError(f"the {role} data, {type(dataset).__name__}, has no length; give it a __len__")
        self._require_unpadded()
        self._batches = _batches_of(self._loader)
        # Examples may be put into other batches unless a custom batch sampler or the dataset has made these.
        self._regroups = self._batches is not None and type(batching) is BatchSampler
        self._knows_lengths = self._batches is not None and batching is not None
        self._tensors: tuple[Tensor, ...] | None = None
        # Rows of tensors need no loader: indexing them gives what the default collation gives.
        if (
            type(dataset) is TensorDataset
            and self._knows_lengths
            and self._loader.collate_fn is default_collate
        ):
            self._tensors = dataset.tensors
        if self._batches is not None and self._knows_lengths:
            self.size = sum(map(len, self._batches))
        else:
            self._lengths = [length for _, length in self._read(self._batches)]
            self.size = sum(self._lengths)
        self._indexed = None if isinstance(dataset, IterableDataset) else len(dataset)
        self._first: trees.Fingerprint | None = None
        if self.size == 0:
            raise ProblemError(
                f"the {role} data is empty: it yields no example; check the dataset and sampler"
            )
        self._blocks: list[int] | None = None  # of each batch, where a block may have several
        # Whoever gives a batch sampler, be it torch's own, wants these batches: it is how to keep them.
        size = self._loader.batch_size if self._regroups else None
        if groups is not None:
            self._group(groups, size)
        elif divided and size is not None:
            self._divide(size, whole=source is self._loader)

    def _require_unpadded(self) -> None:
        """Refuse a sampler that gives some examples to two processes, so that all have as many."""
        sampler = self._loader.sampler
        if isinstance(sampler, DistributedSampler) and not sampler.drop_last:
            there = len(sampler.dataset)  # type: ignore[arg-type]
            if sampler.total_size > there:
                raise ProblemError(
                    f"the {self._role} data have a DistributedSampler that pads {there} examples to "
                    f"{sampler.total_size} for its {sampler.num_replicas} processes, so that some count twice; give a "
                    "loader without it (one process steers, on all the data), or drop_last=True"
                )

    def take_turns(self, rank: int, processes: int) -> None:
        """From here on read batches ``rank``, ``rank + processes``, ... of every pass, and of every sample."""
        self._rank, self._processes, self._first = rank, processes, None

    @property
    def own_size(self) -> int:
        """The number of examples that this process reads in a full pass."""
        return sum(self._own(self._lengths_read()))

    @property
    def loader(self) -> DataLoader[Any]:
        """What it was made of, or of a dataset a loader of it."""
        return self._loader

    def __iter__(self) -> Iterator[tuple[Batch, int]]:
        """One full pass, in the same order every time; the part of it that this process reads."""
        if self._indexed is not None and len(self._loader.dataset) != self._indexed:  # type: ignore[arg-type]
            raise self._changed(f"{len(self._loader.dataset)} examples now, {self._indexed} at first")  # type: ignore[arg-type]
        seen = 0
        own = self.own_size
        for number, (batch, length) in enumerate(self._read_own(self._batches)):
            if number == 0:
                self._compare(trees.fingerprint(batch))
            seen += length
            yield batch, length
        if seen == 0 and own > 0:
            raise ProblemError(
                f"the {self._role} data yields nothing in a second pass; let its __iter__ start anew"
            )
        if seen != own:
            raise self._changed(f"{seen} examples now, {own} at first")

    def some(self, count: int) -> Iterator[tuple[Batch, int]]:
        """``count`` batches of a full pass, or all it has, spread over it; of an IterableDataset the first ones.

        Of these it gives those that this process reads.
        """
        if count < 1:
            raise ProblemError(f"a measurement on {count} batches is not possible; take at least 1")
        if self._batches is None:
            return self._own_of(islice(self._read(None), count))
        return self._read_own([self._batches[i] for i in _spread(count, len(self._batches))])

    def part(self, count: int | None) -> float:
        """The part of a full pass that ``some(count)`` reads, all batches taken as alike; None is all of it."""
        return 1.0 if count is None else min(1.0, count / len(self._lengths_read()))

    @property
    def largest(self) -> int:
        """How many examples the largest batch of a full pass has."""
        return max(self._lengths_read())

    def _lengths_read(self) -> list[int]:
        if self._batches is not None and self._knows_lengths:
            return [len(indices) for indices in self._batches]
        return self._lengths

    def blocks(self, count: int | None = None) -> list[int] | None:
        """The number of each batch's block in a full pass, or in ``some(count)``; None where every batch is one."""
        if self._blocks is None or count is None:
            return self._blocks
        return [self._blocks[i] for i in _spread(count, len(self._blocks))]

    def shuffled(self, size: int, generator: torch.Generator) -> Iterator[tuple[Batch, int]]:
        """One epoch in random order, in batches of ``size`` examples; all of it, whatever turns are taken.

        Batches made by a batch sampler or by the dataset stay what they are and come in random order; an
        IterableDataset is read as it comes.
        """
        if self._batches is None:
            return self._read(None)
        if self._regroups:
            return self._read(_split(_permuted(_joined(self._batches), generator), size))
        return self._read(_permuted(self._batches, generator))

    def sample(
        self, count: int, generator: torch.Generator, *, finely: bool = True
    ) -> tuple[list[tuple[Batch, int]], int]:
        """Batches of ``count`` random examples, or all of the data if there is no more.

        Where batches cannot be regrouped (see ``shuffled``), random ones until they hold ``count`` examples;
        of an IterableDataset that takes a pass, which holds no other batches than these and the current one.

        Args:
            count: of examples.
            generator: that draws them.
            finely: whether batches that can be regrouped may be divided among processes, each of which then has as much
                of them as any other.

        Returns:
            the batches that this process reads, and the number of examples in those of all processes.
        """
        finely = finely and self._processes > 1
        if count >= self.size and not (self._regroups and finely):
            return list(self), self.size
        if self._regroups:
            assert self._batches is not None
            chosen: Sequence[Indices] = self._batches
            if count < self.size:
                examples = _permuted(_joined(chosen), generator)[:count]
                # All graphs of a sample are kept, so smaller batches would save no memory, only be slower.
                chosen = _split(examples, max(len(chosen[0]), 1024))
            divided = self._finely(chosen) if finely else chosen
            return list(self._read_own(divided)), sum(map(len, chosen))
        lengths = self._lengths_read()
        order = _permuted(list(enumerate(lengths)), generator)
        numbers = _until(count, order)
        total = sum(lengths[i] for i in numbers)
        if self._batches is None:
            own = set(self._own(sorted(numbers)))
            # Of other processes' batches this one has to read what comes before its own.
            passed = enumerate(islice(self._read(None), max(own, default=-1) + 1))
            return [pair for number, pair in passed if number in own], total
        return list(self._read_own([self._batches[i] for i, _ in order if i in numbers])), total

    def _finely(self, batches: Sequence[Indices]) -> Sequence[Indices]:
        """Pieces of these batches, as many of each as there are processes."""
        return [piece for batch in batches for piece in _split(batch, -(-len(batch) // self._processes))]

    def _own(self, items: Sequence[T]) -> Sequence[T]:
        """Those of the items, one for each batch, that are this process's."""
        return items[self._rank :: self._processes]

    def _own_of(self, pairs: Iterator[T]) -> Iterator[T]:
        return islice(pairs, self._rank, None, self._processes)

    def _read_own(self, chosen: Sequence[Indices] | None) -> Iterator[tuple[Batch, int]]:
        """``_read``, of what is this process's."""
        if self._processes == 1:
            return self._read(chosen)
        # A stream has to be read to its end by every process.
        return self._own_of(self._read(None)) if chosen is None else self._read(self._own(chosen))

    def _divide(self, size: int, *, whole: bool) -> None:
        """Make the full pass one of at least twelve batches, or leave a loader's ``whole`` ones if they are as many."""
        assert self._batches is not None
        count = blocks.count(self.size, size)
        if not (whole and len(self._batches) >= count):
            self._batches = blocks.evenly(blocks.compact(_joined(self._batches)), count)

    def _group(self, groups: Sequence[Hashable], size: int | None) -> None:
        """Make the full pass one of blocks of whole groups."""
        require_one_per_example(groups, self.size, self._role)
        if size is None or self._batches is None:
            raise ProblemError(
                f"groups= are given for {self._role} data that come in batches of their own (a batch sampler, "
                "batch_size=None, an IterableDataset or a loader with an __iter__ of its own), which may have "
                f"examples of several groups; give {self._role}= as a Dataset or as a DataLoader with a batch_size"
            )
        order = _joined(self._batches)
        self._batches, self._blocks = blocks.batches_of_groups(order, groups, size)

    def _read(self, chosen: Sequence[Indices] | None) -> Iterator[tuple[Batch, int]]:
        batches: Iterable[Batch]
        if self._tensors is not None and chosen is not None:
            tensors = self._tensors
            batches = (_rows(tensors, indices) for indices in chosen)
        else:
            batches = _reader(self._loader, chosen)
        moved = (trees.map_leaves(self._move, batch, _moves_whole) for batch in self._checked(batches))
        if chosen is not None and self._knows_lengths:
            return zip(moved, map(len, chosen), strict=True)
        return ((batch, batch_length(batch)) for batch in moved)

    def _checked(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        for batch in batches:
            self._checkpoint()
            yield batch

    def _move(self, leaf: Any) -> Any:
        if isinstance(leaf, Tensor):
            # Towards the host, an asynchronous copy may be read before it has arrived.
            moved = leaf.to(self._device, non_blocking=self._device.type == "cuda")
            return recorded(moved)
        return leaf.to(self._device) if _moves_whole(leaf) else leaf

    def _compare(self, first: trees.Fingerprint) -> None:
        """Remember what is in the first batch, or require that it is what it was."""
        if self._first is None:
            self._first = first
        if not trees.alike(first, self._first):
            raise self._changed("the first batch is another one")

    def _changed(self, how: str) -> ProblemError:
        return ProblemError(
            f"the {self._role} data, {type(self._loader.dataset).__name__}, changed between passes: {how}; losses "
            "of different data cannot be compared, so let every pass give the same examples in the same order (no "
            "random augmentation, no reshuffling)"
        )


def _moves_whole(node: Any) -> bool:
    """Whether it knows how to go to a device, as tensors do and packed sequences, which must stay whole.

    A mapping's own way (that of a BatchEncoding) would change what the dataset holds.
    """
    return callable(getattr(node, "to", None)) and not isinstance(node, UserDict)


def batch_length(batch: Batch) -> int:
    """The number of examples in a batch: the length of most of its tensors, and of the first where none is usual.

    Raises:
        ProblemError: the batch holds no tensor that has a length.
    """
    lengths = []
    for leaf in trees.leaves(batch, lambda node: isinstance(node, PackedSequence)):
        if isinstance(leaf, PackedSequence):
            lengths.append(int(leaf.batch_sizes[0]))
        elif isinstance(leaf, Tensor) and leaf.ndim > 0:
            lengths.append(len(leaf))
    if lengths:
        return Counter(lengths).most_common(1)[0][0]  # of equally many the one that came first
    raise ProblemError(
        f"a batch of type {type(batch).__name__} holds no tensor, so its number of examples is unknown; "
        "let the dataset or the loader's collate_fn return tensors"
    )


def _batches_of(loader: DataLoader[Any]) -> list[Indices] | None:
    """The indices of each batch of a full pass; None where the batches can only be taken as they come."""
    if isinstance(loader.dataset, IterableDataset) or not _is_plain(loader):
        return None
    batching = loader.batch_sampler
    if batching is not None and type(batching) is not BatchSampler:
        return [list(indices) for indices in batching]
    sampler = loader.sampler if batching is None else batching.sampler
    order = (
        range(len(sampler.data_source))
        if isinstance(sampler, SequentialSampler | RandomSampler)
        else list(sampler)
    )
    return _split(order, 1 if batching is None else batching.batch_size)


def _reader(loader: DataLoader[Any], chosen: Sequence[Indices] | None) -> DataLoader[Any]:
    """A loader of these batches, or of a whole stream, that reads as ``loader`` does."""
    if not _is_plain(loader):
        return loader
    how: dict[str, Any]
    if chosen is None:
        how = {"batch_size": loader.batch_size}
    elif loader.batch_sampler is None:
        how = {"batch_size": None, "sampler": _joined(chosen)}
    else:
        how = {"batch_sampler": [list(indices) for indices in chosen]}
    return DataLoader(
        loader.dataset,
        collate_fn=loader.collate_fn,
        num_workers=loader.num_workers,
        pin_memory=loader.pin_memory,
        timeout=loader.timeout,
        worker_init_fn=loader.worker_init_fn,
        multiprocessing_context=loader.multiprocessing_context,
        prefetch_factor=loader.prefetch_factor,
        generator=torch.Generator(),  # else every pass would draw from the global one
        **how,
    )


def _is_plain(loader: DataLoader[Any]) -> bool:
    """Whether the loader iterates as torch's own does, so that another can read its dataset in its place."""
    return type(loader).__iter__ is DataLoader.__iter__


def _split(indices: Sequence[T], size: int) -> list[Sequence[T]]:
    return [indices[i : i + size] for i in range(0, len(indices), size)]


def _until(count: int, lengths: Sequence[tuple[int, int]]) -> set[int]:
    """The numbers of the first batches, given as pairs of a number and a length, that hold ``count`` examples."""
    chosen: set[int] = set()
    seen = 0
    for number, length in lengths:
        if seen >= count:
            break
        chosen.add(number)
        seen += length
    return chosen


def _spread(count: int, total: int) -> list[int]:
    """``count`` numbers below ``total``, or all of them, spread evenly."""
    count = min(count, total)
    return [i * total // count for i in range(count)]


def _joined(batches: Sequence[Indices]) -> list[int]:
    return [index for indices in batches for index in indices]


def _permuted(items: Sequence[T], generator: torch.Generator) -> list[T]:
    return [items[i] for i in torch.randperm(len(items), generator=generator).tolist()]


def _rows(tensors: Sequence[Tensor], indices: Indices) -> list[Tensor]:
    """The rows of these examples; a range, as in most full passes, is a view."""
    if isinstance(indices, range):
        return [tensor[indices.start : indices.stop] for tensor in tensors]
    rows = torch.tensor(indices, dtype=torch.long)
    return [tensor[rows] for tensor in tensors]
