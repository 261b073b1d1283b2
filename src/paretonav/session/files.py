"""Files, written whole or not at all, and tensors read without trust."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from paretonav.errors import SessionError

SCRATCH = ".writing-"  # what a killed process leaves behind
_CHECKSUM = "checksum"


def write_tensors(
    path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, str], *, checked: bool = False
) -> None:
    """Write a safetensors file: to the disk, and under its name only once it is complete.

    Tensors that share memory, such as tied weights, are written one by one. A ``checked`` file has a checksum of its
    tensors and facts, so that a disk that loses a bit is noticed.

    Raises:
        OSError: it cannot be written; a file that was there before is as it was.
    """
    separate: dict[str, Tensor] = {}
    seen: set[int] = set()
    for name, tensor in tensors.items():
        t = tensor.detach().cpu().contiguous()
        place = t.untyped_storage().data_ptr()
        whole = t.numel() * t.element_size() == t.untyped_storage().nbytes()
        separate[name] = t if whole and place not in seen else t.clone()
        seen.add(place)
    with replacing(path) as complete:
        complete.touch()
        mode = complete.stat().st_mode
        try:
            save_file(separate, complete, _signed(separate, facts) if checked else dict(facts))
        except SafetensorError as error:
            raise OSError(str(error)) from error
        complete.chmod(mode)  # save_file hides it from other users


def write_whole(path: Path, content: bytes) -> None:
    """Write any other file in the same way.

    Raises:
        OSError, ValueError: it cannot be written, or has an impossible name; what was there is as it was.
    """
    with replacing(path) as complete:
        complete.write_bytes(content)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Where to write what shall be ``path`` once the block has ended well, and is gone if it has not."""
    # In a directory next to the target, from where renaming is atomic.
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=SCRATCH) as scratch:
        complete = Path(scratch, path.name)
        yield complete
        _flush(complete)
        os.replace(complete, path)
    _flush(path.parent)


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors and facts of a checked safetensors file.

    Raises:
        SessionError: it is missing, incomplete, or something else.
    """
    with readable(path):
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            facts = dict(file.metadata() or {})
        if _signed(tensors, facts) != facts:
            raise ValueError("it does not have the checksum of what it holds")
        return tensors, facts


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn what goes wrong in reading ``path`` into a ``SessionError``."""
    try:
        yield
    except FileNotFoundError as error:
        raise SessionError(f"{str(path)!r} is missing; restore it from a backup") from error
    except (SafetensorError, OSError, ValueError, RuntimeError, RecursionError) as error:
        if isinstance(error, SessionError) and str(path) in str(error):
            raise
        raise SessionError(
            f"{str(path)!r} is damaged or is no file of this kind: {error}; restore it from a backup"
        ) from error


def _signed(tensors: Mapping[str, Tensor], facts: Mapping[str, str]) -> dict[str, str]:
    """The facts with the checksum of the tensors and the other facts among them."""
    facts = {key: text for key, text in facts.items() if key != _CHECKSUM}
    check = hashlib.blake2b(repr(sorted(facts.items())).encode(), digest_size=16)
    for name, tensor in sorted(tensors.items()):
        check.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        flat = tensor.reshape(-1).as_strided(
            (tensor.numel(),), (1,)
        )  # the stride of a single entry may be any
        check.update(flat.view(torch.uint8).numpy().data)
    return {**facts, _CHECKSUM: check.hexdigest()}


def _flush(path: Path) -> None:
    """Wait until a file or folder is on the disk; not every platform can do that for folders."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        if path.is_file():
            raise
    finally:
        os.close(handle)


def equal(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> bool:
    """Whether two states have the same names and, bit for bit, the same tensors."""
    return a.keys() == b.keys() and all(
        a[name].dtype == b[name].dtype and torch.equal(a[name].cpu(), b[name].cpu()) for name in a
    )
