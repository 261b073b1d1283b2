"""What torch is asked to compute, operation by operation: what the results alone do not show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from paretonav.objectives import trees
from paretonav.objectives.parameters import memory_of, overlap

_HALF = (torch.float16, torch.bfloat16)
_SHAPES_ONLY = ("new_", "_like", "detach", "alias", "view")
"""In the names of operations that take a tensor for its shape, or only look at it in another way."""


class Observed(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Sees which of some tensors what is run inside reads, also without a graph, and whether it uses half precision.

    Args:
        tensors: name -> tensor. A view of one, a ``.data`` or a ``detach()`` of it counts as the tensor itself.

    Attributes:
        read: the names of those that were read, in order.
        half: whether something was computed in half precision.
    """

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.read: dict[str, None] = {}
        self.half = False
        self._owners: dict[int, list[tuple[str, Tensor]]] = {}
        for name, tensor in tensors.items():
            self._owners.setdefault(memory_of(tensor), []).append((name, tensor.detach()))

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if not any(sign in function.__name__ for sign in _SHAPES_ONLY):
            for tensor in trees.tensors((args, kwargs)):
                self.half = self.half or tensor.dtype in _HALF
                for name, owner in self._owners.get(memory_of(tensor), ()):
                    if name not in self.read and overlap(tensor, owner):
                        self.read[name] = None
        return function(*args, **kwargs)
