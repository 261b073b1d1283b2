import pytest
import torch
from torch import Tensor

from paretonav import Cost, FunctionProblem, NonFiniteError
from paretonav.objectives import Bounds, Losses


def losses(values: Tensor) -> Losses:
    return Losses(values.double(), torch.full((len(values),), 1 / len(values), dtype=torch.float64))


def test_costs_add_and_subtract_entry_by_entry() -> None:
    total = Cost(1.0, 2.0, 3, 4.0) + Cost(0.5, 0.25, 10, 1.0)
    assert total == Cost(1.5, 2.25, 13, 5.0)
    assert total - Cost(1.0, 2.0, 3, 4.0) == Cost(0.5, 0.25, 10, 1.0)


def test_a_cost_stays_what_it_was_when_more_is_spent() -> None:
    problem = FunctionProblem(lambda x: torch.stack([x.sum(), x.square().sum()]), torch.ones(2))
    before = problem.cost
    problem.jacobian(torch.ones(2))
    assert before == Cost()
    assert problem.cost - before == Cost(forward_passes=1, gradient_passes=2)


def test_bounds_clamp_to_the_box() -> None:
    box = Bounds(torch.tensor([0.0, -torch.inf]), torch.tensor([1.0, 5.0]))
    assert box.clamp(torch.tensor([-3.0, -3.0])).tolist() == [0, -3]
    assert box.clamp(torch.tensor([3.0, 30.0])).tolist() == [1, 5]


def test_every_objective_carries_the_same_weight_decay() -> None:
    problem = FunctionProblem(lambda x: torch.stack([x.sum(), x.square().sum()]), torch.ones(2))
    theta = torch.tensor([3.0, 4.0])
    assert problem.objectives(torch.tensor([1.0, 2.0]), theta).tolist() == [1, 2]
    problem.weight_decay = 0.1
    assert problem.objectives(torch.tensor([1.0, 2.0]), theta).tolist() == pytest.approx([2.25, 3.25])


def test_losses_that_are_not_finite_are_named_with_their_batch() -> None:
    problem = FunctionProblem(lambda x: torch.stack([x.sum(), -x.sum()]), torch.ones(2), names=["up", "down"])
    problem.require_finite(torch.tensor([1.0, 2.0]), "here")
    with pytest.raises(NonFiniteError, match=r"objective 'down' is nan at the new point; look for"):
        problem.require_finite(torch.tensor([1.0, torch.nan]), "at the new point")
    values = torch.ones(6, 2)
    problem.require_finite(losses(values), "here")
    values[2:5, 1] = torch.inf
    with pytest.raises(NonFiniteError, match=r"objective 'down' is inf here, first in batch 3 of 6;"):
        problem.require_finite(losses(values), "here")
    with pytest.raises(NonFiniteError, match=r"objective 'up' is -inf here;"):
        problem.require_finite(losses(torch.tensor([[-torch.inf, 1.0]])), "here")
    with pytest.raises(NonFiniteError, match=r"objective 'up' is nan here;.*a group without examples"):
        problem.require_finite(losses(torch.full((3, 2), torch.nan)), "here")
