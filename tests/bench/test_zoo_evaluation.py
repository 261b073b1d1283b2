from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.data import TensorDataset

from zoo.case import Case
from zoo.evaluation import Evaluation, blocks_of, change, evaluate
from zoo.training import Task, adam, trained


def case(examples: int = 60, seed: int = 0) -> Case:
    """A linear model with two targets, as it came out of two epochs."""
    generator = torch.Generator().manual_seed(seed)

    def data(n: int) -> TensorDataset:
        x = torch.randn(n, 3, generator=generator)
        return TensorDataset(x, x @ torch.randn(3, 2, generator=generator))

    losses = {
        name: lambda outputs, batch, i=i: (outputs[:, i] - batch[1][:, i]).square().mean()
        for i, name in enumerate("ab")
    }
    task = Task(losses, data(examples), data(examples), data(examples))
    torch.manual_seed(seed)
    return trained("linear", nn.Linear(3, 2), task, batch_size=16, epochs=2, rate=0.05)


def moved(of: Case, by: float) -> nn.Module:
    model = nn.Linear(3, 2)
    model.load_state_dict({name: value + by for name, value in of.model.state_dict().items()})
    return model


def test_losses_are_means_over_all_examples() -> None:
    of = case(examples=61)  # blocks of unequal size
    x, y = of.test.tensors
    expected = (of.model(x) - y).square().mean(0)
    torch.testing.assert_close(torch.tensor(evaluate(of.model, of, "test").values).float(), expected)


def test_evaluation_leaves_the_mode_alone_and_reads_in_eval_mode() -> None:
    of = case()
    model = nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.5))
    model.train()
    first, second = (evaluate(model, of, "test").values for _ in range(2))
    assert model.training
    np.testing.assert_array_equal(first, second)


def test_errors_of_a_mean_are_those_of_paired_differences() -> None:
    of = case(examples=120)
    x, y = of.test.tensors
    after = moved(of, 0.1)
    with torch.no_grad():
        differences = (after(x) - y).square() - (of.model(x) - y).square()
    blocks = differences.view(40, 3, 2).mean(1).double()
    expected = blocks.std(0).numpy() / math.sqrt(40)
    before = evaluate(of.model, of, "test")
    found = change(before, evaluate(after, of, "test"))
    np.testing.assert_allclose(found.errors * before.values, expected, rtol=1e-4)
    np.testing.assert_allclose(found.values * before.values, differences.mean(0), rtol=1e-4)


def test_a_model_has_not_changed_from_itself() -> None:
    of = case()
    found = change(evaluate(of.model, of, "test"), evaluate(of.model, of, "test"))
    assert found.values.tolist() == found.errors.tolist() == [0.0, 0.0]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_errors_cover_what_other_test_sets_would_say(seed: int) -> None:
    """Over many draws the change in units of its error would be about normal; one draw is hardly ever beyond five."""
    of = case(examples=400, seed=seed % 7)
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(400, 3, generator=generator)
    weight = torch.randn(3, 2, generator=generator)
    drawn = replace(of, test=TensorDataset(x, x @ weight))
    found = change(evaluate(of.model, drawn, "test"), evaluate(moved(of, 0.05), drawn, "test"))
    shift, bias = of.model(torch.eye(3)) - of.model(torch.zeros(1, 3)), of.model(torch.zeros(1, 3))
    off = shift.detach() - weight
    by = 0.05
    # E[(x (off + by) + bias + by)^2 - (x off + bias)^2], x standard normal
    truth = ((off + by).square() - off.square()).sum(0) + (bias + by).square()[0] - bias.square()[0]
    values = found.values * evaluate(of.model, drawn, "test").values
    errors = found.errors * evaluate(of.model, drawn, "test").values
    assert (np.abs(values - truth.detach().numpy()) < 5 * errors + 1e-6).all()


def test_pooled_losses_are_taken_of_all_outputs_at_once() -> None:
    of = case()
    largest = replace(
        of,
        losses={"a": of.losses["a"], "largest": lambda outputs, batch: outputs.abs().max()},
        pooled=frozenset({"largest"}),
    )
    found = evaluate(of.model, largest, "test")
    outputs = of.model(of.test.tensors[0]).abs().detach()
    assert found.values[1] == pytest.approx(float(outputs.max()))
    where = int(outputs.max(1).values.argmax())
    block = next(i for i, b in enumerate(blocks_of(60)) if where in b.tolist())
    assert found.without[block, 1] < found.values[1]
    assert (np.delete(found.without[:, 1], block) == found.values[1]).all()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=200), st.integers(1, 50))
def test_blocks_hold_each_example_once_and_each_group_together(labels: list[int], blocks: int) -> None:
    found = blocks_of(len(labels), torch.tensor(labels), blocks)
    assert sorted(torch.cat(found).tolist()) == list(range(len(labels)))
    assert all(len(block) for block in found)
    assert len(found) == min(blocks, len(set(labels)))
    home = {i: number for number, block in enumerate(found) for i in block.tolist()}
    assert all(len({home[i] for i, x in enumerate(labels) if x == label}) == 1 for label in set(labels))


@given(st.integers(1, 200), st.integers(1, 50))
def test_blocks_without_groups_are_of_one_size(examples: int, blocks: int) -> None:
    sizes = [len(block) for block in blocks_of(examples, None, blocks)]
    assert sum(sizes) == examples
    assert max(sizes) - min(sizes) <= 1


def test_groups_that_belong_together_make_the_error_larger() -> None:
    """Forty copies of each of twenty examples say no more than twenty examples do."""
    of = case(examples=20)
    copies = TensorDataset(*(tensor.repeat(40, 1) for tensor in of.test.tensors))
    alone = replace(of, test=copies)
    together = replace(alone, groups={"test": torch.arange(20).repeat(40)})
    errors = [
        change(evaluate(c.model, c, "test"), evaluate(moved(c, 0.1), c, "test")).errors
        for c in (alone, together)
    ]
    assert (errors[1] > 3 * errors[0]).all()


def test_of_a_single_block_no_error_is_known() -> None:
    one = Evaluation(np.array([2.0]), np.full((1, 1), np.nan), np.ones(1))
    found = change(one, Evaluation(np.array([1.0]), np.full((1, 1), np.nan), np.ones(1)))
    assert found.values.tolist() == [-0.5]
    assert np.isnan(found.errors).all()


def test_training_stops_early_and_hands_over_the_best_model() -> None:
    of = case()
    task = Task(of.losses, of.train, of.validation, of.test)
    torch.manual_seed(0)
    long = trained(
        "x", nn.Linear(3, 2), task, optimizer=adam, rate=0.5, epochs=200, patience=2, batch_size=16
    )
    assert long.epochs < 200
    assert not long.model.training
    assert all(p.grad is None for p in long.model.parameters())
    assert long.weights == {"a": 1.0, "b": 1.0}
