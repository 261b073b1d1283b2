"""Which way a metric is better, and what is said of those that fail."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from paretonav import Metric, ModelProblem, ProblemError


def first(o: Tensor, _: Any) -> Tensor:
    return o[:, 0].square().mean()


def second(o: Tensor, _: Any) -> Tensor:
    return (o[:, 1] - 1).square().mean()


def accuracy(o: Tensor, _: Any) -> Tensor:
    return (o.argmax(1) == 0).float().mean()


class WithAttribute:
    """As the metrics of other libraries are."""

    def __init__(self, better: bool | None) -> None:
        self.higher_is_better = better

    def __call__(self, outputs: Tensor, batch: Any) -> Tensor:
        return accuracy(outputs, batch)


def make(losses: Any = None, n: int = 6, **options: Any) -> ModelProblem:
    torch.manual_seed(0)
    losses = {"first": first, "second": second} if losses is None else losses
    data = TensorDataset(torch.linspace(-1, 1, 3 * n).view(n, 3))
    return ModelProblem(nn.Linear(3, 2), losses, data, batch_size=4, **options)


def test_the_direction_is_known_of_those_that_say_it() -> None:
    metrics = {
        "wrapped": Metric(accuracy, higher_is_better=True),
        "error": Metric(lambda o, b: 1 - accuracy(o, b), higher_is_better=False),
        "own": WithAttribute(True),
        "own, lower": WithAttribute(False),
        "unknown": WithAttribute(None),
        "plain": accuracy,
    }
    problem = make(metrics=metrics)
    assert problem.higher_is_better == {"wrapped": True, "error": False, "own": True, "own, lower": False}
    shown = problem.evaluate(problem.parameters()).metrics
    assert shown.keys() == metrics.keys()
    assert shown["wrapped"] == shown["own"] == shown["plain"] == pytest.approx(1 - shown["error"])
    assert make().higher_is_better == {}


def test_a_metric_is_the_function_it_wraps() -> None:
    outputs = torch.eye(2)
    assert Metric(accuracy, higher_is_better=True)(outputs, None) == 0.5


def test_what_is_better_higher_is_no_loss() -> None:
    with pytest.raises(ProblemError, match=r"loss 'gain'.* higher is better.* minimised; turn its sign"):
        make({"gain": Metric(lambda o, _: o.mean(), higher_is_better=True), "first": first})
    falling = Metric(first, higher_is_better=False)
    plain, wrapped = make(), make({"first": falling, "second": second})
    assert torch.equal(plain.jacobian(plain.parameters())[1], wrapped.jacobian(wrapped.parameters())[1])


def test_a_loss_may_be_given_twice_under_two_names() -> None:
    problem = make({"first": first, "again": first, "second": second})
    losses, jacobian = problem.jacobian(problem.parameters())
    assert losses.mean[0] == losses.mean[1]
    assert torch.equal(jacobian[0], jacobian[1])


def test_one_name_is_a_loss_or_a_metric() -> None:
    with pytest.raises(ProblemError, match="'first' is the name of a loss and of a metric; rename one"):
        make(metrics={"first": Metric(accuracy, higher_is_better=True)})


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_a_metric_that_fails_is_named_with_its_data(split: str) -> None:
    def picky(o: Tensor, _: Any) -> Tensor:
        return o[3, 0] if len(o) == 3 else o.mean()

    short = TensorDataset(torch.zeros(3, 3))
    others = {} if split == "train" else {split: short}
    with pytest.raises(
        ProblemError, match=rf"metric 'odd' failed on {split} data: .*; it is called as metric\("
    ):
        make(n=3 if split == "train" else 6, metrics={"odd": Metric(picky, higher_is_better=True)}, **others)


@pytest.mark.parametrize("split", ["validation", "test"])
def test_data_that_are_not_there_are_asked_for_by_their_argument(split: Any) -> None:
    problem = make()
    theta = problem.parameters()
    for run in (problem.evaluate, problem.jacobian, lambda t, s: problem.response(t, t[None], s)):
        with pytest.raises(ProblemError, match=f"no {split} data, only train; give {split}= to the problem"):
            run(theta, split)


def test_test_data_show_losses_and_metrics_of_their_own() -> None:
    data = TensorDataset(torch.tensor([[1.0, 2.0, 3.0]]))
    problem = make(metrics={"accuracy": accuracy}, test=data)
    assert not problem.has_validation
    losses = problem.evaluate(problem.parameters(), "test")
    outputs = problem.model(data.tensors[0])
    torch.testing.assert_close(losses.mean.float(), torch.stack([first(outputs, 0), second(outputs, 0)]))
    assert losses.metrics == {"accuracy": float(accuracy(outputs, 0))}
