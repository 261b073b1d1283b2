"""Which parameters a box holds."""

import pytest
import torch
from torch import Tensor

import paretonav as pn
from paretonav.geometry import active_set
from paretonav.geometry.bounds import at_bounds
from paretonav.objectives import Bounds

# Multipliers in parts of the largest entry: what descent would push out, by much and by little, what is at rest but for
# rounding, and what it would pull inside, by little and by much.
PUSHES = torch.tensor([1.0, 1e-6, 1e-12, 0.0, -1e-12, -1e-6, -1.0], dtype=torch.float64)
FREE = [False, False, False, False, False, True, True]


def free_at(theta: Tensor, pushes: Tensor) -> list[bool]:
    """With two objectives whose gradients differ, and a weighted sum that pushes like this."""
    problem = pn.FunctionProblem(lambda x: torch.stack([x.sum(), -x.sum()]), theta, bounds=(-1.0, 1.0))
    other = torch.linspace(-0.1, 0.1, len(theta), dtype=torch.float64) * pushes.abs().max()
    jacobian = torch.stack([pushes + other, pushes - other])
    found = active_set(problem, theta, jacobian, torch.tensor([0.5, 0.5]).double())
    assert found is not None
    return found.tolist()


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_a_bound_holds_what_descent_would_push_out_in_any_units_and_on_either_side(
    scale: float, side: float
) -> None:
    """Descent goes against the gradient: at a lower bound a positive one pushes out."""
    theta = torch.full((len(PUSHES),), side, dtype=torch.float64)
    assert free_at(theta, -side * scale * PUSHES) == FREE
    assert all(free_at(0.5 * theta, -side * scale * PUSHES))


def test_what_is_at_a_bound_is_so_up_to_rounding() -> None:
    lower, upper = torch.tensor([0.0, -1e6, 0.0]).double(), torch.tensor([1.0, 1e6, torch.inf]).double()
    bounds = Bounds(lower, upper)
    off = torch.tensor([1e-10, 1e-4, 1e-10]).double()
    for part, there in ((0.0, True), (1.0, True), (1e3, False)):
        at_lower, at_upper = at_bounds(bounds, lower + part * off)
        assert at_lower.tolist() == [there] * 3
        assert at_upper.tolist() == [False] * 3
        at_lower, at_upper = at_bounds(bounds, (upper - part * off).clamp(max=5.0))
        assert at_upper.tolist() == [there, False, False]
        assert at_lower.tolist() == [False] * 3


def test_without_bounds_nothing_is_held() -> None:
    problem = pn.problems.quadratic(n=4, m=2)
    jacobian = torch.ones(2, 4, dtype=torch.float64)
    assert active_set(problem, problem.parameters(), jacobian, torch.tensor([0.5, 0.5]).double()) is None
