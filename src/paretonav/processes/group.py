"""Which processes compute together: a group of torch.distributed, or all that were launched."""

from __future__ import annotations

import atexit
import os
from typing import Any, Literal

import torch
import torch.distributed as dist
from torch.distributed.rendezvous import rendezvous

from paretonav.errors import ProcessesError

Group = Any  # a ProcessGroup; torch has another type for one that this process is not in
World = Literal["world"]


def launched() -> bool:
    """Whether a launcher (torchrun, Accelerate, Lightning) has started this process as one of several."""
    if dist.is_available() and dist.is_initialized():
        return dist.get_world_size() > 1
    return "RANK" in os.environ and int(os.environ.get("WORLD_SIZE") or 1) > 1


def the_group(group: Group | World | None) -> dist.ProcessGroup | None:
    """The group that is meant; None for this process alone.

    Args:
        group: one of torch.distributed; or "world" for all processes that were launched, whose default group is begun
            where it was not yet; or None.

    Raises:
        ProcessesError: it is something else, or this process is not in it.
    """
    if group is None:
        return None
    if isinstance(group, str) and group == "world":
        if not launched():
            return None
        if not dist.is_initialized():
            _begin()
        group = dist.group.WORLD
    if not isinstance(group, dist.ProcessGroup):
        what = "this process is not in the group"
        if group is not dist.GroupMember.NON_GROUP_MEMBER:
            what = f"group={group!r} is not possible"
        raise ProcessesError(
            f"{what}; give a group of torch.distributed that has it, 'world' for all processes, or None"
        )
    return group if dist.get_world_size(group) > 1 else None


def _begin() -> None:
    """Begin the default group: gloo, and NCCL where each process of this machine can have a device of its own."""
    local = int(os.environ.get("LOCAL_WORLD_SIZE") or os.environ["WORLD_SIZE"])
    on_devices = dist.is_nccl_available() and torch.cuda.device_count() >= local
    try:
        store, rank, size = next(rendezvous("env://"))
        # After a restart by torchrun the store still has the addresses of those who died (torch issue 135712).
        attempt = dist.PrefixStore(f"attempt {os.environ.get('TORCHELASTIC_RESTART_COUNT', 0)}", store)  # type: ignore[attr-defined]
        backend = "cpu:gloo,cuda:nccl" if on_devices else "gloo"
        dist.init_process_group(backend, store=attempt, rank=rank, world_size=size)
        atexit.register(_end)
    except (RuntimeError, ValueError) as error:
        raise ProcessesError(
            f"the processes do not find each other: {error}; start them by torchrun, which tells them how"
        ) from error


def _end() -> None:
    """End the default group, which we began; threads of gloo that outlive the interpreter abort the process."""
    if dist.is_initialized():
        dist.destroy_process_group()
