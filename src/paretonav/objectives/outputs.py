"""What a model returns: the tensors that vary with its parameters, and the rest."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.utils import _pytree as pytree

from paretonav.objectives.forward import Outputs

Join = Callable[[tuple[Tensor, ...]], Outputs]


def divided(outputs: Outputs) -> tuple[tuple[Tensor, ...], Join]:
    """The tensors in the outputs that vary with theta, and what puts others in their place.

    Those are the ones with a gradient; without any, as under no_grad, all floating-point ones. The rest
    (masks, classes, None) is kept, but no graph is.
    """
    leaves, structure = pytree.tree_flatten(outputs)
    tensors = [i for i, leaf in enumerate(leaves) if isinstance(leaf, Tensor)]
    places = [i for i in tensors if leaves[i].requires_grad]
    places = places or [i for i in tensors if leaves[i].is_floating_point()]
    variable = tuple(leaves[i] for i in places)
    for i in places:
        leaves[i] = None

    def join(others: tuple[Tensor, ...]) -> Outputs:
        filled = list(leaves)
        for i, other in zip(places, others, strict=True):
            filled[i] = other
        return pytree.tree_unflatten(filled, structure)

    return variable, join


def detached(outputs: Outputs) -> Outputs:
    """The outputs without their graph."""
    return pytree.tree_map_only(Tensor, Tensor.detach, outputs)
