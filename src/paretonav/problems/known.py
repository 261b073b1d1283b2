"""What the benchmark problems share: a front that is known, checked arguments, and disconnected fronts."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from paretonav.errors import ProblemError
from paretonav.objectives import FunctionProblem


class KnownFrontProblem(FunctionProblem):
    """A function whose Pareto front is known, so that every outcome can be held against the truth."""

    @abstractmethod
    def front_distance(self, f: Tensor) -> float:
        """Return how far the outcome ``f`` [m] is from the front; zero, up to rounding, on it."""

    def _outcome(self, f: Tensor, name: str = "f") -> Tensor:
        """Return ``f``, one number per objective, as a float64 vector [m] on the CPU."""
        f = torch.as_tensor(f, dtype=torch.float64).detach().cpu()
        if f.shape != (self.m,) or not f.isfinite().all():
            raise ProblemError(f"{name} must be {self.m} finite numbers, one per objective, not {f.tolist()}")
        return f


def start_point(x0: Tensor | None, default: Tensor) -> Tensor:
    """Return ``x0`` in float64, or ``default`` [n] if it is None; it must be as long as ``default``."""
    if x0 is None:
        return default
    x0 = torch.as_tensor(x0, dtype=torch.float64)
    if x0.shape != default.shape:
        raise ProblemError(
            f"x0 has shape {list(x0.shape)}, but the problem has n = {len(default)} variables; "
            "give x0 that length or change n"
        )
    return x0


def uniform(generator: torch.Generator, count: int, low: float, high: float) -> Tensor:
    """Return ``count`` independent float64 draws between ``low`` and ``high``."""
    return low + (high - low) * torch.rand(count, generator=generator, dtype=torch.float64)


def check_integer(name: str, value: int, least: int, most: int | None = None, *, why: str) -> int:
    """Return ``value`` if it is an integer from ``least`` to ``most``; the error names it and says why."""
    fits = isinstance(value, int) and not isinstance(value, bool) and least <= value
    if not fits or (most is not None and value > most):
        allowed = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise ProblemError(f"{name} = {value!r} is not possible: {why}; give an integer {allowed}")
    return value


def check_sizes(**sizes: int | None) -> None:
    """Refuse numbers of units, epochs or examples that are no integers of at least 1; None is a default's business."""
    for name, size in sizes.items():
        if size is not None:
            check_integer(name, size, 1, why="there must be something to train, and to train on")


def record_pieces(h: Callable[[Tensor], Tensor], valleys: Sequence[tuple[float, float]]) -> Tensor:
    """Return the intervals [p, 2] of y >= 0 on which h(y) is less than everywhere to the left.

    Args:
        h: a differentiable function, float64 scalars to float64 scalars.
        valleys: one bracket of every local minimum, from left to right, each deeper than the one before; from
            the lower end of a bracket, where h is above the valley before, to the valley it falls.

    """

    def value(y: float) -> float:
        return float(h(torch.tensor(y, dtype=torch.float64)))

    def slope(y: float) -> float:
        at = torch.tensor(y, dtype=torch.float64, requires_grad=True)
        return float(torch.autograd.grad(h(at), at)[0])

    from scipy.optimize import brentq  # a tenth of a second to load

    pieces = [[0.0, brentq(slope, *valleys[0], xtol=1e-15)]]
    for low, high in valleys[1:]:
        bottom, depth = brentq(slope, low, high, xtol=1e-15), value(pieces[-1][1])
        pieces.append([brentq(lambda y, depth=depth: value(y) - depth, low, bottom, xtol=1e-15), bottom])
    return torch.tensor(pieces, dtype=torch.float64)


def along(pieces: Tensor, t: Tensor) -> Tensor:
    """Return where fractions ``t`` (any shape, in [0, 1]) of the pieces' total length lie.

    Args:
        pieces: [p, 2], disjoint intervals in rising order. A piece's right end belongs to it and its left end
            does not, except for the very first: on a front, the left end of a later piece is only weakly
            optimal, for the right end before it is as good in one objective and better in the other.
        t: the fractions, 0 for the first left end and 1 for the last right end.

    """
    ends = (pieces[:, 1] - pieces[:, 0]).cumsum(0)
    covered = t * ends[-1]
    index = torch.searchsorted(ends, covered.contiguous()).clamp(max=len(pieces) - 1)
    # Measured from the right end, so that t at the end of a piece returns that end without rounding.
    return (pieces[index, 1] - (ends[index] - covered)).clamp(pieces[index, 0], pieces[index, 1])
