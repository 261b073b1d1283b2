"""The modes of torch that derivatives need, whatever those around a call are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor


@contextmanager
def differentiable() -> Iterator[None]:
    """Record graphs, also where the caller has switched that off: under ``no_grad`` all derivatives would be zero.

    Also a decorator.
    """
    with torch.inference_mode(False), torch.enable_grad():
        yield


def recorded(tensor: Tensor) -> Tensor:
    """The tensor, or a copy that graphs can hold, where it was made in inference mode."""
    return tensor.clone() if tensor.is_inference() else tensor


def variable(theta: Tensor) -> Tensor:
    """``theta`` as what is differentiated by, with memory in common where that is possible."""
    return recorded(theta).detach().requires_grad_()
