"""What goes between processes: words, messages and vectors, all of it by torch.distributed.

See docs/scale.md#several-processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor

from paretonav.errors import ProcessesError

# How long a process waits for another one that lives. It may be that a person thinks about the next step meanwhile. One
# that has died is noticed at once, as its connections break.
_PATIENCE = timedelta(days=365)
_FRAME = 4096  # bytes: what a message takes at least, and all that most of them take
_SIZE = 8  # bytes, at the beginning of a message
GONE = (
    "another of the {size} processes that compute together has ended, or cannot be reached any more; start all of them "
    "again, with the same session, and they go on from its last point"
)
"""What is said of one that has died."""


@dataclass
class Traffic:
    """What has gone through a process.

    Attributes:
        collectives: calls to torch.distributed.
        vectors: bytes of vectors, and of their sums.
        words: bytes of all else, messages and what is reported.
    """

    collectives: int = 0
    vectors: int = 0
    words: int = 0


class Wire:
    """Collectives between the processes of a group, of which the first one tells the others what to do.

    All must call the same methods in the same order. Messages and what is on the CPU go by gloo, in a group of our own
    that waits as long as it takes; vectors on a device by NCCL where the group given has that, and by way of the CPU
    where it has not.

    Args:
        group: of processes, all of which make a Wire of it.

    Attributes:
        rank: the number of this process in the group; the first one has 0.
        size: how many there are.
        broken: whether one was found to be gone.
        traffic: what has gone through this process.

    Raises:
        ProcessesError: from any method, another process is gone.
    """

    def __init__(self, group: dist.ProcessGroup) -> None:
        ranks = dist.get_process_group_ranks(group)
        self.rank, self.size = dist.get_rank(group), len(ranks)
        self.broken = False
        self.traffic = Traffic()
        self._root = ranks[0]
        backend = str(dist.get_backend(group))
        self._device_group = group if "nccl" in backend else None
        with self._noticing():
            if "nccl" not in backend:
                dist.barrier(
                    group
                )  # from here on all are there, so that nobody waits for one who never comes
            # It lasts as long as the group given: the next one of some of all processes might get its name, under which
            # there still are the addresses of this one.
            self._group = dist.new_group(
                ranks,
                backend="fake" if backend == "fake" else "gloo",
                timeout=_PATIENCE,
                use_local_synchronization=self.size < dist.get_world_size(),
            )

    def tell(self, message: bytes = b"") -> bytes:
        """The first process's message, to all of them."""
        frame = torch.zeros(_FRAME, dtype=torch.uint8)
        if self.rank == 0:
            start = _tensor(len(message).to_bytes(_SIZE, "little") + message[: _FRAME - _SIZE])
            frame[: len(start)] = start
        self._broadcast(frame)
        size = int.from_bytes(_bytes(frame[:_SIZE]), "little")
        rest = torch.zeros(max(0, size - (_FRAME - _SIZE)), dtype=torch.uint8)
        if len(rest):
            if self.rank == 0:
                rest = _tensor(message[_FRAME - _SIZE :])
            self._broadcast(rest)
        return _bytes(frame[_SIZE : _SIZE + size]) + _bytes(rest)

    def words(self, *numbers: int) -> list[list[int]]:
        """The same few numbers of every process, in their order, to all of them."""
        own = torch.tensor(numbers, dtype=torch.int64)
        found = [torch.empty_like(own) for _ in range(self.size)]
        self.traffic.words += own.nbytes
        self._do(lambda: dist.all_gather(found, own, group=self._group))
        return [each.tolist() for each in found]

    def collect(self, message: bytes, sizes: Sequence[int]) -> list[bytes]:
        """The messages of all processes, of these sizes, to the first one; the others get nothing."""
        longest = torch.zeros(max(sizes), dtype=torch.uint8)
        longest[: len(message)] = _tensor(message)
        found = [torch.empty_like(longest) for _ in sizes] if self.rank == 0 else None
        self.traffic.words += longest.nbytes
        self._do(lambda: dist.gather(longest, found, dst=self._root, group=self._group))
        return [_bytes(each[:size]) for each, size in zip(found or (), sizes, strict=False)]

    def spread(self, tensor: Tensor) -> Tensor:
        """The first process's tensor, in those of all the others, which are written to; returned for convenience."""
        self._on_its_way(
            tensor, lambda t, group: dist.broadcast(t, self._root, group=group), to=self.rank > 0
        )
        return tensor

    def add(self, tensor: Tensor) -> Tensor:
        """The sum of all processes' tensors, in that of the first one; the others' are undefined after it."""
        self._on_its_way(tensor, lambda t, group: dist.reduce(t, self._root, group=group), to=self.rank == 0)
        return tensor

    def _broadcast(self, tensor: Tensor) -> None:
        self.traffic.words += tensor.nbytes
        self._do(lambda: dist.broadcast(tensor, self._root, group=self._group))

    def _on_its_way(
        self, tensor: Tensor, work: Callable[[Tensor, dist.ProcessGroup], object], *, to: bool
    ) -> None:
        """Run a collective on a tensor where it is, or on a copy of it on the CPU; ``to`` it, or only from it."""
        straight = tensor.is_cpu or (tensor.is_cuda and self._device_group is not None)
        carried = tensor if straight and tensor.is_contiguous() else tensor.contiguous()
        carried = carried if straight else carried.cpu()
        group = self._group if carried.is_cpu or self._device_group is None else self._device_group
        self.traffic.vectors += carried.nbytes
        self._do(lambda: work(carried, group))
        if to and carried is not tensor:
            tensor.copy_(carried)

    def _do(self, work: Callable[[], object]) -> None:
        self.traffic.collectives += 1
        with self._noticing():
            work()

    @contextmanager
    def _noticing(self) -> Iterator[None]:
        """What torch says of a process that is gone comes out as an error of ours, and is remembered."""
        try:
            yield
        except (RuntimeError, ValueError) as error:  # the latter of a group that was destroyed
            self.broken = True
            raise ProcessesError(GONE.format(size=self.size)) from error


def _tensor(message: bytes) -> Tensor:
    if not message:
        return torch.zeros(0, dtype=torch.uint8)
    return torch.frombuffer(bytearray(message), dtype=torch.uint8)


def _bytes(tensor: Tensor) -> bytes:
    return tensor.numpy().tobytes()
