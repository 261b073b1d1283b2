"""What to do when memory runs out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from paretonav.errors import OutOfMemoryError

_SIGNS = ("out of memory", "can't allocate memory", "not enough memory")  # CUDA and others, then the host


@contextmanager
def memory_advice() -> Iterator[None]:
    """Turn running out of memory into an error that says which settings help; also a decorator.

    Raises:
        OutOfMemoryError: memory ran out, on the host or on a device.
    """
    try:
        yield
    except OutOfMemoryError:
        raise
    except (MemoryError, RuntimeError) as error:
        known = isinstance(error, MemoryError | torch.OutOfMemoryError)
        if not known and not any(sign in str(error) for sign in _SIGNS):
            raise
        first = str(error).partition("\n")[0] or type(error).__name__
        raise OutOfMemoryError(
            f"memory ran out ({first}); give smaller batches (batch_size=, or the DataLoader's), a smaller "
            "curvature sample (Geometry(samples=...)), fewer steered parameters (parameters=), or a model with "
            "gradient checkpoints"
        ) from error
