"""The front near one point: weights, curvature, tangent, and a model of it in the objectives' dimension."""

from paretonav.geometry.algebra import absolute
from paretonav.geometry.anchored import anchored_tangent, usual_products
from paretonav.geometry.bounds import active_set, pareto_weights, releasing_weights
from paretonav.geometry.box_step import box_newton_step
from paretonav.geometry.conflict import Conflict, conflicts
from paretonav.geometry.critical import tangent_at
from paretonav.geometry.curvature import Curvature, CurvatureKind
from paretonav.geometry.exchange import exchange_passes
from paretonav.geometry.front import FrontModel
from paretonav.geometry.krylov import Solution, Status, minres
from paretonav.geometry.measured_front import measure_front, measuring_passes
from paretonav.geometry.nystrom import Nystrom
from paretonav.geometry.path import path_curvature
from paretonav.geometry.probes import probing_passes
from paretonav.geometry.quadratic_program import solve_qp
from paretonav.geometry.tangent import Anchor, Geometry, SumBend, Tangent, weight_basis
from paretonav.geometry.weights import box_minimum_norm_weights, minimum_norm_weights

__all__ = [
    "Anchor",
    "Conflict",
    "Curvature",
    "CurvatureKind",
    "FrontModel",
    "Geometry",
    "Nystrom",
    "Solution",
    "Status",
    "SumBend",
    "Tangent",
    "absolute",
    "active_set",
    "anchored_tangent",
    "box_minimum_norm_weights",
    "box_newton_step",
    "conflicts",
    "exchange_passes",
    "measure_front",
    "measuring_passes",
    "minimum_norm_weights",
    "minres",
    "pareto_weights",
    "path_curvature",
    "probing_passes",
    "releasing_weights",
    "solve_qp",
    "tangent_at",
    "usual_products",
    "weight_basis",
]
