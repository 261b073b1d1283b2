import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from paretonav import Cost, FunctionProblem, NonFiniteError
from paretonav.objectives import Bounds, Losses


def losses(values: Tensor, lengths: Tensor | None = None) -> Losses:
    lengths = torch.ones(len(values)) if lengths is None else lengths
    return Losses(values.double(), lengths.double() / lengths.sum())


def normal(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def test_the_mean_is_weighted_by_the_fractions() -> None:
    assert losses(torch.tensor([[1.0, 2.0], [5.0, 10.0]]), torch.tensor([3, 1])).mean.tolist() == [2, 4]


@settings(max_examples=20, deadline=None)
@given(b=st.integers(4, 12), m=st.integers(2, 4), seed=st.integers(0, 10**6))
def test_the_standard_error_of_equal_batches_is_that_of_a_mean(b: int, m: int, seed: int) -> None:
    before, after = normal(b, m, seed=seed), normal(b, m, seed=seed + 1)
    change, error = losses(after).change_from(losses(before))
    differences = (after - before).numpy()
    np.testing.assert_allclose(change, differences.mean(0), atol=1e-14)
    assert error is not None
    np.testing.assert_allclose(error, differences.std(0, ddof=1) / math.sqrt(b), rtol=1e-12)


def test_the_standard_error_of_unequal_batches_follows_the_formula() -> None:
    before, after, lengths = normal(5, 2, seed=1), normal(5, 2, seed=2), torch.tensor([8, 8, 8, 8, 3])
    change, error = losses(after, lengths).change_from(losses(before, lengths))
    assert error is not None
    for i in range(2):
        d, w = (after - before)[:, i].tolist(), [n / 35 for n in lengths.tolist()]
        mean = sum(w[k] * d[k] for k in range(5))
        variance = 5 / 4 * sum(w[k] ** 2 * (d[k] - mean) ** 2 for k in range(5))
        assert float(change[i]) == pytest.approx(mean)
        assert float(error[i]) == pytest.approx(math.sqrt(variance))


@pytest.mark.parametrize("last", [32, 5])
def test_the_standard_error_covers_the_true_change_as_often_as_it_says(last: int) -> None:
    """Batches of 32 examples whose losses differ far more between examples than they change."""
    lengths = torch.tensor([32] * 15 + [last], dtype=torch.float64)
    truth, repetitions = torch.tensor([-0.01, 0.02], dtype=torch.float64), 1500
    level = 3 * normal(repetitions, 16, 2, seed=0) / lengths.sqrt()[:, None]
    change = truth + 0.1 * normal(repetitions, 16, 2, seed=1) / lengths.sqrt()[:, None]
    covered, sizes = torch.zeros(2), []
    for k in range(repetitions):
        estimate, error = losses(level[k] + change[k], lengths).change_from(losses(level[k], lengths))
        assert error is not None
        covered += (estimate - truth).abs() <= 2.131 * error  # Student's t with 15 degrees of freedom, 95 %
        sizes.append(error)
    assert ((covered / repetitions - 0.95).abs() < 0.02).all()
    true_size = 0.1 / math.sqrt(float(lengths.sum()))
    torch.testing.assert_close(
        torch.stack(sizes).square().mean(0).sqrt(), torch.full((2,), true_size).double(), rtol=0.05, atol=0
    )


def test_there_is_no_standard_error_of_few_or_other_batches() -> None:
    for b in (1, 3):
        change, error = losses(torch.ones(b, 2)).change_from(losses(torch.zeros(b, 2)))
        assert error is None
        assert change.tolist() == [1, 1]
    change, error = losses(torch.ones(5, 2)).change_from(losses(torch.zeros(4, 2)))
    assert error is None
    assert change.tolist() == [1, 1]
    uneven = losses(torch.zeros(4, 2), torch.tensor([2, 2, 2, 1]))
    assert losses(torch.ones(4, 2)).change_from(uneven)[1] is None


def test_costs_add_and_subtract_entry_by_entry() -> None:
    total = Cost(1.0, 2.0, 3, 4.0)
    total.add(Cost(0.5, 0.25, 10, 1.0))
    assert total == Cost(1.5, 2.25, 13, 5.0)
    assert total - Cost(1.0, 2.0, 3, 4.0) == Cost(0.5, 0.25, 10, 1.0)


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
