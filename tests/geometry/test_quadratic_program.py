"""The small quadratic programmes against SciPy."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from paretonav.geometry import solve_qp


@settings(max_examples=40, deadline=None)
@given(d=st.integers(1, 8), seed=st.integers(0, 100_000), scale=st.sampled_from([1e-6, 1.0, 1e6]))
def test_optimal_and_feasible(d: int, seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    F = rng.normal(size=(d, d + 1))
    H, q = F @ F.T + 0.1 * np.eye(d), rng.normal(size=d)
    A = rng.normal(size=(d + 3, d))
    inside = rng.normal(size=d)
    lower, upper = A @ inside - rng.random(d + 3), A @ inside + rng.random(d + 3)
    lower[0] = upper[0] = A[0] @ inside
    rows = np.where(np.arange(d + 3) == 1, scale, 1.0)
    x = solve_qp(H, q, A * rows[:, None], lower * rows, upper * rows)
    assert x is not None
    assert (A @ x >= lower - 1e-7).all()
    assert (A @ x <= upper + 1e-7).all()
    constraints = [
        {"type": "eq", "fun": lambda v: A[0] @ v - lower[0]},
        {"type": "ineq", "fun": lambda v: A[1:] @ v - lower[1:]},
        {"type": "ineq", "fun": lambda v: upper[1:] - A[1:] @ v},
    ]
    reference = minimize(lambda v: 0.5 * v @ H @ v + q @ v, inside, constraints=constraints, method="SLSQP")
    assert 0.5 * x @ H @ x + q @ x <= reference.fun + 1e-6 * (1 + abs(reference.fun))


def test_no_solution_is_none() -> None:
    A = np.array([[1.0, 0.0], [1.0, 0.0]])
    assert solve_qp(np.eye(2), np.zeros(2), A, np.array([1.0, -np.inf]), np.array([np.inf, 0.0])) is None


def test_a_row_of_zeros_decides_by_its_bounds() -> None:
    A, wide = np.zeros((1, 2)), np.array([np.inf])
    assert solve_qp(np.eye(2), np.ones(2), A, -wide, np.array([0.5])) is not None
    assert solve_qp(np.eye(2), np.ones(2), A, np.array([0.5]), wide) is None
