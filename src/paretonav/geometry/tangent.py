"""What is known of the Pareto set to first order around one point, and how that is to be measured.

See docs/method.md#tangent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from paretonav.geometry.curvature import CurvatureKind
from paretonav.geometry.krylov import Solution
from paretonav.geometry.nystrom import Nystrom
from paretonav.objectives import Losses, Problem


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
        residual: ``|J^T alpha|``, weight decay included; zero at a Pareto-critical point.
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
