"""The ways from a model that is no optimum of its training losses: it is held where it is, and its weights change.

See docs/method.md#anchored-objectives, docs/method.md#m-ways-instead-of-m--1, docs/method.md#which-pull.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from paretonav.errors import NonFiniteError, ProblemError
from paretonav.geometry.algebra import inner_products
from paretonav.geometry.curvature import Curvature
from paretonav.geometry.exchange import Exchange, exchange, read_before
from paretonav.geometry.krylov import Solution, Status
from paretonav.geometry.krylov_space import KrylovSpace
from paretonav.geometry.nystrom import room
from paretonav.geometry.sizes import relative_sizes
from paretonav.geometry.tangent import Anchor, Geometry, Tangent
from paretonav.objectives import Losses, Problem
from paretonav.text import in_quotes

Array = NDArray[np.float64]

PULLS = (1e-1, 1e-2, 1e-4)
"""Pulls that are tried, in parts of the largest curvature, from strong to weak. Nearly every model tried took the first
or the last, so more in between would only cost more."""
# Of the right-hand sides: the part outside of the space at which it is large enough. What a direction does is measured,
# whatever it is; a better one only costs the others less. Chosen, not measured.
_RESIDUAL = 0.15
# Of the price so far. A weaker pull that saves less than the first is not worth its products; where it saves less than
# the second, still weaker ones are not tried. Chosen, not measured: a price is known to some per cent.
_BETTER, _FLAT = 0.95, 0.99
# Products for a space, at most: for small data, and for large. Between them they may read the training data so often.
# Chosen, not measured: more make the ways a little cheaper for the others, and a start longer.
_PRODUCTS, _PASSES = (24, 64), 2.0
# Of the longest way, in the metric of the curvature: ways that are so much shorter are combinations of the others.
_DEPENDENT = 1e-7
# Spaces grow to so many times their first size before they are made anew: what was learnt far away is stale, and takes
# memory. Chosen, not measured.
_AGE = 4.0


def anchored_tangent(
    problem: Problem,
    theta: Tensor,
    geometry: Geometry,
    *,
    pull: float | None = None,
    evaluated: tuple[Losses, Tensor] | None = None,
    nearby: Tangent | None = None,
    axes: Tensor | None = None,
) -> Tangent:
    """The ways from ``theta`` when the weights of the losses change and the model is held where it is.

    Every objective carries the same term ``r(x) = -<g, x - theta> + pull / 2 |x - theta|^2`` with
    ``g = J^T w + decay theta`` and w the weights that the model was trained with, so that theta is exactly critical:
    early stopping is implicit regularisation, and g keeps it in force (a proximal Bregman objective, Bae et al., "If
    influence functions are the answer, then what is the question?", NeurIPS 2022). When the weight of loss i rises by
    ``c_i / |loss_i|``, the critical point moves by ``-V c`` with ``(A + pull) v_i = grad loss_i / |loss_i|`` and A the
    Gauss-Newton matrix of the weighted sum, weight decay included. As the anchor can pay, too, the weights need not sum
    to what they did: there are m ways, one more than along a front; the one more is training on, or less. Those of them
    that are combinations of others (at an optimum one is) are left out, and coordinates are chosen such that the
    curvature cost is ``1/2 |c|^2``.

    The pull is given in parts of the largest curvature. None has validation data choose it: from strong to weak, in one
    Krylov space, as long as the exchange on validation data (``exchange``) gets better.

    Args:
        problem: what is steered; it has no bounds.
        theta: the point, [n].
        geometry: how curvature is measured.
        pull: in parts of the largest curvature, or None.
        evaluated: losses and Jacobian at theta if they are known already.
        nearby: the tangent at a point close by, whose Krylov space is gone on from.
        axes: B of the ways, [m, k], if they are to be those of a front that has been measured here.

    Raises:
        NonFiniteError: a gradient or a curvature product is not finite.
        ProblemError: the weighted gradients or the curvature are zero, so there is nowhere to go.
    """
    losses, jacobian = evaluated or problem.jacobian(theta)
    weights = problem.training_weights
    sizes = torch.from_numpy(relative_sizes(losses.mean.numpy()))
    rhs = jacobian / sizes.to(jacobian)[:, None]
    problem.require_finite(losses, "where the model is")
    finite = rhs.isfinite().all(dim=1)
    if not finite.all():
        name = problem.names[int(finite.int().argmin())]
        raise NonFiniteError(
            f"the gradient of objective {in_quotes(name)} is not finite where the model is, though "
            "its loss is; look for a root or a logarithm at zero"
        )
    if not rhs.any():
        raise ProblemError(
            "the gradients of all losses are zero here, so no direction changes anything; train the model, or steer "
            "parameters that the losses depend on (parameters=...)"
        )
    with problem.watch.part(0.8):
        space = _space(problem, theta, weights, rhs, geometry, nearby)
        held = _Held(problem, geometry, space, rhs)
        if pull is None:
            ways, reason = _best_by_exchange(held, theta, jacobian, losses)
        else:
            ways, reason = held.ways(pull), ""
    basis, mix = ways.basis, ways.mix
    if axes is not None:
        mix = axes * sizes[:, None]
        basis = mix.T.to(basis) @ ways.vectors
    moved = (jacobian @ basis.T).double().cpu()
    shown = problem.response(theta, basis)[1] if losses.stand_in is not None else None
    return Tangent(
        theta=theta,
        losses=losses,
        weights=weights,
        jacobian=jacobian,
        weight_basis=mix / sizes[:, None],
        basis=basis,
        objective_response=moved,
        response=moved if shown is None else shown.mean[: problem.m],
        normal_step=torch.zeros_like(theta),
        joint_gain=0.0,
        residual=0.0,
        solution=Solution(
            x=basis,
            status=(Status.CONVERGED if ways.residual <= _RESIDUAL else Status.ITERATION_LIMIT,) * len(basis),
            negative_curvature=(False,) * len(basis),
            residuals=torch.full((1, len(basis)), ways.residual, dtype=torch.float64),
            iterations=(space.products,) * len(basis),
            products=space.products,
        ),
        weight_decay=problem.weight_decay,
        damping=0.0,
        free=None,
        nystrom=space.eigenvectors(),
        signs=None if shown is None else shown.signs,
        anchor=Anchor(ways.pull, ways.pull * space.largest, reason),
    )


def usual_products(problem: Problem, geometry: Geometry, *, nearby: bool = False) -> int:
    """The middle between the fewest and the most curvature products that ``anchored_tangent`` may take.

    Args:
        problem: what is steered.
        geometry: how curvature is measured.
        nearby: whether there is a space to go on from.
    """
    most = min(_most_products(problem, geometry), len(problem.parameters()))
    fewest = min(problem.m if nearby else 2 * problem.m, most)
    return (fewest + most) // 2


def _space(
    problem: Problem,
    theta: Tensor,
    weights: Tensor,
    rhs: Tensor,
    geometry: Geometry,
    nearby: Tangent | None,
) -> KrylovSpace:
    operator = Curvature(
        problem.curvature_sample(geometry.samples, around=theta),
        theta,
        weights,
        kind="gauss-newton",
        tally=problem.tally,
        watch=problem.watch,
    )
    known = nearby.nystrom if nearby is not None and geometry.recycle else None
    if known is not None and len(known.values) > _AGE * _PRODUCTS[0]:
        known = None
    space = KrylovSpace(operator, rhs, known, most=max(2 * len(rhs), room(len(theta))))
    space.extend()
    if known is None:
        space.extend()
    if not np.isfinite(space.largest):
        raise NonFiniteError("a curvature product is not finite here; look for a root or a logarithm at zero")
    if not space.largest > 0:
        raise ProblemError(
            "the curvature of the losses is zero here, so there is no telling how far a step would go; give losses "
            "that are convex in the outputs (a square, a cross-entropy), not linear ones"
        )
    return space


class _Ways(NamedTuple):
    """Independent ways at one pull.

    Attributes:
        pull: in parts of the largest curvature.
        vectors: v_i, the solutions for each loss, [m, n].
        basis: combinations of them of unit curvature cost, [k, n].
        mix: how they are mixed, [m, k].
        residual: what the solutions leave, in parts of the right-hand sides.
    """

    pull: float
    vectors: Tensor
    basis: Tensor
    mix: Tensor
    residual: float


class _Held(NamedTuple):
    """A model that is held at a point, by whatever pull.

    Attributes:
        problem: what is steered.
        geometry: how curvature is measured.
        space: the Krylov space there; it grows as weaker pulls need it.
        rhs: the gradient of each loss in parts of its size, [m, n].
    """

    problem: Problem
    geometry: Geometry
    space: KrylovSpace
    rhs: Tensor

    def ways(self, pull: float) -> _Ways:
        """Those at one pull; the space grows until it is good enough for it, or as large as it may be."""
        vectors, residual = self._solved(pull)
        cost = inner_products(self.rhs, vectors)  # of curvature, v_i^T (A + pull) v_j
        values, directions = torch.linalg.eigh(0.5 * (cost + cost.T))
        kept = values > _DEPENDENT * values.max()
        mix = directions[:, kept] / values[kept].sqrt()
        return _Ways(pull, vectors, mix.T.to(vectors) @ vectors, mix, residual)

    def _solved(self, pull: float) -> tuple[Tensor, float]:
        """The solutions at one pull, and what they leave; the largest curvature is known better as the space grows."""
        space, most = self.space, _most_products(self.problem, self.geometry)
        while True:
            vectors, residual = space.solve(pull * space.largest + self.problem.weight_decay)
            if residual <= _RESIDUAL or space.products >= most or not space.extend():
                return vectors, residual


def _best_by_exchange(held: _Held, theta: Tensor, jacobian: Tensor, losses: Losses) -> tuple[_Ways, str]:
    """The ways at the pull whose exchange on validation data is best, and why it is that one.

    From strong to weak, as a weaker pull takes more products. It has to save enough to be taken, and the search ends
    where one saves next to nothing, unless nothing works so far.
    """
    before = read_before(held.problem, theta)

    def tried(pull: float) -> tuple[_Ways, Exchange]:
        ways = held.ways(pull)
        return ways, exchange(held.problem, theta, ways.basis, jacobian @ ways.basis.T, losses, before)

    best, paid = tried(PULLS[0])
    for pull in PULLS[1:]:
        ways, found = tried(pull)
        if paid.works and found.price > _FLAT * paid.price:
            break
        if found.price < _BETTER * paid.price:
            best, paid = ways, found
    return best, paid.reason


def _most_products(problem: Problem, geometry: Geometry) -> int:
    if problem.examples is None or geometry.samples is None:
        return _PRODUCTS[1]
    return int(np.clip(_PASSES * problem.examples / geometry.samples, *_PRODUCTS))
