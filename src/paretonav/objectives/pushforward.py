"""Derivatives of what is computed of a batch along directions in parameter space."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.nn.attention import SDPBackend, sdpa_kernel

from paretonav.objectives.adjoint import is_adjoint, normal
from paretonav.objectives.collected import Parts
from paretonav.objectives.modes import variable
from paretonav.objectives.outputs import divided, varying

Curved = Any
"""What the model makes of the parameters and a batch: tensors in any nesting."""

_NO_FORWARD_MODE = ("forward ad", "forward mode", "forward-mode", "jvp", "jacobian-vector")
"""In the messages of torch, whatever the operation: those of which the formula is missing, those that were written
without one, and those that cannot be nested."""


class Pushed(NamedTuple):
    """What directions make of a batch.

    Attributes:
        parts: at the point itself.
        slopes: per direction, the derivatives of the parts; zero where no graph leads to one.
    """

    parts: Parts
    slopes: list[Parts]


class Pushforward:
    """Jacobian-vector products of ``parts(outputs(theta))``.

    The outputs in forward mode, one pass a direction and two passes' work; from there to the parts backward, once for
    all directions, as losses are many small operations, of which forward mode takes several times as long. Where an
    operation of the outputs has no forward-mode formula, once and for all by differentiating the function of the
    coordinates backward, which costs a backward pass for every part. Any other error is the user's, and comes out.

    Forward mode is silently zero through what leaves torch (a kernel of somebody's own, some quantised layers). So the
    first time it is held against one backward pass, and given up for good where the two are not of one Jacobian.

    Args:
        again: theta -> the context of backward passes through outputs that were made there, see ``Composite.again``.
        half: whether some of it is computed in half precision.
    """

    def __init__(
        self,
        again: Callable[[Tensor], AbstractContextManager[None]] = lambda _: nullcontext(),
        *,
        half: bool = False,
    ) -> None:
        self._again = again
        self._half = half
        self._forward: bool | None = None  # whether forward mode is right; None before the first time

    def __call__(
        self,
        outputs: Callable[[Tensor], Curved],
        parts: Callable[[Curved], Parts],
        theta: Tensor,
        directions: Tensor,
        checkpoint: Callable[[], None] = lambda: None,
    ) -> Pushed:
        """The parts at ``theta`` [n], and what comes of them along each of the ``directions`` [k, n], k >= 1.

        ``checkpoint`` is called before each direction.
        """
        if self._forward is None:
            self._forward = self._is_right(outputs, theta)
        if self._forward:
            moving = _forward(outputs, theta, directions, checkpoint)
            if moving is not None:
                return Pushed(*_chained(parts, moving))
        pushed = Pushed(*self._backward(lambda point: parts(outputs(point)), theta, directions))
        self._forward = False
        return pushed

    def _is_right(self, outputs: Callable[[Tensor], Curved], theta: Tensor) -> bool:
        """Whether forward mode gives products with the Jacobian whose transpose backward passes give."""
        here = variable(theta)
        v = normal(theta, torch.Generator().manual_seed(0))
        with torch.enable_grad():
            made = outputs(here)
        numbers = varying(made)
        if not numbers:
            return True
        try:
            _, moved, _ = forward_along(lambda point: divided(outputs(point), numbers)[0], theta, v)
        except RuntimeError as error:
            if not lacks_forward_mode(error):
                raise
            return False
        with self._again(here):
            return is_adjoint(divided(made, numbers)[0], moved, here, v, half=self._half)

    def _backward(
        self, function: Callable[[Tensor], Parts], theta: Tensor, directions: Tensor
    ) -> tuple[Parts, list[Parts]]:
        """The parts as functions of k coordinates along the directions, each differentiated backward."""
        coordinates = theta.new_zeros(len(directions)).requires_grad_()
        with torch.enable_grad():
            parts = function(theta + coordinates @ directions)
        with self._again(theta):
            rows = [[_slopes(part, coordinates) for part in kind] for kind in parts]
        primal = [[part.detach() for part in kind] for kind in parts]
        return primal, [[[row[:, k] for row in kind] for kind in rows] for k in range(len(directions))]


class _Moving(NamedTuple):
    """The outputs, and how they move along directions.

    Attributes:
        values: of the outputs' tensors.
        join: makes outputs of such tensors.
        tangents: per direction, their derivatives; None for a tensor that does not vary.
    """

    values: list[Tensor]
    join: Callable[[tuple[Tensor, ...]], Curved]
    tangents: list[list[Tensor | None]]


def _forward(
    outputs: Callable[[Tensor], Curved],
    theta: Tensor,
    directions: Tensor,
    checkpoint: Callable[[], None],
) -> _Moving | None:
    """The outputs in forward mode along one direction after another; None where an operation has no formula for it."""
    tangents = []
    try:
        for direction in directions:
            checkpoint()
            values, moved, join = forward_along(outputs, theta, direction)
            tangents.append(moved)
    except RuntimeError as error:
        if not lacks_forward_mode(error):
            raise
        return None
    return _Moving(values, join, tangents)


def lacks_forward_mode(error: BaseException) -> bool:
    """Whether torch says that an operation has no formula for forward mode."""
    return isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in _NO_FORWARD_MODE)


def forward_along(
    outputs: Callable[[Tensor], Curved], theta: Tensor, direction: Tensor
) -> tuple[list[Tensor], list[Tensor | None], Callable[[tuple[Tensor, ...]], Curved]]:
    """The values of the outputs' tensors, their tangents (None where they do not vary), and what rejoins them."""
    # The other kernels for attention have no forward mode.
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), forward_ad.dual_level():
        dual: Tensor = forward_ad.make_dual(theta, direction.contiguous())  # type: ignore[no-untyped-call]
        variable, join = divided(outputs(dual))
        pairs = [forward_ad.unpack_dual(tensor) for tensor in variable]  # type: ignore[no-untyped-call]
        return [value for value, _ in pairs], [tangent for _, tangent in pairs], join


def _chained(parts: Callable[[Curved], Parts], moving: _Moving) -> tuple[Parts, list[Parts]]:
    """The chain rule: the parts of these outputs, and along each direction the slopes of a part times how they move."""
    values, join, moved = moving
    varies = [any(tangents[i] is not None for tangents in moved) for i in range(len(values))]
    leaves = tuple(v.detach().requires_grad_(vary) for v, vary in zip(values, varies, strict=True))
    with torch.enable_grad():
        found = parts(join(leaves))
    free = [i for i, vary in enumerate(varies) if vary]

    def along(entry: Tensor) -> list[Tensor]:
        """The derivatives of one number, one per direction."""
        zero = entry.new_zeros(())
        if not entry.requires_grad:
            return [zero for _ in moved]
        slopes = torch.autograd.grad(entry, [leaves[i] for i in free], retain_graph=True, allow_unused=True)
        pairs = [(i, slope.flatten()) for i, slope in zip(free, slopes, strict=True) if slope is not None]
        return [
            sum((slope @ t.flatten() for i, slope in pairs if (t := tangents[i]) is not None), zero)
            for tangents in moved
        ]

    rows = [[[along(entry) for entry in part] for part in kind] for kind in found]
    primal = [[part.detach() for part in kind] for kind in found]
    return primal, [
        [[torch.stack([entry[k] for entry in part]) for part in kind] for kind in rows]
        for k in range(len(moved))
    ]


def _slopes(part: Tensor, coordinates: Tensor) -> Tensor:
    """[number of parts, k]."""
    if not part.requires_grad:
        return coordinates.new_zeros(len(part), len(coordinates))
    return torch.stack(
        [torch.autograd.grad(p, coordinates, retain_graph=True, materialize_grads=True)[0] for p in part]
    )
