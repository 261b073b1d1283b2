"""Whether products with a Jacobian and with its transpose are of one Jacobian."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

_OFF = (0.01, 0.2)
"""The largest error of a product, in parts of it, in full and in half precision: well above rounding (1e-3 with the
TF32 of GPUs). A small branch beside a residual way is 0.03 of it, as tests/objectives/test_quantised.py has it."""


def is_adjoint(
    outputs: Sequence[Tensor], moved: Sequence[Tensor | None], theta: Tensor, v: Tensor, *, half: bool = False
) -> bool:
    """Whether ``<u, J v> = <J^T u, v>`` for random u, by two backward passes for each of the outputs.

    Args:
        outputs: at ``theta``, with their graph.
        moved: ``J v`` as somebody computed it, a tensor for each of the outputs; None for zero.
        theta: where, [n], a leaf.
        v: along which, [n].
        half: whether some of it is computed in half precision.
    """
    generator = torch.Generator().manual_seed(1)
    for output, tangent in zip(outputs, moved, strict=True):
        for _ in range(2 if output.requires_grad else 0):
            u = normal(output, generator)
            (pulled,) = torch.autograd.grad(output, theta, u, retain_graph=True, materialize_grads=True)
            one = 0.0 if tangent is None else float((u * tangent).sum())
            size = 0.0 if tangent is None else float(tangent.norm())
            other = float((pulled * v).sum())
            if not abs(one - other) <= _OFF[half] * max(size, abs(other)):
                return False
    return True


def normal(like: Tensor, generator: torch.Generator) -> Tensor:
    """Standard normal numbers of the same shape, the same on every device."""
    return torch.randn(like.shape, generator=generator).to(like)
