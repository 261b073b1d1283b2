"""Several points measured in one pass, against one pass for each."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tensors import normal
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

from paretonav import FunctionProblem, ModelProblem, ProblemError
from paretonav.objectives import Aggregate, Losses, group_gap


class Counting(Dataset[Any]):
    """Counts how often an example is read."""

    def __init__(self, n: int) -> None:
        self.x, self.y, self.read = normal(n, 3, seed=0), normal(n, 2, seed=1), 0

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        self.read += 1
        return self.x[i], self.y[i]


LOSSES: dict[str, Any] = {
    "square": lambda o, batch: (o[:, 0] - batch[1][:, 0]).square().mean(),
    "soft": lambda o, batch: nn.functional.softplus(o[:, 1] * batch[1][:, 1]).mean(),
    "gap": group_gap(lambda o, _: o[:, 0], lambda batch: (batch[1][:, 0] > 0).long()),
}


def make(n: int = 40, data: Any = None, **options: Any) -> ModelProblem:
    model = nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 2)).double()
    with torch.no_grad():
        for k, p in enumerate(model.parameters()):
            p.copy_(normal(*p.shape, seed=k))
    train = TensorDataset(normal(20, 3, seed=2), normal(20, 2, seed=3))
    return ModelProblem(model, LOSSES, train, Counting(n) if data is None else data, **options)


def equal(found: Losses, expected: Losses) -> None:
    assert torch.equal(found.fractions, expected.fractions)
    torch.testing.assert_close(found.batches, expected.batches, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(found.metric_batches, expected.metric_batches, rtol=1e-12, atol=1e-14)
    assert found.metric_names == expected.metric_names
    assert found.examples == expected.examples


@settings(max_examples=15, deadline=None)
@given(
    n=st.integers(8, 60),
    k=st.integers(0, 4),
    split=st.sampled_from(["train", "validation"]),
    grouped=st.booleans(),
)
def test_probes_are_evaluations(n: int, k: int, split: Any, grouped: bool) -> None:
    groups = {"groups": [i % 7 for i in range(n)]} if grouped else {}
    problem = make(n, metrics={"mean": lambda o, b: o[:, 0].mean()}, **groups)
    points = [normal(problem.parameters().numel(), seed=seed) for seed in range(k)]
    found = problem.probe((theta for theta in points), split)
    assert len(found) == k
    for losses, theta in zip(found, points, strict=True):
        equal(losses, problem.evaluate(theta, split))


def test_every_example_is_read_once_for_all_points() -> None:
    data = Counting(40)
    problem = make(data=data)
    points = [normal(problem.parameters().numel(), seed=seed) for seed in range(3)]
    before, spent = data.read, problem.cost.forward_passes
    problem.probe(points, "validation")
    assert data.read - before == 40
    assert problem.cost.forward_passes - spent == pytest.approx(3 * 40 / 20), "a pass for each point"
    before, spent = data.read, problem.cost.forward_passes
    assert problem.probe([], "validation") == []
    assert (data.read, problem.cost.forward_passes) == (before, spent)


@pytest.mark.parametrize(("batches", "chosen"), [(1, [0]), (4, [0, 3, 6, 9]), (100, list(range(12)))])
def test_a_part_of_the_batches_is_the_same_for_every_point(batches: int, chosen: list[int]) -> None:
    problem = make(60)
    points = [normal(problem.parameters().numel(), seed=seed) for seed in range(2)]
    spent = problem.cost.forward_passes
    found = problem.probe(points, "validation", batches)
    assert problem.cost.forward_passes - spent == pytest.approx(2 * 5 * len(chosen) / 20)
    for losses, theta in zip(found, points, strict=True):
        whole = problem.evaluate(theta, "validation")
        torch.testing.assert_close(losses.batches[:, :2], whole.batches[chosen][:, :2])
        assert losses.examples == 5 * len(chosen)
        assert losses.fractions.tolist() == [5 / (5 * len(chosen))] * len(chosen)


def test_differences_along_a_direction_are_the_response() -> None:
    problem = make(200)
    theta, direction = problem.parameters(), normal(problem.parameters().numel(), seed=1)
    ahead, behind = problem.probe([theta + 1e-5 * direction, theta - 1e-5 * direction], "validation")
    _, response = problem.response(theta, direction[None], "validation")
    slope, error = ahead.change_from(behind)
    torch.testing.assert_close(slope / 2e-5, response.mean[:, 0], rtol=1e-6, atol=1e-8)
    expected = response.standard_error()
    assert error is not None
    assert expected is not None
    torch.testing.assert_close(error / 2e-5, expected[:, 0], rtol=1e-5, atol=1e-7)


def test_a_probe_keeps_no_graph_and_leaves_the_model_as_it_is() -> None:
    problem = make(40)
    before = problem.parameters()
    (losses,) = problem.probe([before + 1], "validation")
    assert not losses.batches.requires_grad
    assert torch.equal(problem.parameters(), before)


def test_data_that_are_not_there_and_no_batches_are_refused() -> None:
    problem = make(data=DataLoader(Counting(8), batch_size=4))
    theta = problem.parameters()
    with pytest.raises(ProblemError, match="no test data"):
        problem.probe([theta], "test")
    with pytest.raises(ProblemError, match="on 0 batches is not possible; take at least 1"):
        problem.probe([theta], "validation", 0)


def test_what_fails_in_a_probe_says_where() -> None:
    problem = make(40, metrics={"odd": lambda o, b: float("x") if o.isnan().any() else 0.0})
    theta = problem.parameters()
    with pytest.raises(ProblemError, match=r"metric 'odd' failed on validation data"):
        problem.probe([theta, theta * torch.nan], "validation")


def test_a_function_is_evaluated_at_every_point() -> None:
    problem = FunctionProblem(lambda x: torch.stack([x.sum(), x.square().sum()]), torch.ones(2))
    found = problem.probe([torch.zeros(2), torch.ones(2)], "validation", batches=3)
    assert [losses.mean.tolist() for losses in found] == [[0, 0], [2, 2]]
    assert problem.cost.forward_passes == 2


@settings(max_examples=15, deadline=None)
@given(batches=st.integers(1, 3), size=st.floats(0, 1), seed=st.integers(0, 100))
def test_a_part_of_the_data_around_a_point_stands_for_all_of_them(
    batches: int, size: float, seed: int
) -> None:
    """At the point it has their very losses; near it these change as the means over the part do."""
    model, train = nn.Linear(3, 1).double(), TensorDataset(normal(20, 3, seed=2), normal(20, 2, seed=3))
    means = {"mean": lambda o, _: o.mean(), "square": lambda o, _: o.square().mean()}
    spread = Aggregate(lambda o, _: torch.stack([o.mean(), o.square().mean()]), lambda s: s[1] - s[0] ** 2)
    whole, apart = (
        ModelProblem(
            model, {"soft": lambda o, _: nn.functional.softplus(o).mean(), **losses}, train, batch_size=5
        )
        for losses in ({"spread": spread}, means)
    )
    theta = whole.parameters()
    moved = theta + size * normal(len(theta), seed=seed)
    here, there = whole.probe([theta, moved], "train", batches, around=theta)
    torch.testing.assert_close(here.mean, whole.evaluate(theta).mean)
    before, after = (each.mean for each in apart.probe([theta, moved], "train", batches))
    soft, mean, square = apart.evaluate(theta).mean + after - before
    torch.testing.assert_close(there.mean, torch.stack([soft, square - mean**2]))


def test_data_that_are_all_alike_need_no_more_than_a_part() -> None:
    x, y = normal(4, 3, seed=5), normal(4, 2, seed=6)
    problem = make(data=TensorDataset(x.repeat(15, 1), y.repeat(15, 1)), batch_size=4)
    theta = problem.parameters()
    points = [theta + 0.1 * normal(len(theta), seed=seed) for seed in range(3)]
    some = problem.probe(points, "validation", 2, around=theta)
    for found, whole in zip(some, problem.probe(points, "validation"), strict=True):
        torch.testing.assert_close(found.mean, whole.mean)
