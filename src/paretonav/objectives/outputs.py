"""What a model returns: the tensors that vary with its parameters, and the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from paretonav.objectives import trees
from paretonav.objectives.forward import Outputs

Join = Callable[[tuple[Tensor, ...]], Outputs]


class _Place(int):
    """Where the tensor of this number belongs."""


def divided(outputs: Outputs) -> tuple[tuple[Tensor, ...], Join]:
    """The tensors in the outputs that vary with theta, and what puts others in their place.

    Those are the ones with a gradient; without any, as under no_grad, all floating-point ones. The rest
    (masks, classes, None) is kept, but no graph is. A tensor that is there twice is one.
    """
    found = trees.tensors(outputs)
    variable = [t for t in found if t.requires_grad] or [t for t in found if t.is_floating_point()]
    numbers = {id(t): number for number, t in enumerate(dict.fromkeys(variable))}

    def place(leaf: Any) -> Any:
        return _Place(numbers[id(leaf)]) if id(leaf) in numbers else leaf

    template = trees.map_leaves(place, outputs)

    def join(others: tuple[Tensor, ...]) -> Outputs:
        return trees.map_leaves(lambda leaf: others[leaf] if isinstance(leaf, _Place) else leaf, template)

    return tuple(dict.fromkeys(variable)), join


def detached(outputs: Outputs) -> Outputs:
    """The outputs without their graph."""
    return trees.map_tensors(Tensor.detach, outputs)
