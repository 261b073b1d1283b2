"""Writing a chosen model to a file."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from os import PathLike
from pathlib import Path

from safetensors.torch import save_file
from torch import Tensor

from paretonav.errors import NavigationError


def write_state(path: str | PathLike[str], state: Mapping[str, Tensor], facts: Mapping[str, object]) -> None:
    """Write tensors and facts (as JSON in the metadata) to a safetensors file, whole or not at all."""
    target = Path(path)
    if target.suffix != ".safetensors":
        raise NavigationError(f"cannot export to {str(path)!r}: give a file name that ends in .safetensors")
    tensors = {name: t.detach().cpu().contiguous().clone() for name, t in state.items()}
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(dir=target.parent or ".", suffix=".part")
        os.close(handle)
        save_file(tensors, temporary, metadata={key: json.dumps(value) for key, value in facts.items()})
        os.replace(temporary, target)
    except OSError as error:
        raise NavigationError(f"cannot write {str(path)!r}: {error}; nothing was left there") from error
    finally:
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)
