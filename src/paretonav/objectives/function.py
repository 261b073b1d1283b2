"""Objectives given as one function of a vector: toy problems, engineering models, anything without data."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager

import torch
from torch import Tensor

from paretonav.errors import ProblemError
from paretonav.objectives.backward import backward
from paretonav.objectives.blame import ours
from paretonav.objectives.differentiated import differentiated
from paretonav.objectives.followed import is_bent, require_derivatives
from paretonav.objectives.losses import Losses
from paretonav.objectives.modes import differentiable, variable
from paretonav.objectives.place import version
from paretonav.objectives.problem import Bounds, Composite, Entry, Problem, Split, check_names
from paretonav.text import in_quotes


class FunctionProblem(Problem):
    """Minimise the m >= 2 entries of ``fn(x)`` over x, inside a box if there is one.

    Args:
        fn: maps Tensor[n] to Tensor[m], twice differentiable by autograd.
        x0: where to start, [n]; its dtype and device are those of all computations (float64 is wise).
        names: the objectives' names; "f1", "f2", ... by default.
        bounds: (lower, upper), each a number or an [n] tensor, infinite for no bound; None for none at all.

    Attributes:
        fn: the same.

    Raises:
        ProblemError: ``fn`` fails at ``x0`` or does not return a vector, ``x0`` is not a finite vector or is
            outside the bounds, the bounds are empty somewhere or do not fit, there are fewer than two
            objectives or not as many names, or an objective does not depend on x.
        NonFiniteError: an objective is not finite at ``x0``.

    Example:
        >>> import torch
        >>> from paretonav import FunctionProblem
        >>> problem = FunctionProblem(
        ...     lambda x: torch.stack([(x - 1).square().sum(), (x + 1).square().sum()]), x0=torch.zeros(3)
        ... )
        >>> problem.evaluate(torch.zeros(3)).mean.tolist()
        [3.0, 3.0]
    """

    def __init__(
        self,
        fn: Callable[[Tensor], Tensor],
        x0: Tensor,
        *,
        names: Sequence[str] | None = None,
        bounds: tuple[Tensor | float, Tensor | float] | None = None,
    ) -> None:
        super().__init__()
        self.fn = fn
        self._x = _start(x0)
        self.bounds = None if bounds is None else _box(bounds, self._x)
        self._curvature_known = False  # whether autograd can follow it
        self.names = self._checked_names(names)

    def parameters(self) -> Tensor:
        return self._x.clone()

    def set_parameters(self, theta: Tensor) -> None:
        if theta.shape != self._x.shape:
            raise ProblemError(
                f"a vector of shape {list(theta.shape)} was given for {len(self._x)} variables; "
                "give one like those that parameters() returns"
            )
        self._x = theta.detach().to(self._x, copy=True)

    def changed_since(self, theta: Tensor) -> str | None:
        return None if torch.equal(theta.to(self._x), self._x) else "x"

    def evaluate(self, theta: Tensor, split: Split = "train") -> Losses:  # noqa: ARG002 - a function has no splits
        self.watch.checkpoint()
        self.tally.count(forward_passes=1)
        with torch.no_grad():
            return _as_losses(self._called(theta.detach()))

    @differentiable()
    def jacobian(self, theta: Tensor, split: Split = "train") -> tuple[Losses, Tensor]:  # noqa: ARG002
        self.watch.checkpoint()
        self.tally.count(forward_passes=1, gradient_passes=self.m)
        theta = variable(theta)
        values = self._called(theta)
        losses = _as_losses(values.detach())
        self.watch.saw(self.names, losses.mean)
        with _explained("the gradient of fn failed"):
            return losses, _gradients(values, theta, self.watch.checkpoint)

    def curvature_sample(
        self,
        size: int | None = None,  # noqa: ARG002
        *,
        around: Tensor | None = None,  # noqa: ARG002 - it is not made of means
    ) -> Sequence[Composite]:
        def values(outputs: tuple[Tensor, ...]) -> Tensor:
            return self._called(outputs[0])

        part = Composite(1.0, lambda theta: (theta,), values, at_once=True)
        if not self._curvature_known:
            self._require_curvature(part)
            self._curvature_known = True
        return [part]

    def minibatches(self, size: int, generator: torch.Generator) -> Iterable[Composite]:  # noqa: ARG002
        return self.curvature_sample()

    def state_dict(self, theta: Tensor) -> dict[str, Tensor]:
        return {"x": theta}

    def layout(self) -> tuple[Entry, ...]:
        return (Entry(("x",), tuple(self._x.shape), self._x.dtype),)

    def _called(self, x: Tensor, where: str = "") -> Tensor:
        """``fn(x)``, with its graph, after a look at what it has returned, and at what it has done to x."""
        before = version(x)
        with _explained(f"fn failed {where or f'at a vector of length {len(x)} and {x.dtype}'}"):
            values = self.fn(x)
        if not isinstance(values, Tensor) or values.ndim != 1:
            shape = f"shape {list(values.shape)}" if isinstance(values, Tensor) else type(values).__name__
            raise ProblemError(f"fn must return a vector of objectives, not {shape}; torch.stack its scalars")
        if values.is_complex():
            raise ProblemError("fn returned complex numbers; take their .real or .abs(), objectives are real")
        if hasattr(self, "names") and len(values) != self.m:
            raise ProblemError(
                f"fn returned {len(values)} objectives, and {self.m} at x0; return as many everywhere"
            )
        if version(x) != before:
            raise ProblemError("fn changes x in place, which is the caller's; begin it with x = x.clone()")
        return values

    def _near(self, x: Tensor) -> Tensor:
        """The objectives close to x0; NaN where there are none, beyond the bounds, say."""
        inside = self.bounds is None or torch.equal(self.bounds.clamp(x), x)
        try:
            with torch.no_grad():
                return self._called(x) if inside else x.new_full((self.m,), math.nan)
        except ProblemError:
            return x.new_full((self.m,), math.nan)

    @differentiable()
    def _checked_names(self, names: Sequence[str] | None) -> tuple[str, ...]:
        theta = self._x.clone().requires_grad_()
        values = self._called(theta, f"at x0, a vector of length {len(theta)} and {theta.dtype}")
        if names is None:
            names = [f"f{i + 1}" for i in range(len(values))]
        self.names = check_names(names)
        if len(self.names) != len(values):
            raise ProblemError(
                f"{len(self.names)} names for {len(values)} objectives; give one name per entry of fn(x)"
            )
        self.require_finite(values.detach(), "at x0")
        again = self._called(self._x.clone())
        for name, first, second in zip(self.names, values.tolist(), again.tolist(), strict=True):
            if not math.isclose(first, second, rel_tol=torch.finfo(theta.dtype).eps ** 0.5):
                raise ProblemError(
                    f"objective {in_quotes(name)} is random: at x0 it has the values {first:g} and "
                    f"{second:g}; fix the seed inside of fn, or average over a fixed sample"
                )
        if values.requires_grad:
            with _explained("the gradient of fn failed at x0"):
                gradients = _gradients(values, theta)
            require_derivatives(self.names, self._near, theta.detach(), values.detach(), gradients)
        for name, depends in zip(self.names, self._depend_on_x(values, theta), strict=True):
            if not depends:
                raise ProblemError(
                    f"objective {in_quotes(name)} does not depend on x; compute it from x with torch operations "
                    "(no .item(), .detach() or NumPy on the way)"
                )
        return self.names

    def _require_curvature(self, part: Composite) -> None:
        """Refuse a function of which autograd does not know the curvature, at the current x."""
        weights = 1 + torch.rand(self.m, generator=torch.Generator().manual_seed(0))
        with differentiated(part, self._x):
            if not is_bent(lambda x: weights.to(x[0]) @ part.losses(x), (self._x,)):
                raise ProblemError(
                    "fn is curved, but torch cannot differentiate its gradient again (a torch.autograd.Function whose "
                    "backward leaves torch or is marked once_differentiable), so that curvature would be wrong without "
                    "a word; write it with plain torch operations"
                )

    def _depend_on_x(self, values: Tensor, x: Tensor) -> list[bool]:
        """Whether each of the values at x, of which autograd has the graph, changes with x."""
        if not values.requires_grad:
            return [False] * len(values)
        with _explained("the gradient of fn failed at x0"):
            changes = [bool(row.any()) for row in _gradients(values, x)]
        if not all(changes):  # the start may be optimal for one; a constant has no slope elsewhere, either
            aside = 0.01 * (1 + x.detach().abs())
            for there in (x.detach() - aside, x.detach() + aside):
                there = (self.bounds.clamp(there) if self.bounds else there).requires_grad_()
                rows = _gradients(self._called(there), there)
                changes = [known or bool(row.any()) for known, row in zip(changes, rows, strict=True)]
        return changes


def _explained(what: str) -> AbstractContextManager[None]:
    return ours(lambda error: f"{what}: {type(error).__name__}: {error}")


def _gradients(values: Tensor, x: Tensor, checkpoint: Callable[[], None] = lambda: None) -> Tensor:
    each = torch.eye(len(values), dtype=values.dtype, device=values.device)
    return torch.stack(list(backward(values, x, each, at_once=True, checkpoint=checkpoint)))


def _as_losses(values: Tensor) -> Losses:
    return Losses(values.double().cpu()[None], torch.ones(1, dtype=torch.float64))


def _start(x0: Tensor) -> Tensor:
    try:
        x0 = torch.as_tensor(x0)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ProblemError(f"x0 must be a floating-point vector, not {type(x0).__name__}: {error}") from error
    if x0.ndim != 1 or not x0.is_floating_point() or len(x0) == 0:
        raise ProblemError(
            f"x0 must be a floating-point vector, not {x0.dtype} of shape {list(x0.shape)}; "
            "use for example torch.zeros(n, dtype=torch.float64)"
        )
    k = _first(~x0.isfinite())
    if k is not None:
        raise ProblemError(f"x0[{k}] is {x0[k]:g}; start from finite numbers")
    return x0.detach().clone()


def _box(bounds: tuple[Tensor | float, Tensor | float], x: Tensor) -> Bounds:
    try:
        lower, upper = bounds
    except (TypeError, ValueError) as error:
        raise ProblemError(
            "bounds must be a pair (lower, upper), each a number or a vector of x's length"
        ) from error
    try:
        lower, upper = (
            torch.as_tensor(b, dtype=x.dtype, device=x.device).expand_as(x).clone() for b in bounds
        )
    except (TypeError, ValueError, RuntimeError) as error:
        raise ProblemError(f"bounds do not fit x of length {len(x)}: {error}") from error
    k = _first((lower > upper) | lower.isnan() | upper.isnan())
    if k is not None:
        raise ProblemError(
            f"the bounds of x[{k}] are empty: lower {lower[k]:g}, upper {upper[k]:g}; swap or widen them"
        )
    k = _first((x < lower) | (x > upper))
    if k is not None:
        raise ProblemError(
            f"x0[{k}] = {x[k]:g} is outside its bounds [{lower[k]:g}, {upper[k]:g}]; move x0 inside or widen "
            "the bounds"
        )
    return Bounds(lower, upper)


def _first(wrong: Tensor) -> int | None:
    """The index of the first True in ``wrong`` [n]."""
    return int(wrong.int().argmax()) if wrong.any() else None
