import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from paretonav import FunctionProblem, ModelProblem, ProblemError
from paretonav.objectives.training_weights import training_weights

NAMES = ("a", "b", "c")


@given(
    given=st.lists(st.floats(0, 1e300), min_size=3, max_size=3).filter(any),
    order=st.permutations(range(3)),
)
def test_weights_are_shares_in_the_order_of_the_losses(given: list[float], order: list[int]) -> None:
    weights = training_weights({NAMES[i]: given[i] for i in order}, NAMES)
    assert weights.dtype == torch.float64
    assert float(weights.sum()) == pytest.approx(1)
    assert weights.tolist() == pytest.approx([w / math.fsum(given) for w in given], rel=1e-12, abs=1e-300)


def test_weights_of_any_size_can_be_added_up() -> None:
    for size in (1e308, 5e-324):
        assert training_weights(dict.fromkeys(NAMES, size), NAMES).tolist() == pytest.approx([1 / 3] * 3)


def test_tensors_and_integers_are_numbers() -> None:
    assert training_weights({"a": torch.tensor(3.0), "b": 1}, ("a", "b")).tolist() == [0.75, 0.25]


def test_equal_weights_are_the_default() -> None:
    assert training_weights(None, NAMES).tolist() == [1 / 3] * 3


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([1, 1, 1], r"must map every loss to its weight, not be a list; give \{'a': 1\.0, 'b': 1\.0"),
        (
            {"a": 1, "b": 1, "c": 1, "d": 1, "e": 1},
            r"has 'd', 'e', which is no loss; the losses are 'a', 'b'",
        ),
        ({"a": 1}, r"no weight of 'b', 'c'; give one for every loss, 0 for"),
        ({"a": 1, "b": -0.5, "c": 1}, r"weights\['b'\] is -0\.5, which is negative; .* turn the loss's sign"),
        ({"a": 0, "b": 0.0, "c": 0}, "all zero; give those of the sum"),
        ({"a": 1, "b": math.inf, "c": 1}, r"weights\['b'\] is inf, which is not finite; give a number"),
        ({"a": 1, "b": 1, "c": math.nan}, r"weights\['c'\] is nan, which is not finite"),
        ({"a": "1", "b": 1, "c": 1}, r"weights\['a'\] is '1'; give a number"),
        ({"a": True, "b": 1, "c": 1}, r"weights\['a'\] is True; give a number"),
        ({"a": None, "b": 1, "c": 1}, r"weights\['a'\] is None; give a number"),
        ({"a": torch.ones(2), "b": 1, "c": 1}, r"weights\['a'\] is .*; give a number"),
        ({"a": 10**400, "b": 1, "c": 1}, r"give a number"),
    ],
)
def test_other_weights_are_refused(given: Any, message: str) -> None:
    with pytest.raises(ProblemError, match=message):
        training_weights(given, NAMES)


def problem(**options: Any) -> ModelProblem:
    def loss(target: float) -> Any:
        return lambda outputs, batch: (outputs - target).square().mean()

    data = TensorDataset(torch.ones(4, 1))
    return ModelProblem(nn.Linear(1, 1), {"a": loss(1), "b": loss(2)}, data, **options)


def test_a_model_knows_the_weights_that_it_was_trained_with() -> None:
    given = problem(weights={"b": 1, "a": 3}).training_weights
    assert given.tolist() == [0.75, 0.25]
    assert problem().training_weights.tolist() == [0.5, 0.5]
    with pytest.raises(ProblemError, match="weights has no weight of 'b'"):
        problem(weights={"a": 1})


def test_nobody_changes_them_by_accident() -> None:
    weighted = problem(weights={"b": 1, "a": 3})
    weighted.training_weights.zero_()
    assert weighted.training_weights.tolist() == [0.75, 0.25]


def test_a_function_has_equal_weights() -> None:
    def three(x: Tensor) -> Tensor:
        return torch.stack([(x - k).square().sum() for k in range(3)])

    assert FunctionProblem(three, torch.zeros(2)).training_weights.tolist() == [1 / 3] * 3
