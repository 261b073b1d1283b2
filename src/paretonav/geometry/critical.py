"""The tangent of the Pareto set at a point on it, or close to it, and the Newton step onto it.

See docs/method.md#tangent.
"""

from __future__ import annotations

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
from paretonav.geometry.preconditioned import Nearby, preconditioned_minres
from paretonav.geometry.right_hand_sides import RightHandSides
from paretonav.geometry.tangent import Geometry, SumBend, Tangent, weight_basis
from paretonav.objectives import Composite, Losses, Problem, Response
from paretonav.objectives.sample import linearised

_STANDARD = Geometry()
_JACOBIAN, _SOLVED = 0.2, 0.9  # where these end, as parts of the way to a tangent on digits


def tangent_at(
    problem: Problem,
    theta: Tensor,
    weights: Tensor,
    geometry: Geometry = _STANDARD,
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
    sides = RightHandSides.at(theta, jacobian, weights, B, decay, free)
    sample = problem.curvature_sample(geometry.samples, around=theta)
    system = _System(problem, theta, weights, geometry, sample, free)

    solution, nystrom, damping = system.solve(sides, nearby if geometry.recycle else None)
    means = _response_of_means(problem, theta, solution.x, sample)
    scaling, sum_bend = system.calibrate(sides, solution.x, None if means is None else means.steered_turn)
    if sum_bend is not None:
        # Their span is what they were, which is all that the next solves want of them, and one copy is enough.
        solution = replace(solution, x=scaling.T.to(solution.x) @ solution.x)
    basis = sides.ways_of(solution.x)
    refined, normal, gradient = least_decrement(weights, B, sides, solution.x)
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

    def solve(self, sides: RightHandSides, nearby: Tangent | None) -> tuple[Solution, Nystrom | None, float]:
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
                sides,
                tolerance=geometry.tolerance_for(problem, self.theta.dtype),
                max_iterations=geometry.max_iterations,
                nearby=_inside(nearby, free),
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
        self, sides: RightHandSides, solutions: Tensor, turn: Tensor | None
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
        exact = self.curvature(linearised(self.sample), "exact")
        bent = inner_products(solutions, exact(solutions))
        plain = bent - self.problem.weight_decay * inner_products(solutions, solutions)
        if turn is not None:
            bent += torch.tensordot(self.weights, turn, 1)
        scaling = calibration(inner_products(solutions, sides.rows), bent)
        ways = scaling[:, sides.ways]
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


def _inside(nearby: Tangent | None, free: Tensor | None) -> Nearby:
    """What was solved nearby, without the entries that are fixed here: products never touch those."""
    if nearby is None:
        return Nearby()
    x = nearby.solution.x
    return Nearby(x if free is None else x * free, nearby.nystrom)


def _default_damping(operator: Curvature, theta: Tensor, decay: float) -> float:
    """A small share of the largest curvature; where there is weight decay, that is damping enough."""
    if decay > 0:
        return 0.0
    share = 1e-6 if theta.dtype == torch.float64 else 1e-3
    return share * operator.largest(theta)
