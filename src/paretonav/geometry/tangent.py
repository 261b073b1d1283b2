"""The tangent space of the Pareto set at one point, and the way back to the set.

See docs/method.md#tangent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from paretonav.errors import NonFiniteError
from paretonav.geometry.algebra import inner_products
from paretonav.geometry.bounds import active_set
from paretonav.geometry.calibration import calibration
from paretonav.geometry.curvature import Curvature, CurvatureKind
from paretonav.geometry.decrement import least_decrement
from paretonav.geometry.krylov import Solution, Status
from paretonav.geometry.nystrom import Nystrom
from paretonav.geometry.preconditioned import preconditioned_minres
from paretonav.objectives import Composite, Losses, Problem, Response

_JACOBIAN, _SOLVED = 0.2, 0.9  # where these end, as parts of the way to a tangent on digits


@dataclass(frozen=True, kw_only=True)
class Geometry:
    """How the front near a point is measured.

    Attributes:
        curvature: "exact", "gauss-newton", or None for what suits the problem.
        samples: how many training examples the curvature is measured on (None: all).
        damping: multiple of the identity beyond the weight decay. None: nothing where there is weight decay,
            else a small share of the largest curvature (1e-6 in double, 1e-3 in single precision), which keeps flat
            directions solvable.
        tolerance: relative residual of the Krylov solves, preconditioned where they are (see
            ``preconditioned_minres``). None: 0.1 for models on data, where a better solve on a sample does not make a
            better tangent; else 1e-10 in double and 1e-5 in single precision.
        max_iterations: of MINRES.
        calibrate: measure the exact curvature in the span of Gauss-Newton solutions (see ``tangent_at``).
        recycle: begin the solves with those of a point close by, where there is one, and precondition those with
            Gauss-Newton curvature by what earlier ones have found of it.
    """

    curvature: CurvatureKind | None = None
    samples: int | None = 1024
    damping: float | None = None
    tolerance: float | None = None
    max_iterations: int = 100
    calibrate: bool = True
    recycle: bool = True

    def tolerance_for(self, problem: Problem, dtype: torch.dtype) -> float:
        """The solver tolerance in force for the tangent basis of ``problem``."""
        if self.tolerance is not None:
            return self.tolerance
        return 0.1 if problem.stochastic else (1e-10 if dtype == torch.float64 else 1e-5)


@dataclass(frozen=True)
class SumBend:
    """How a weighted sum of the losses bends along a tangent: the exact curvature ``V^T Hess(sum_i w_i loss_i) V``.

    Attributes:
        weights: w [m].
        curvature: [m-1, m-1], without weight decay, and without what functions of means add (``Tangent.turn``).
        samples: the size of the sample that it was measured on, as ``Geometry`` says it.
    """

    weights: Tensor
    curvature: Tensor
    samples: int | None


@dataclass(frozen=True)
class Anchor:
    """What holds a model where it is that is no optimum of its training losses; see ``anchored_tangent``.

    Attributes:
        part: the pull in parts of the largest curvature of the weighted losses.
        pull: the multiple of the identity that this comes to.
        reason: why this much was chosen, in words; empty where it was given.
    """

    part: float
    pull: float
    reason: str


@dataclass(frozen=True)
class Tangent:
    """The Pareto set to first order at theta, and the Newton step onto it.

    With ``A = sum_i alpha_i Hess f_i + damping`` and B the basis of weight changes, weights that move by B c move
    the Pareto-optimal parameters by ``-V c`` with ``A V = J^T B``, and the losses by ``-R c``.

    Attributes:
        theta: the point, [n].
        losses: at theta.
        weights: alpha [m], in the simplex: those that leave the least joint gain.
        jacobian: of the losses (without weight decay), [m, n].
        weight_basis: B [m, m-1], orthonormal columns that sum to zero.
        basis: V as rows, [m-1, n].
        objective_response: J V of the objectives including weight decay, [m, m-1].
        response: R = J V of the losses as shown (without weight decay), [m, m-1].
        normal_step: [n], the Newton step to the front; it lowers every objective by the same 2 * joint_gain.
        joint_gain: 1/2 g^T A^-1 g with g = J^T alpha: how much all objectives could still fall together.
        residual: |J^T alpha|, weight decay included; zero at a Pareto-critical point.
        solution: status, residuals and products of the Krylov solves; x, whose first rows are the basis, is
            calibrated as that is.
        weight_decay: the part of A's shift that belongs to the objectives.
        damping: the rest of the shift.
        free: [n] bool, False where an active bound holds a parameter fixed; None without bounds.
        nystrom: what evens out the curvature here and nearby, where that is Gauss-Newton's and there is one.
        turn: [m, m-1, m-1], what losses as shown that are functions of means add to the curvature along the basis, over
            all the data; None where all are means over examples.
        signs: [m], -1 for a loss that is negative and shown without its sign, else 1; None where all are 1.
        sum_bend: what the calibration has measured of the bend along the basis; None where there was none.
        anchor: what holds the model here; None at a Pareto-critical point. With one there are up to m ways, the weights
            need not sum to what they did, and nothing leads to a front (the normal step is zero).
    """

    theta: Tensor
    losses: Losses
    weights: Tensor
    jacobian: Tensor
    weight_basis: Tensor
    basis: Tensor
    objective_response: Tensor
    response: Tensor
    normal_step: Tensor
    joint_gain: float
    residual: float
    solution: Solution
    weight_decay: float
    damping: float
    free: Tensor | None
    nystrom: Nystrom | None = None
    turn: Tensor | None = None
    sum_bend: SumBend | None = None
    signs: Tensor | None = None
    anchor: Anchor | None = None

    @property
    def curvature_of_front(self) -> Tensor:
        """S = B^T R, [m-1, m-1], symmetric; positive definite where the front is convex."""
        s = self.weight_basis.T @ self.objective_response
        return 0.5 * (s + s.T)

    def point(self, coordinates: Tensor) -> Tensor:
        """The linearised model ``theta - V c``, [n], for tangent coordinates c [m-1]."""
        return self.theta - coordinates.to(self.basis) @ self.basis


def weight_basis(m: int) -> Tensor:
    """B, [m, m-1] float64: orthonormal columns that sum to zero (Helmert's contrasts).

    >>> B = weight_basis(3)
    >>> bool((B.T @ B - torch.eye(2, dtype=torch.float64)).abs().max() < 1e-15)
    True
    """
    basis = torch.zeros(m, m - 1, dtype=torch.float64)
    for j in range(1, m):
        basis[:j, j - 1] = 1.0
        basis[j, j - 1] = -float(j)
        basis[:, j - 1] /= math.sqrt(j * (j + 1))
    return basis


def tangent_at(
    problem: Problem,
    theta: Tensor,
    weights: Tensor,
    geometry: Geometry = Geometry(),
    *,
    evaluated: tuple[Losses, Tensor] | None = None,
    nearby: Tangent | None = None,
    held: Tensor | None = None,
) -> Tangent:
    """Solve for the tangent space and the Newton step at ``theta``: m right-hand sides, one operator.

    Args:
        problem: what is steered.
        theta: a point near the Pareto set, [n].
        weights: weights for the curvature, [m] in the simplex; those returned are refined.
        geometry: how curvature is measured.
        evaluated: losses and Jacobian at theta if they are known already.
        nearby: the tangent at a point close by, whose solutions shorten the solves here.
        held: indices of parameters that stay where they are besides those that an active bound holds.

    The weights are refined in the metric of the problem: among all weights ``w`` in the simplex those with the
    smallest Newton decrement ``1/2 (J^T w)^T A^-1 (J^T w)``. It follows from the same solves, and makes the Newton
    step ``-A^-1 J^T w`` lower all objectives by one and the same amount, so that it goes back to the front
    without giving away what was traded.
    """
    with problem.watch.part(0 if evaluated else _JACOBIAN, passes=1):
        losses, jacobian = evaluated or problem.jacobian(theta)
    weights = weights.double().cpu()
    decay, B = problem.weight_decay, weight_basis(problem.m)
    free = _free(problem, theta, jacobian, weights, held)
    sides = _RightHandSides.at(theta, jacobian, weights, B, decay, free)
    sample = problem.curvature_sample(geometry.samples, around=theta)
    system = _System(problem, theta, weights, geometry, sample, free)

    solution, nystrom, damping = system.solve(sides, nearby if geometry.recycle else None)
    means = _response_of_means(problem, theta, solution.x, sample)
    scaling, sum_bend = system.calibrate(sides, solution.x, None if means is None else means.steered_turn)
    if sum_bend is not None:
        # Their span is what they were, which is all that the next solves want of them, and one copy is enough.
        solution = replace(solution, x=scaling.T.to(solution.x) @ solution.x)
    basis = sides.ways_of(solution.x)
    refined, normal, gradient = least_decrement(weights, B, sides.rows, solution.x)
    response = inner_products(jacobian, basis)
    return Tangent(
        theta=theta,
        losses=losses,
        weights=refined,
        jacobian=jacobian,
        weight_basis=B,
        basis=basis,
        objective_response=response + decay * inner_products(theta[None], basis),
        response=_shown_response(response, means, scaling),
        normal_step=-normal,
        joint_gain=0.5 * float(gradient.double() @ normal.double()),
        residual=_residual(theta, jacobian, refined, decay, free),
        solution=solution,
        weight_decay=decay,
        damping=damping,
        free=free,
        nystrom=nystrom,
        turn=_shown_turn(means, scaling, len(basis)),
        sum_bend=sum_bend,
        signs=None if means is None else means.signs,
    )


def _free(
    problem: Problem, theta: Tensor, jacobian: Tensor, weights: Tensor, held: Tensor | None
) -> Tensor | None:
    """[n] bool, False where a parameter stays: at an active bound, or ``held``; None without bounds."""
    free = active_set(problem, theta, jacobian, weights)
    if held is not None and free is not None:
        free = free.index_fill(0, held.to(free.device), value=False)
    return free


@dataclass(frozen=True)
class _RightHandSides:
    """What is solved for with one operator, in one matrix; the solutions come in the same order.

    Attributes:
        rows: [m, n] or, with weight decay, [m+1, n]: the ways ``B^T J``; the gradient that is left,
            ``J^T weights + decay theta``; with weight decay theta.
        ways: how many rows, from the first on, are the ways'.
        gradient: the number of the gradient's row.
    """

    rows: Tensor
    ways: int
    gradient: int

    @classmethod
    def at(
        cls,
        theta: Tensor,
        jacobian: Tensor,
        weights: Tensor,
        B: Tensor,
        decay: float,
        free: Tensor | None,
    ) -> _RightHandSides:
        m, ways = B.shape
        rows = jacobian.new_empty(m + bool(decay), len(theta))
        mix = torch.cat([B, weights[:, None]], dim=1)  # [m, m], invertible: 1^T B = 0 and 1^T weights = 1
        torch.matmul(mix.T.to(jacobian), jacobian, out=rows[:m])
        if decay:
            rows[ways].add_(theta, alpha=decay)  # in the ways it cancels
            rows[m] = theta
        return cls(rows if free is None else rows * free, ways, ways)

    def ways_of(self, solutions: Tensor) -> Tensor:
        """V as rows, [m-1, n]."""
        return solutions[: self.ways]


@dataclass(frozen=True)
class _System:
    """The system ``A x = b`` at a point: A is the curvature of the weighted sum, and a multiple of the identity.

    Attributes:
        problem: whose losses are curved.
        theta: the point, [n].
        weights: of the losses in the sum, [m].
        geometry: which curvature is taken, and how well it is solved for.
        sample: the data that the curvature is measured on.
        free: [n] bool, see ``_free``.
    """

    problem: Problem
    theta: Tensor
    weights: Tensor
    geometry: Geometry
    sample: Sequence[Composite]
    free: Tensor | None

    @property
    def kind(self) -> CurvatureKind:
        """Of the curvature."""
        return self.geometry.curvature or self.problem.default_curvature

    def curvature(self, sample: Sequence[Composite], kind: CurvatureKind) -> Curvature:
        """The curvature on ``sample``, with the weight decay and without damping."""
        return Curvature(
            sample,
            self.theta,
            self.weights,
            kind=kind,
            shift=self.problem.weight_decay,
            free=self.free,
            tally=self.problem.tally,
            watch=self.problem.watch,
        )

    def solve(self, sides: _RightHandSides, nearby: Tangent | None) -> tuple[Solution, Nystrom | None, float]:
        """The solutions, the preconditioner for the next solve nearby, and the damping that was added to A.

        The operator goes with this call: its graph is as large as that of the calibration that comes next.

        Raises:
            NonFiniteError: a product is not finite.
        """
        problem, geometry, free = self.problem, self.geometry, self.free
        operator = self.curvature(self.sample, self.kind)
        damping = geometry.damping
        if damping is None:
            damping = _default_damping(operator, self.theta, problem.weight_decay)
        operator.shift += damping
        with problem.watch.part(_SOLVED):
            solution, nystrom = preconditioned_minres(
                operator,
                sides.rows,
                gradient=sides.gradient,
                tolerance=geometry.tolerance_for(problem, self.theta.dtype),
                max_iterations=geometry.max_iterations,
                nearby=_inside(nearby, free),
                known=None if nearby is None else nearby.nystrom,
                learn=geometry.recycle and self.kind == "gauss-newton" and free is None,
                at=problem.watch.at,
            )
        if Status.NON_FINITE in solution.status:
            raise NonFiniteError(
                "a curvature product is not finite here; look for a loss whose second derivative is (a square root at "
                "zero, say), or choose curvature='gauss-newton'"
            )
        return solution, nystrom, damping

    def calibrate(
        self, sides: _RightHandSides, solutions: Tensor, turn: Tensor | None
    ) -> tuple[Tensor, SumBend | None]:
        """Combinations of the solutions that solve the exact system in their span, and the bend measured with them.

        Args:
            sides: what was solved for.
            solutions: [k, n].
            turn: [m, k, k], what functions of means add to the curvature along the solutions; None without any.

        Returns:
            Y [k, k], see ``calibration``; the identity and None where the curvature is exact as it is, or nobody
            wants it calibrated.
        """
        if not self.geometry.calibrate or (self.kind == "exact" and turn is None):
            return torch.eye(len(solutions), dtype=torch.float64), None
        exact = self.curvature([part.linearised for part in self.sample], "exact")
        bent = inner_products(solutions, exact(solutions))
        plain = bent - self.problem.weight_decay * inner_products(solutions, solutions)
        if turn is not None:
            bent += torch.tensordot(self.weights, turn, 1)
        scaling = calibration(inner_products(solutions, sides.rows), bent)
        ways = scaling[:, : sides.ways]
        along_ways = ways.T @ (0.5 * (plain + plain.T)) @ ways
        return scaling, SumBend(self.weights, along_ways, self.geometry.samples)


def _shown_response(response: Tensor, means: Response | None, scaling: Tensor) -> Tensor:
    """R of the losses as shown, [m, m-1], where ``response`` is that of what is steered by.

    They differ where a loss is shown without its sign, say. ``means`` is along the solutions, so that it has to be
    combined as these are.
    """
    if means is None or means.signs is None:
        return response
    m, ways = response.shape
    return (means.mean[:m] @ scaling)[:, :ways]


def _shown_turn(means: Response | None, scaling: Tensor, ways: int) -> Tensor | None:
    """What functions of means add to the curvature of the losses as shown along the ways, [m, m-1, m-1]."""
    if means is None or means.turn is None:
        return None
    return (scaling.T @ means.turn @ scaling)[:, :ways, :ways]


def _residual(theta: Tensor, jacobian: Tensor, weights: Tensor, decay: float, free: Tensor | None) -> float:
    """The length of the weighted objectives' gradient, in the parameters that are free."""
    gradient = (weights.to(jacobian) @ jacobian).add_(theta, alpha=decay)
    if free is not None:
        gradient = gradient * free
    return float(gradient.double().norm())


def _response_of_means(
    problem: Problem, theta: Tensor, vectors: Tensor, sample: Sequence[Composite]
) -> Response | None:
    """The response along the solutions [k, n] where there are functions of means, for what these add to the curvature.

    That is quadratic in the gradients of the means. Those of the sample are small along directions that were found with
    the same sample, where the means over all the data still turn.
    """
    if all(part.linear is None for part in sample):
        return None
    response = problem.response(theta, vectors)[1]
    if any(turn is not None and not turn.isfinite().all() for turn in (response.turn, response.steered_turn)):
        raise NonFiniteError(
            "the second derivatives of an aggregate's value are not finite here; look for a square root at zero, say"
        )
    return response


def _inside(nearby: Tangent | None, free: Tensor | None) -> Tensor | None:
    """The neighbouring solutions without the entries that are fixed here: products never touch those."""
    if nearby is None or free is None:
        return None if nearby is None else nearby.solution.x
    return nearby.solution.x * free


def _default_damping(operator: Curvature, theta: Tensor, decay: float) -> float:
    """A small share of the largest curvature; where there is weight decay, that is damping enough."""
    if decay > 0:
        return 0.0
    share = 1e-6 if theta.dtype == torch.float64 else 1e-3
    return share * operator.largest(theta)
