"""Writing a chosen model to a file."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from os import PathLike
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from paretonav.errors import NavigationError


def write_state(path: str | PathLike[str], state: Mapping[str, Tensor], facts: Mapping[str, object]) -> None:
    """Write tensors and facts to a safetensors file, whole or not at all.

    Tensors that share memory, such as tied weights, are written one by one, so that the
    file has every name in ``state``.

    Args:
        path: of the file, ending in ".safetensors"; an existing one is replaced.
        state: name -> tensor.
        facts: what goes into the file's metadata, each as JSON.

    Raises:
        NavigationError: the name ends otherwise, the file cannot be written, or an entry of ``state`` is no
            tensor. A file that was there before is as it was.
    """
    target = Path(path)
    if target.suffix != ".safetensors":
        raise NavigationError(f"cannot export to {str(path)!r}: give a file name that ends in .safetensors")
    for name, value in state.items():
        if not isinstance(value, Tensor):
            raise NavigationError(
                f"cannot export {name!r}, a {type(value).__name__}: a safetensors file holds tensors only; "
                "save the module's extra state separately"
            )
    tensors = {
        name: t.detach().cpu().clone(memory_format=torch.contiguous_format) for name, t in state.items()
    }
    metadata = {key: json.dumps(value) for key, value in facts.items()}
    try:
        # In a directory next to the target, from where renaming is atomic.
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".export-") as scratch:
            whole = Path(scratch, target.name)
            whole.write_bytes(save(tensors, metadata))  # save_file would hide the file from other users
            os.replace(whole, target)
    except OSError as error:
        raise NavigationError(f"cannot write {str(path)!r}: {error}; what was there is as it was") from error
