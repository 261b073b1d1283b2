"""One value in a file of tensors: the tensors as they are, the rest as JSON in its metadata."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor

from paretonav.session.codec import decode, encode
from paretonav.session.files import read_tensors, readable, write_tensors

_T = TypeVar("_T")


def write_value(path: Path, value: object, **extra: Tensor) -> str:
    """Write a value, and tensors besides; return the file's checksum."""
    tensors: dict[str, Tensor] = {}
    skeleton = encode(value, tensors)
    return write_tensors(path, tensors | extra, {"paretonav": json.dumps(skeleton)})


def read_value(
    path: Path, kind: type[_T], checksum: str, device: torch.device
) -> tuple[_T, dict[str, Tensor]]:
    """The value and the tensors that ``write_value`` was given.

    Raises:
        SessionError: the file is missing, is not what was written, or holds a value of another kind.
    """
    tensors, facts = read_tensors(path, checksum)
    with readable(path, intact=bool(checksum)):
        value = decode(json.loads(facts.get("paretonav", "null")), tensors, device)
        if not isinstance(value, kind):
            raise ValueError(f"it holds no {kind.__name__}")
    return value, tensors
