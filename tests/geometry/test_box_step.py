import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import paretonav as pn
from paretonav.geometry import Geometry, box_newton_step, tangent_at


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    st.integers(2, 20), st.integers(2, 4), st.integers(0, 10**6), st.floats(0.02, 0.3), st.integers(1, 1000)
)
def test_one_step_minimises_a_quadratic_inside_the_box(
    n: int, m: int, seed: int, size: float, condition: int
) -> None:
    problem = pn.problems.quadratic(n, m, seed=seed, condition=condition, bounds=(-size, size))
    generator = torch.Generator().manual_seed(seed)
    w = torch.rand(m, generator=generator, dtype=torch.float64) + 1e-3
    w /= w.sum()
    assert problem.bounds is not None
    theta = problem.bounds.clamp(
        problem.pareto_point(w) + 0.1 * torch.randn(n, generator=generator, dtype=torch.float64)
    )
    geometry = Geometry(damping=0.0)
    step = box_newton_step(problem, tangent_at(problem, theta, w, geometry), w, geometry)
    torch.testing.assert_close(theta + step, problem.pareto_point(w), rtol=0, atol=1e-8)


def test_it_counts_its_products_and_stays_inside_when_it_does_not_settle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    problem = pn.problems.quadratic(20, 3, seed=3, condition=1e3, bounds=(-0.05, 0.05))
    w = torch.tensor([0.2, 0.3, 0.5], dtype=torch.float64)
    geometry = Geometry()
    tangent = tangent_at(problem, problem.parameters(), w, geometry)
    before = problem.cost.hessian_products
    monkeypatch.setattr("paretonav.geometry.box_step._ROUNDS", 1)
    step = box_newton_step(problem, tangent, w, geometry)
    assert problem.cost.hessian_products > before
    assert float((tangent.theta + step).abs().max()) <= 0.05 + 1e-15
