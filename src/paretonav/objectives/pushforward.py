"""Derivatives of what is computed of a batch along directions in parameter space."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.nn.attention import SDPBackend, sdpa_kernel

from paretonav.objectives.collected import Parts


class Pushforward:
    """Jacobian-vector products of a function of the parameters.

    In forward mode, one pass a direction and two passes' work. Where an operation has no forward-mode formula, once and
    for all by differentiating the function of the coordinates backward, which costs a backward pass for every part.
    """

    def __init__(self) -> None:
        self._forward = True

    def __call__(
        self,
        function: Callable[[Tensor], Parts],
        theta: Tensor,
        directions: Tensor,
        checkpoint: Callable[[], None] = lambda: None,
    ) -> tuple[Parts, list[Parts]]:
        """The parts at ``theta`` [n], and their derivatives along each of the ``directions`` [k, n].

        A part that has no derivative, because no graph leads to it, gets zero. ``checkpoint`` is called before each
        direction.
        """
        tangents: list[Parts] = []
        for direction in directions if self._forward else ():
            checkpoint()
            try:
                primal, tangent = _forward(function, theta, direction)
            except torch.OutOfMemoryError:
                raise
            except (NotImplementedError, RuntimeError):
                self._forward = False
                break
            tangents.append(tangent)
        if self._forward:
            return primal, tangents
        return _backward(function, theta, directions)


def _forward(function: Callable[[Tensor], Parts], theta: Tensor, direction: Tensor) -> tuple[Parts, Parts]:
    # The other kernels for attention have no forward mode.
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), forward_ad.dual_level():
        parts = function(_dual(theta, direction))
        pairs = [[_unpacked(part) for part in kind] for kind in parts]
        primal = [[part for part, _ in kind] for kind in pairs]
        return primal, [[torch.zeros_like(p) if t is None else t for p, t in kind] for kind in pairs]


def _dual(theta: Tensor, direction: Tensor) -> Tensor:
    dual: Tensor = forward_ad.make_dual(theta, direction.contiguous())  # type: ignore[no-untyped-call]
    return dual


def _unpacked(part: Tensor) -> tuple[Tensor, Tensor | None]:
    primal, tangent = forward_ad.unpack_dual(part)  # type: ignore[no-untyped-call]
    return primal, tangent


def _backward(
    function: Callable[[Tensor], Parts], theta: Tensor, directions: Tensor
) -> tuple[Parts, list[Parts]]:
    coordinates = theta.new_zeros(len(directions)).requires_grad_()
    with torch.enable_grad():
        parts = function(theta + coordinates @ directions)
    rows = [[_slopes(part, coordinates) for part in kind] for kind in parts]
    primal = [[part.detach() for part in kind] for kind in parts]
    return primal, [[[row[:, k] for row in kind] for kind in rows] for k in range(len(directions))]


def _slopes(part: Tensor, coordinates: Tensor) -> Tensor:
    """[number of parts, k]."""
    if not part.requires_grad:
        return coordinates.new_zeros(len(part), len(coordinates))
    return torch.stack(
        [torch.autograd.grad(p, coordinates, retain_graph=True, materialize_grads=True)[0] for p in part]
    )
