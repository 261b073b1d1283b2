"""Curvature of the weighted sum of the objectives, as an operator on vectors.

See docs/method.md#tangent.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal

import torch
from torch import Tensor

from paretonav.errors import ProblemError
from paretonav.objectives import Composite, Linearised, Tally, Watch, backward, differentiated
from paretonav.objectives.memory import memory_advice
from paretonav.objectives.modes import differentiable, recorded, variable
from paretonav.objectives.own_part import OwnPart
from paretonav.objectives.sample import Key, Sample
from paretonav.processes import Done

CurvatureKind = Literal["exact", "gauss-newton"]


class Curvature:
    """The symmetric operator ``v -> H v + shift v`` at one point, for one vector of weights.

    H belongs to ``sum_i w_i loss_i`` averaged over a sample: its exact Hessian, or the Gauss-Newton matrix
    ``J_out^T (d^2 loss / d out^2) J_out``, which is positive semidefinite where the losses are convex in the
    outputs (Schraudolph, Neural Computation 14, 2002). Products come from automatic differentiation on graphs
    that are built once and kept; H is never formed.

    Args:
        sample: the composites whose fractions sum to one; where they are divided among processes, so is the work.
        theta: the point, [n].
        weights: [m].
        kind: "exact" (double backward) or "gauss-newton" (J_out v by transposing the vjp, then two vjps).
        shift: added multiple of the identity: weight decay plus damping.
        free: [n] bool; entries that are False (at an active bound) are held fixed. None: all are free.
        tally: counts the products.
        watch: may stop between the batches of a product.

    Example:
        >>> import torch
        >>> from paretonav import FunctionProblem
        >>> from paretonav.geometry import Curvature
        >>> x = torch.tensor([1.0, 2.0])
        >>> problem = FunctionProblem(lambda x: torch.stack([x[0] ** 2, x[1] ** 3]), x)
        >>> operator = Curvature(problem.curvature_sample(), x, torch.tensor([0.5, 0.5]), kind="exact")
        >>> operator(torch.eye(2))
        tensor([[1., 0.],
                [0., 6.]])
    """

    @memory_advice()
    def __init__(
        self,
        sample: Sequence[Composite],
        theta: Tensor,
        weights: Tensor,
        *,
        kind: CurvatureKind,
        shift: float = 0.0,
        free: Tensor | None = None,
        tally: Tally | None = None,
        watch: Watch | None = None,
    ) -> None:
        if kind not in _BUILDERS:
            raise ProblemError(f"curvature={kind!r} is unknown; choose one of {', '.join(_BUILDERS)}")
        self._free = free
        self._tally = tally
        watch = watch or Watch()
        self._added: Callable[[Tensor, float], Tensor]
        if isinstance(sample, Sample) and sample.team.size > 1:
            self._added = _Everywhere(sample, theta, weights, kind)
        else:
            self._added = _Here(sample, theta, weights, kind, watch)
        self.shift = shift

    @memory_advice()
    @differentiable()
    def __call__(self, vectors: Tensor) -> Tensor:
        """The products with the rows of ``vectors`` [k, n], as rows [k, n]."""
        vectors = recorded(vectors)
        if self._free is not None:
            vectors = vectors * self._free
        result = self._added(vectors, self.shift)
        if self._tally is not None:
            self._tally.count(hessian_products=len(vectors))
        return result if self._free is None else result.mul_(self._free)

    def largest(self, like: Tensor, iterations: int = 4) -> float:
        """About the largest curvature in magnitude, without the shift: a few power iterations on a fixed vector."""
        vector = torch.randn(
            like.numel(), generator=torch.Generator().manual_seed(0), dtype=torch.float64
        ).to(like)
        length = 0.0
        for _ in range(iterations):
            vector = vector / vector.norm()
            vector = self(vector[None])[0] - self.shift * vector
            length = float(vector.norm())
            if length == 0:
                break
        return length


class _Here:
    """The products on one part of a sample, that of this process."""

    def __init__(
        self, sample: Sequence[Composite], theta: Tensor, weights: Tensor, kind: CurvatureKind, watch: Watch
    ) -> None:
        with differentiable():
            self._theta = theta = variable(theta)
            weights = recorded(weights.to(theta))
        self._products: list[tuple[Composite, Product]] = []
        for part in sample:
            watch.checkpoint()
            with differentiated(part, theta):
                self._products.append((part, _BUILDERS[kind](part, theta, weights, watch)))

    def __call__(self, vectors: Tensor, shift: float) -> Tensor:
        """``H v + shift v`` for each row v, [k, n]."""
        result = shift * vectors
        for part, products in self._products:
            with differentiated(part, self._theta):
                for row, product in zip(result, products(vectors), strict=True):
                    row.add_(product, alpha=part.fraction)
        return result


class _Everywhere:
    """The same on a sample that is divided among processes, each of which has made its own part's graphs."""

    def __init__(self, sample: Sample, theta: Tensor, weights: Tensor, kind: CurvatureKind) -> None:
        self._team = team = sample.team
        self._number = number = team.number()
        team.everywhere(_make, theta, number=number, key=sample.key, weights=weights.cpu(), kind=kind)
        weakref.finalize(self, team.let_go, number)

    def __call__(self, vectors: Tensor, shift: float) -> Tensor:
        _, total = self._team.everywhere(_multiply, vectors, number=self._number, shift=shift)
        assert total is not None
        return total


@memory_advice()
def _make(
    own: OwnPart, theta: Tensor, *, number: int, key: Key, weights: Tensor, kind: CurvatureKind
) -> Done[None]:
    own.kept[number] = _Here(own.sample(key, theta), theta, weights, kind, own.passes.watch)
    return Done(None)


@memory_advice()
@differentiable()
def _multiply(own: OwnPart, vectors: Tensor, *, number: int, shift: float) -> Done[None]:
    return Done(None, own.kept[number](vectors, shift if own.first else 0.0))


Product = Callable[[Tensor], Iterable[Tensor]]
"""The products with the rows of vectors [k, n], one after another: there may be memory for no more."""


def _weighted(weights: Tensor, losses: Tensor) -> Tensor:
    if weights.shape != losses.shape:
        raise ProblemError(
            f"{weights.numel()} weights are given for {len(losses)} objectives; give one for each"
        )
    return weights @ losses


def _exact_product(part: Composite, theta: Tensor, weights: Tensor, watch: Watch) -> Product:
    """``v -> H v``: the gradient, differentiated once more along v."""
    loss = _weighted(weights, part.losses(part.outputs(theta)))
    (gradient,) = torch.autograd.grad(loss, theta, create_graph=True)
    if not gradient.requires_grad:  # a loss that is linear in the parameters has no curvature
        return torch.zeros_like
    return lambda vectors: backward(
        gradient, theta, vectors, at_once=part.at_once, checkpoint=watch.checkpoint
    )


def _gauss_newton_product(part: Composite, theta: Tensor, weights: Tensor, watch: Watch) -> Product:
    """``v -> J^T H J v``, three maps one after another: J of the outputs by theta, H of the loss by the outputs."""
    made = Linearised(part, theta)
    leaves = tuple(o.detach().requires_grad_() for o in made.outputs)
    loss = _weighted(weights, part.losses(leaves))
    slopes = torch.autograd.grad(loss, leaves, create_graph=True, materialize_grads=True)
    curved = [i for i, slope in enumerate(slopes) if slope.requires_grad]
    if not curved:
        return torch.zeros_like

    def hessian(moved: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """The outputs move: how the loss's slopes by them change."""
        return torch.autograd.grad(
            [slopes[i] for i in curved],
            leaves,
            [moved[i] for i in curved],
            retain_graph=True,
            materialize_grads=True,
        )

    def products(vectors: Tensor) -> Iterator[Tensor]:
        for v in vectors:
            watch.checkpoint()
            yield made.back(hessian(made.along(v)))

    return products


_BUILDERS: dict[CurvatureKind, Callable[[Composite, Tensor, Tensor, Watch], Product]] = {
    "exact": _exact_product,
    "gauss-newton": _gauss_newton_product,
}
