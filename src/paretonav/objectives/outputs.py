"""What a model returns: the tensors that vary with its parameters, and the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from paretonav.objectives import trees
from paretonav.objectives.forward import Outputs

Join = Callable[[tuple[Tensor, ...]], Outputs]


class _Place(int):
    """Where the tensor of this number belongs."""


def varying(outputs: Outputs) -> list[int]:
    """The numbers of the tensors in the outputs, in order, that have a graph."""
    return [number for number, t in enumerate(trees.tensors(outputs)) if t.requires_grad]


def divided(outputs: Outputs, numbers: Sequence[int] = ()) -> tuple[tuple[Tensor, ...], Join]:
    """The tensors in the outputs that vary with theta, and what puts others in their place.

    Those are the ones of these ``numbers``, else the ones with a graph; without any, as under no_grad, all
    floating-point ones. The rest (masks, classes, None) is kept, but no graph is. A tensor that is there twice is one.
    Of complex numbers it is both parts, [..., 2], so that derivatives are of real numbers by real numbers everywhere.
    """
    found = trees.tensors(outputs)
    variable = [found[number] for number in numbers or varying(outputs)] or [
        t for t in found if t.is_floating_point() or t.is_complex()
    ]
    places = {id(t): _Place(number) for number, t in enumerate(dict.fromkeys(variable))}
    whole = list(dict.fromkeys(variable))

    def place(leaf: Any) -> Any:
        return places.get(id(leaf), leaf)

    template = trees.map_leaves(place, outputs)
    are_complex = [t.is_complex() for t in whole]

    def join(others: tuple[Tensor, ...]) -> Outputs:
        filled = [
            torch.view_as_complex(t.contiguous()) if is_complex else t
            for t, is_complex in zip(others, are_complex, strict=True)
        ]
        return trees.map_leaves(lambda leaf: filled[leaf] if isinstance(leaf, _Place) else leaf, template)

    return tuple(torch.view_as_real(t.resolve_conj()) if t.is_complex() else t for t in whole), join


def detached(outputs: Outputs) -> Outputs:
    """The outputs without their graph."""
    return trees.map_tensors(Tensor.detach, outputs)
