"""Checks that the derivatives that autograd gives are those of the losses and the model.

They need not be. A backward pass that somebody has written may return something else on purpose (a straight-through
estimator, a reversed gradient), and some backward passes cannot be differentiated a second time, but raise no error.
So first derivatives are compared with finite differences, and second ones with differences of the first, on one batch.
A corner, a jump or rounding must not raise an alarm: differences over several distances have to agree before one does.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from paretonav.errors import ProblemError
from paretonav.objectives.adjoint import is_adjoint, normal
from paretonav.objectives.linearised import Linearised
from paretonav.objectives.modes import variable
from paretonav.objectives.parameters import some_of

logger = logging.getLogger(__name__)

_LEVELS = (3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5)  # changes to try, as parts of the loss
_DOUBT = 0.02  # a slope that is off by more of itself is looked at again
_OFF = 0.05  # a slope that is off by more of itself is wrong, not rounded
_ALIKE = 0.03  # differences over two distances agree if they are as close as this, in parts of the slope
_BENT = (1e-3, 1e-4)  # how far outputs are moved for a difference, in parts of their size
_UNTOLD = 0.3  # a second derivative that leaves out more of a difference is wrong there
_SMALL = 0.1  # slopes below this part of the largest, or of what is claimed, do not count
_RESOLVED = 1e2  # rounding errors that a difference must exceed to say something


class Misled(NamedTuple):
    """How a function really changes along its gradient, where the gradient is not its derivative.

    Attributes:
        slope: the measured slope, in parts of what the gradient says.
        right_at_a_step: whether the gradient is right over a longer distance, on which the function has jumps (as
            rounded weights give it).
        reversed: the numbers of the pieces of theta whose own gradients lead the function the other way.
    """

    slope: float
    right_at_a_step: bool
    reversed: tuple[int, ...] = ()


def require_derivatives(
    names: Sequence[str],
    values: Callable[[Tensor], Tensor],
    theta: Tensor,
    now: Tensor,
    gradients: Tensor,
    pieces: Mapping[str, int] | None = None,
) -> None:
    """Warn of objectives whose gradient is not their derivative, and refuse those that it makes worse.

    The arguments are those of ``misled``, with the pieces of theta by name. A gradient that is off leads to worse ways,
    but what steps along them bring is measured; a network that is its own target, or that is attacked while it is
    trained, has such ones on purpose.

    Raises:
        ProblemError: an objective rises where its gradient says that it falls; names it.
    """
    sizes = list(pieces.values()) if pieces else None
    for i, wrong in misled(values, theta, now, gradients, sizes).items():
        what = (
            f"the gradient of objective {names[i]!r} is not its derivative: along it, the objective changes by "
            f"{wrong.slope:.2g} of what it says (a straight-through estimator, a stopped "
            "or reversed gradient, a backward pass of one's own)"
        )
        if wrong.reversed:
            where = f" in {some_of(repr(list(pieces)[k]) for k in wrong.reversed)}" if pieces else ""
            raise ProblemError(
                f"{what}, and what should lower it raises it{where}; give a loss that is to rise with its sign turned, "
                "instead of a reversed gradient, or leave what comes before it out of parameters="
            )
        step = (
            "over the length of a step it is right" if wrong.right_at_a_step else "ways will be worse for it"
        )
        logger.warning("%s; %s, and what steps are said to bring is measured, not derived", what, step)


def misled(
    values: Callable[[Tensor], Tensor],
    theta: Tensor,
    now: Tensor,
    gradients: Tensor,
    sizes: Sequence[int] | None = None,
) -> dict[int, Misled]:
    """The functions whose gradient is not their derivative.

    As a rule two evaluations show that there is none: one difference along a direction in which all functions change.
    Only a function whose slope is in doubt after that is looked at more closely, along its own gradient. Its slope is
    wrong if differences over several distances, forwards and backwards, agree with each other and not with it.

    Args:
        values: theta [n] -> [m], without graphs.
        theta: where, [n].
        now: the values there, [m].
        gradients: their gradients there, [m, n].
        sizes: of the pieces that theta consists of, such as the layers of a network. Directions move each piece
            equally far, however small its gradient, as one layer alone may have a wrong one.

    Returns:
        number of the function -> how it changes instead.
    """
    if not (now.isfinite().all() and gradients.isfinite().all()):
        return {}
    pieces = list(sizes or [len(theta)])
    ways = [_way(gradient, pieces) for gradient in gradients]
    way = torch.zeros_like(theta)
    for each in ways:
        way = way + (each if way @ each >= 0 else -each)
    claimed = gradients @ way
    size = float((_LEVELS[4] * now.abs() / claimed.abs()).nan_to_num(0, 0, 0).median())
    doubtful = torch.ones(len(now), dtype=torch.bool)
    if size > 0:
        changes = (values(theta + size * way) - values(theta - size * way)) / (2 * size)
        doubtful = ~(
            (changes - claimed).abs()
            <= _DOUBT * torch.stack([g @ w for g, w in zip(gradients, ways, strict=True)])
        )
    found = {}
    for i in doubtful.nonzero().flatten().tolist():
        if gradients[i] @ ways[i] > 0:
            value = partial(_entry, values, i)
            wrong = _slope(value, theta, float(now[i]), ways[i], gradients[i])
            if wrong is not None:
                steps = torch.split(wrong[1] * ways[i], pieces)
                reverse = _reversed(value, theta, float(now[i]), steps, torch.split(gradients[i], pieces))
                found[i] = wrong[0]._replace(reversed=reverse)
    return found


def _entry(values: Callable[[Tensor], Tensor], i: int, point: Tensor) -> Tensor:
    return values(point)[i]


def _way(gradient: Tensor, pieces: list[int]) -> Tensor:
    """The gradient, with every piece of it scaled to length one."""
    return torch.cat(
        [piece / piece.norm() if piece.any() else piece for piece in torch.split(gradient, pieces)]
    )


def _slope(
    value: Callable[[Tensor], Tensor], theta: Tensor, now: float, way: Tensor, gradient: Tensor
) -> tuple[Misled, float] | None:
    """How a function changes along a direction, if not as its gradient says, and over which distance that shows.

    None if the gradient is right, or nothing can be told.
    """
    at_a_step, before = False, None
    slope = float(gradient @ way)
    for level in _LEVELS:
        size = level * abs(now) / slope
        ahead, back = _both(value, theta, now, size * way)
        resolved = _RESOLVED * torch.finfo(theta.dtype).eps * (abs(now) + (0.01 if ahead or back else 1.0))
        if size * slope < resolved:
            return None
        ahead, back = ahead / (size * slope), back / (size * slope)
        mean = (ahead + back) / 2
        if mean != mean:
            return None
        if abs(ahead - back) > _ALIKE:  # a corner, a jump, or too far
            at_a_step, before = at_a_step or abs(mean - 1) < _OFF, None
        elif before is not None and abs(mean - before) < _ALIKE:
            return (Misled(mean, at_a_step), size) if abs(mean - 1) > _OFF else None
        else:
            before = mean
    return None


def _both(value: Callable[[Tensor], Tensor], theta: Tensor, now: float, step: Tensor) -> tuple[float, float]:
    """How much the function rises over a step, and how much over the same step up to theta."""
    return float(value(theta + step)) - now, now - float(value(theta - step))


def _reversed(
    value: Callable[[Tensor], Tensor],
    theta: Tensor,
    now: float,
    steps: Sequence[Tensor],
    gradients: Sequence[Tensor],
) -> tuple[int, ...]:
    """The numbers of the pieces of theta whose gradients lead down instead of up, each tried alone."""
    claimed = [float(gradient @ step) for gradient, step in zip(gradients, steps, strict=True)]
    found = []
    for k, (step, slope) in enumerate(zip(steps, claimed, strict=True)):
        if slope < _SMALL * max(claimed):
            continue
        alone = [torch.zeros_like(other) for other in steps]
        alone[k] = step
        ahead, back = _both(value, theta, now, torch.cat(alone))
        if max(ahead, back) < -_SMALL * slope:
            found.append(k)
    return tuple(found)


def is_transposed(made: Linearised, theta: Tensor, *, half: bool = False) -> bool:
    """Whether the Jacobian of the outputs is one, by ``J v`` and ``J^T u`` as Gauss-Newton products compute both.

    Through a backward pass that is not made of torch's own operations, or in forward mode through an operation that
    nobody has thought of, ``J v`` is silently zero.

    Args:
        made: the outputs, linearised at theta.
        theta: [n].
        half: whether some of it is computed in half precision.
    """
    v = normal(theta, torch.Generator().manual_seed(0))
    return is_adjoint(made.outputs, made.along(v), theta, v, half=half)


def is_bent(loss: Callable[[tuple[Tensor, ...]], Tensor], leaves: tuple[Tensor, ...]) -> bool:
    """Whether the second derivatives that autograd gives include all of a loss's curvature in its leaves.

    They do not if the gradient changes more between two points close by than they say. That has to be so for most
    entries, and in proportion to the distance; at a corner few entries change, and by a jump.

    Args:
        loss: leaves -> a scalar with its graph.
        leaves: of real numbers, to differentiate by.
    """
    generator = torch.Generator().manual_seed(0)
    sizes = [leaf.detach().square().mean().sqrt() for leaf in leaves]
    way = [
        normal(leaf, generator) * (size if size > 0 else 1) for leaf, size in zip(leaves, sizes, strict=True)
    ]

    def slopes(size: float, *, twice: bool = False) -> tuple[Tensor, ...]:
        moved = tuple(variable(leaf + size * w) for leaf, w in zip(leaves, way, strict=True))
        value = loss(moved)
        if not value.requires_grad:
            return tuple(map(torch.zeros_like, moved))
        found = torch.autograd.grad(value, moved, create_graph=twice, materialize_grads=True)
        curved = [i for i, slope in enumerate(found) if slope.requires_grad]
        if not twice:
            return found
        if not curved:
            return tuple(map(torch.zeros_like, moved))
        return torch.autograd.grad(
            [found[i] for i in curved], moved, [way[i] for i in curved], materialize_grads=True
        )

    def difference(size: float) -> list[Tensor]:
        return [(ahead - back) / (2 * size) for ahead, back in zip(slopes(size), slopes(-size), strict=True)]

    def lost(changes: list[Tensor]) -> list[Tensor]:
        return [(one - told).abs() > _UNTOLD * one.abs() for one, told in zip(changes, expected, strict=True)]

    expected, far = slopes(0.0, twice=True), difference(_BENT[0])
    if not any(2 * int(each.sum()) > each.numel() for each in lost(far)):
        return True
    near = difference(_BENT[1])
    for one, other, each, slope in zip(far, near, lost(far), slopes(0.0), strict=True):
        rounding = torch.finfo(slope.dtype).eps * slope.abs().max() / _BENT[1]
        sure = (one - other).abs() < _ALIKE * one.abs()
        sure &= (one.abs() > _RESOLVED * rounding) & (one.abs() > 1e-2 * one.abs().max())
        if 2 * int((sure & each).sum()) > one.numel():
            return False
    return True
