"""Objectives given as one function of a vector: toy problems, engineering models, anything without data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor

from paretonav.errors import ProblemError
from paretonav.objectives.problem import Bounds, Composite, Losses, Problem, Split, check_names


class FunctionProblem(Problem):
    """Minimise the m >= 2 entries of ``fn(x)`` over x, inside a box if there is one.

    Args:
        fn: maps Tensor[n] to Tensor[m], twice differentiable by autograd.
        x0: where to start, [n]; its dtype and device are those of all computations (float64 is wise).
        names: the objectives' names; "f1", "f2", ... by default.
        bounds: (lower, upper), each a number or an [n] tensor; None for no bounds.

    Raises:
        ProblemError: ``fn`` or ``x0`` has the wrong shape, there are fewer than two objectives, ``x0`` is
            outside the bounds, or an objective does not depend on x.
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
        names: Sequence[str] | None = None,
        bounds: tuple[Tensor | float, Tensor | float] | None = None,
    ) -> None:
        super().__init__()
        x0 = torch.as_tensor(x0)
        if x0.ndim != 1 or not x0.is_floating_point():
            raise ProblemError(
                f"x0 must be a floating-point vector, not {x0.dtype} of shape {list(x0.shape)}; "
                "use for example torch.zeros(n, dtype=torch.float64)"
            )
        self._fn = fn
        self._x = x0.detach().clone()
        self.bounds = None if bounds is None else _box(bounds, self._x)
        self.names = self._checked_names(names)

    def parameters(self) -> Tensor:
        return self._x.clone()

    def set_parameters(self, theta: Tensor) -> None:
        self._x = theta.detach().clone()

    def evaluate(self, theta: Tensor, split: Split = "train") -> Losses:  # noqa: ARG002 - a function has no splits
        self.cost.forward_passes += 1
        with torch.no_grad():
            return _as_losses(self._fn(theta.detach()))

    def jacobian(self, theta: Tensor, split: Split = "train") -> tuple[Losses, Tensor]:  # noqa: ARG002
        self.cost.forward_passes += 1
        self.cost.gradient_passes += self.m
        theta = theta.detach().requires_grad_()
        values = self._fn(theta)
        rows = [
            torch.autograd.grad(value, theta, retain_graph=True, materialize_grads=True)[0] for value in values
        ]
        return _as_losses(values.detach()), torch.stack(rows)

    def curvature_sample(self, size: int | None = None) -> Sequence[Composite]:  # noqa: ARG002
        return [Composite(1.0, lambda theta: (theta,), lambda outputs: self._fn(outputs[0]))]

    def minibatches(self, size: int, generator: torch.Generator) -> Iterable[Composite]:  # noqa: ARG002
        return self.curvature_sample()

    def state_dict(self, theta: Tensor) -> dict[str, Tensor]:
        return {"x": theta}

    def _checked_names(self, names: Sequence[str] | None) -> tuple[str, ...]:
        theta = self._x.clone().requires_grad_()
        values = self._fn(theta)
        if not isinstance(values, Tensor) or values.ndim != 1:
            shape = list(values.shape) if isinstance(values, Tensor) else type(values).__name__
            raise ProblemError(f"fn must return a vector of objectives, not {shape}; torch.stack its scalars")
        if names is None:
            names = [f"f{i + 1}" for i in range(len(values))]
        if len(names) != len(values):
            raise ProblemError(f"{len(names)} names for {len(values)} objectives; give one name per entry of fn(x)")
        self.names = check_names(names)
        self.require_finite(values.detach(), "at x0")
        for name, value in zip(self.names, values, strict=True):
            gradient = (
                torch.autograd.grad(value, theta, retain_graph=True, allow_unused=True)[0] if value.requires_grad else None
            )
            if gradient is None:
                raise ProblemError(
                    f"objective {name!r} does not depend on x; compute it from x with torch operations "
                    "(no .item(), .detach() or NumPy on the way)"
                )
        return self.names


def _as_losses(values: Tensor) -> Losses:
    return Losses(values.double().cpu()[None], torch.ones(1, dtype=torch.float64))


def _box(bounds: tuple[Tensor | float, Tensor | float], x: Tensor) -> Bounds:
    if len(bounds) != 2:
        raise ProblemError("bounds must be a pair (lower, upper), each a number or a vector of x's length")
    try:
        lower, upper = (torch.as_tensor(b, dtype=x.dtype, device=x.device).expand_as(x).clone() for b in bounds)
    except RuntimeError as error:
        raise ProblemError(f"bounds do not fit x of length {len(x)}: {error}") from error
    for k in ((lower > upper) | lower.isnan() | upper.isnan()).nonzero().flatten().tolist():
        raise ProblemError(f"the bounds of x[{k}] are empty: lower {lower[k]:g}, upper {upper[k]:g}; swap or widen them")
    for k in ((x < lower) | (x > upper)).nonzero().flatten().tolist():
        raise ProblemError(
            f"x0[{k}] = {x[k]:g} is outside its bounds [{lower[k]:g}, {upper[k]:g}]; move x0 inside or widen the bounds"
        )
    return Bounds(lower, upper)
