import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

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


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    st.integers(2, 12), st.integers(2, 4), st.integers(0, 10**6), st.sampled_from([0.0, 0.3]), st.floats(0, 1)
)
def test_from_anywhere_in_the_box_it_is_optimal_with_all_that_is_added_to_the_curvature(
    n: int, m: int, seed: int, decay: float, damping: float
) -> None:
    """By the conditions of optimality, which are sufficient: what is added is convex. Some start at a wrong bound."""
    size = 0.1
    problem = pn.problems.quadratic(n, m, seed=seed, condition=10, bounds=(-size, size))
    problem.weight_decay = decay
    generator = torch.Generator().manual_seed(seed)
    theta = size * (2 * torch.rand(n, generator=generator, dtype=torch.float64) - 1)
    theta[::3], theta[1::3] = size, -size
    w = torch.rand(m, generator=generator, dtype=torch.float64) + 1e-3
    w /= w.sum()
    geometry = Geometry(damping=damping)
    step = box_newton_step(problem, tangent_at(problem, theta, w, geometry), w, geometry)

    def total(x: Tensor) -> Tensor:
        return w @ problem.fn(x) + 0.5 * decay * x.square().sum()

    gradient = torch.autograd.functional.jacobian(total, theta)
    hessian = torch.autograd.functional.hessian(total, theta)  # type: ignore[no-untyped-call]
    slope = gradient + hessian @ step + damping * step
    there = theta + step
    assert float(there.abs().max()) <= size * (1 + 1e-12)
    at_upper, at_lower = there >= size * (1 - 1e-9), there <= -size * (1 - 1e-9)
    small = 1e-6 * float(gradient.abs().max())
    assert (slope[at_upper] <= small).all()
    assert (slope[at_lower] >= -small).all()
    assert (slope[~(at_upper | at_lower)].abs() <= small).all()
