"""Tensors in any nesting of containers: what batches and outputs are made of."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections import UserDict
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import is_traceable_wrapper_subclass

from paretonav.errors import ProblemError

Tree = Any
Fingerprint = list[tuple[torch.Size, float]]


def map_leaves(
    function: Callable[[Any], Any], tree: Tree, is_leaf: Callable[[Any], bool] = lambda _: False
) -> Tree:
    """The same containers with ``function(leaf)`` in the place of every leaf; the given ones stay as they are.

    Containers are those that torch knows (tuples, named tuples, lists, dicts, and what libraries have
    registered, such as the outputs of Hugging Face models), other mappings, and dataclasses. All else is a
    leaf, and so is what ``is_leaf`` says.
    """
    if _is_flat(tree) and not is_leaf(tree):  # the long way takes as long as a small model
        return type(tree)([function(leaf) for leaf in tree])
    return pytree.tree_map(partial(_visit, function, is_leaf), tree, is_leaf=is_leaf)


def _visit(function: Callable[[Any], Any], is_leaf: Callable[[Any], bool], node: Any) -> Any:
    """A leaf, or a container that torch does not know."""
    if is_leaf(node):
        return function(node)
    if isinstance(node, Mapping):
        return _mapping_like(node, {key: map_leaves(function, node[key], is_leaf) for key in node})
    if dataclasses.is_dataclass(node) and not isinstance(node, type):
        return _dataclass_like(node, partial(map_leaves, function, is_leaf=is_leaf))
    return function(node)


def leaves(tree: Tree, is_leaf: Callable[[Any], bool] = lambda _: False) -> list[Any]:
    """The leaves, in the order in which ``map_leaves`` visits them."""
    found: list[Any] = []

    def record(leaf: Any) -> Any:
        found.append(leaf)
        return leaf

    map_leaves(record, tree, is_leaf)
    return found


def tensors(tree: Tree) -> list[Tensor]:
    """The tensors among the leaves."""
    if _is_flat(tree):
        return list(tree)
    return [leaf for leaf in leaves(tree) if isinstance(leaf, Tensor)]


def _is_flat(tree: Tree) -> bool:
    """Whether it is a list or tuple of tensors, as most batches are, for which there are shorter ways."""
    return type(tree) in (list, tuple) and all(type(leaf) is Tensor for leaf in tree)


def fingerprint(tree: Tree) -> Fingerprint:
    """Shape and sum of the numbers in each tensor: what other data hardly have, at the price of reading these."""
    found = [
        numbers(t) for each in tensors(tree) for t in _inner(each) if not t.is_meta and not t.is_quantized
    ]
    return [(t.shape, float(t.sum(dtype=torch.float64))) for t in found]


def _inner(tensor: Tensor) -> list[Tensor]:
    """The tensor itself, or what it is made of, as quantised ones are of numbers and scales."""
    if not is_traceable_wrapper_subclass(tensor):
        return [tensor]
    names, _ = tensor.__tensor_flatten__()
    return [inner for name in names for inner in _inner(getattr(tensor, name))]


def alike(one: Fingerprint, other: Fingerprint, tolerance: float = 1e-6) -> bool:
    """Whether two fingerprints are of the same numbers, but for a relative difference of the sums; NaN is like NaN."""
    return len(one) == len(other) and all(
        shape == same
        and (math.isclose(total, value, rel_tol=tolerance) or (total != total and value != value))
        for (shape, total), (same, value) in zip(one, other, strict=True)
    )


def numbers(tensor: Tensor) -> Tensor:
    """All that a tensor holds, as real numbers: a complex one by both parts, a sparse one by the entries it has."""
    tensor = tensor.detach()
    if tensor.layout is torch.sparse_coo:
        tensor = tensor.coalesce().values()
    elif tensor.layout is not torch.strided:
        tensor = tensor.values() if tensor.is_sparse_csr else tensor.to_dense()
    return torch.view_as_real(tensor.resolve_conj()) if tensor.is_complex() else tensor


def fresh(tree: Tree) -> Tree:
    """The same leaves in containers of their own, into which others may write."""
    return tree if isinstance(tree, Tensor) else map_leaves(lambda leaf: leaf, tree)


def described(tree: Tree) -> str:
    """Its type, its keys, and its tensors' dtypes and shapes of one example: "a list of float32 [3], int64 []"."""
    kinds = [f"{str(t.dtype).removeprefix('torch.')} {list(t.shape[1:])}" for t in tensors(tree)]
    keys = f" with the keys {', '.join(map(repr, tree))}" if isinstance(tree, Mapping) else ""
    return f"a {type(tree).__name__}{keys} of {', '.join(kinds) or 'no tensors'}"


def map_tensors(function: Callable[[Tensor], Any], tree: Tree) -> Tree:
    """``map_leaves`` for tensors only."""
    return map_leaves(lambda leaf: function(leaf) if isinstance(leaf, Tensor) else leaf, tree)


def _mapping_like(node: Mapping[Any, Any], values: dict[Any, Any]) -> Mapping[Any, Any]:
    if isinstance(node, dict | UserDict):
        clone = copy.copy(node)
        for key, value in values.items():
            clone[key] = value
        return clone
    try:
        return type(node)(values)  # type: ignore[call-arg]
    except TypeError as error:
        raise ProblemError(
            f"a {type(node).__name__} cannot be made anew from a dict ({error}); give a dict instead"
        ) from error


def _dataclass_like(node: Any, function: Callable[[Any], Any]) -> Any:
    """Without __init__, which may want other arguments, and for frozen ones, too."""
    clone = copy.copy(node)
    for field in dataclasses.fields(node):
        object.__setattr__(clone, field.name, function(getattr(node, field.name)))
    return clone
