"""What lies in the graph of a tensor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from torch import Tensor
from torch.autograd.graph import Node


def nodes(roots: Iterable[Node]) -> Iterator[Node]:
    """All nodes that backward passes from these would visit, each once, the nearest first."""
    near = list(dict.fromkeys(roots))
    found = set(near)
    while near:
        yield from near
        behind = dict.fromkeys(node for one in near for node, _ in one.next_functions if node is not None)
        near = [node for node in behind if node not in found]
        found.update(near)


def leads_to(tensor: Tensor, node: Node | None) -> bool:
    """Whether a backward pass from the tensor comes to the node."""
    return tensor.grad_fn is not None and any(each is node for each in nodes([tensor.grad_fn]))
