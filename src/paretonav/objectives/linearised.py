"""What a share of the data makes of the parameters, linearised at one point."""

from __future__ import annotations

import torch
from torch import Tensor

from paretonav.errors import ProblemError
from paretonav.objectives.problem import Composite
from paretonav.objectives.pushforward import forward_along, lacks_forward_mode

Outputs = tuple[Tensor, ...]
"""One tensor for each of the model's outputs: values, their changes, or slopes by them."""


class Linearised:
    """The outputs at theta, and products with their Jacobian J; all inside of ``differentiated(part, theta)``.

    ``J^T u`` is a backward pass. It is linear in u, so differentiating it by u is the way to ``J v``, which needs no
    formulas for forward mode. The graph for that is built once and kept. It holds all activations, whether checkpoints
    had spared them or not; so where activations are recomputed, ``J v`` takes forward mode, which keeps none. Where
    that lacks a formula, it is the graph again.

    Args:
        part: what is linearised.
        theta: where, [n], a leaf that requires grad.

    Attributes:
        outputs: at theta, with their graph.
    """

    def __init__(self, part: Composite, theta: Tensor) -> None:
        self._part, self._theta = part, theta
        self.outputs: Outputs = part.outputs(theta)
        self._forward = part.forward_mode
        self._pulled: Tensor | None = None
        self._cotangents: Outputs = ()

    def along(self, v: Tensor) -> Outputs:
        """``J v``: how the outputs move where theta moves by v [n]."""
        if self._forward:
            moved = self._moved(v)
            if moved is not None:
                return moved
            self._forward = False
        if self._pulled is None:
            self._cotangents = tuple(torch.zeros_like(o, requires_grad=True) for o in self.outputs)
            (self._pulled,) = torch.autograd.grad(
                self.outputs, self._theta, self._cotangents, create_graph=True, materialize_grads=True
            )
        if not self._pulled.requires_grad:  # no graph leads from the outputs to theta
            return tuple(map(torch.zeros_like, self.outputs))
        return torch.autograd.grad(
            self._pulled, self._cotangents, v, retain_graph=True, materialize_grads=True
        )

    def back(self, slopes: Outputs) -> Tensor:
        """``J^T u``: the slope by theta [n] that follows from slopes by the outputs."""
        return torch.autograd.grad(
            self.outputs, self._theta, slopes, retain_graph=True, materialize_grads=True
        )[0]

    def _moved(self, v: Tensor) -> Outputs | None:
        """``J v`` in forward mode; None where an operation has no formula for it."""
        try:
            values, moved, _ = forward_along(self._part.outputs, self._theta.detach(), v)
        except (
            RuntimeError,
            ProblemError,
        ) as error:  # by itself, or as an error of ours that says where it came
            if not lacks_forward_mode(error.__cause__ or error):
                raise
            return None
        return tuple(torch.zeros_like(x) if t is None else t for x, t in zip(values, moved, strict=True))
