"""Writing files so that they are complete or not there, and reading them as if anybody could have written them."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from paretonav.errors import OutOfMemoryError, SessionError, reason_of
from paretonav.text import printable

SCRATCH = ".writing-"  # begins the names of folders that a killed process leaves behind


def write_tensors(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, str]) -> str:
    """Write a safetensors file. It gets its name once it is complete on the disk, so nobody can see half of it.

    Tensors that share memory, such as tied weights, are each written in full, as safetensors refuses them otherwise.

    Returns:
        The file's checksum.

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
            save_file(separate, complete, dict(facts))
        except SafetensorError as error:
            raise OSError(str(error)) from error
        complete.chmod(mode)  # save_file hides it from other users
        return checksum(complete)


def write_whole(path: Path, content: bytes) -> None:
    """Write any other file, complete or not at all.

    Raises:
        OSError, ValueError: it cannot be written, or has an impossible name; what was there is as it was.
    """
    with replacing(path) as complete:
        complete.write_bytes(content)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path to write to in the block. After the block the file replaces ``path``; after an error it is gone."""
    # The folder is next to the target, on the same disk, so that renaming is atomic.
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=SCRATCH) as scratch:
        complete = Path(scratch, path.name)
        yield complete
        flush(complete)
        os.replace(complete, path)
    flush(path.parent)


def read_tensors(path: Path, expected: str = "") -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors of a safetensors file, and the facts that were written with them.

    Args:
        path: of the file.
        expected: its checksum; empty if that is not known.

    Raises:
        SessionError: it is missing, incomplete, or something else.
    """
    with readable(path):
        if not stat.S_ISREG(path.lstat().st_mode):
            raise ValueError("it is a link, a folder or a device")
        if expected and checksum(path) != expected:
            raise ValueError("its checksum is not that of what was written")
        return _tensors_in(path)


def _tensors_in(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with safe_open(path, framework="pt") as file:
            # A copy: what is mapped would end this process if another one cut the file short.
            return {name: file.get_tensor(name).clone() for name in file.keys()}, dict(file.metadata() or {})  # noqa: SIM118
    except (
        AttributeError,
        KeyError,
        TypeError,
    ) as error:  # what safetensors raises for a type it does not know
        raise ValueError(f"safetensors cannot read it: {error!r}") from error


def checksum(path: Path) -> str:
    """SHA-256 of a file's content. It shows damage; it is no proof against forgery."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def readable(path: Path, *, intact: bool = False) -> Iterator[None]:
    """Turn an error in reading ``path`` into one that says what is wrong with the file and what to do.

    A mistake in our own code (``TypeError``, ``AttributeError``) says nothing of the file, and comes out as it is.

    Args:
        path: of the file.
        intact: whether the file is known to be undamaged, by its checksum, so that an error is a matter of versions.

    Raises:
        SessionError: it is missing, damaged, from another version, or cannot be got at.
        OutOfMemoryError: it needs more memory than there is.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise SessionError(f"{str(path)!r} is missing; restore it from a backup") from error
    except OSError as error:
        raise SessionError(
            f"cannot read {str(path)!r}: {reason_of(error)}; check its permissions and the disk, and try again"
        ) from error
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise OutOfMemoryError(
            f"there is not enough memory to read {str(path)!r}; close what else needs memory, and try again"
        ) from error
    except (SafetensorError, SessionError, ValueError, RuntimeError, OverflowError) as error:
        what = printable(str(error))[:300]
        raise SessionError(
            f"{str(path)!r} is as it was written, but this version of paretonav cannot read it: {what}; install the "
            "version that wrote it"
            if intact
            else f"{str(path)!r} is damaged or is no file of this kind: {what}; restore it from a backup"
        ) from error


def removed(path: Path) -> int:
    """Remove a file if it is there, and return how many bytes that frees."""
    try:
        size = path.stat().st_size
        path.unlink()
    except OSError:  # it is in nobody's way: the next writer clears it up
        return 0
    return size


def flush(path: Path) -> None:
    """Wait until a file or folder is on the disk. For a folder it is left out where the platform cannot do it."""
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
