"""Whether what other people's functions are given is as it was when they are done with it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from paretonav.objectives import trees
from paretonav.objectives.place import version

Tree = Any

WRITES = (
    "writes into the steered parameters when it is called, and so into the vector that was given; let it compute "
    "with a changed copy (weight = self.weight.clamp(-1, 1)) instead"
)
"""What is said of a model that does so."""


def versions(tree: Tree) -> list[int]:
    """How often each tensor was written to: what costs nothing to ask, and sees all but what leaves torch."""
    return [version(tensor) for tensor in trees.tensors(tree)]


def copied(tree: Tree) -> Tree:
    """The same with tensors of their own, into which others may write without harm."""
    return trees.map_tensors(lambda t: t.detach().clone().requires_grad_(t.requires_grad), tree)


def written(given: Tree, before: list[int], original: Tree) -> str | None:
    """The first tensor that was written to, such as "a tensor of int64 and shape [32]"; None if none was.

    Args:
        given: what the functions had.
        before: its versions then.
        original: what was in it, in the same containers.
    """
    for tensor, number, old in zip(trees.tensors(given), before, trees.tensors(original), strict=False):
        if version(tensor) != number or not _same(tensor, old):
            kind = str(tensor.dtype).removeprefix("torch.")
            return f"a tensor of {kind} and shape {list(tensor.shape)}"
    return None


def _same(one: Tensor, other: Tensor) -> bool:
    if one.is_meta or one.is_quantized or one.shape != other.shape or one.layout is not other.layout:
        return one.shape == other.shape
    one, other = trees.numbers(one), trees.numbers(other)
    return one.shape == other.shape and bool(((one == other) | ((one != one) & (other != other))).all())


def same(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors hold the same numbers; NaN is like NaN."""
    with torch.no_grad():
        return _same(one, other)
