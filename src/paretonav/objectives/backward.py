"""Several backward passes through one graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

_NOT_BATCHED = ("vmap", "batching rule", "data pointer", "storage")
"""In the messages of torch where an operation cannot be batched, or leaves torch."""


def backward(
    values: Tensor,
    inputs: Tensor,
    cotangents: Tensor,
    *,
    at_once: bool,
    checkpoint: Callable[[], None] = lambda: None,
) -> Iterator[Tensor]:
    """One ``cotangents[j]^T d values / d inputs`` after another, each like ``inputs``; the graph is kept.

    Args:
        values: with a graph that leads to ``inputs``.
        inputs: to differentiate by.
        cotangents: [k, *values.shape].
        at_once: in one batched pass, which of small vectors takes hardly longer than one, but the memory of k. Where an
            operation cannot be batched, one pass after another.
        checkpoint: called before every pass.
    """
    if at_once and len(cotangents) > 1:
        checkpoint()
        rows = _batched(values, inputs, cotangents)
        if rows is not None:
            yield from rows
            return
    for cotangent in cotangents:
        checkpoint()
        yield torch.autograd.grad(values, inputs, cotangent, retain_graph=True, materialize_grads=True)[0]


def _batched(values: Tensor, inputs: Tensor, cotangents: Tensor) -> Tensor | None:
    try:
        (rows,) = torch.autograd.grad(
            values, inputs, cotangents, retain_graph=True, is_grads_batched=True, materialize_grads=True
        )
    except RuntimeError as error:
        if not any(sign in str(error).lower() for sign in _NOT_BATCHED):
            raise
        return None
    # Where no graph leads to the inputs, they get one zero for all.
    return rows.expand(len(cotangents), *inputs.shape)
