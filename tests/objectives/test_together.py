"""Many points in one pass through a small model, against each of them alone."""

import contextlib
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tensors import normal
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from paretonav import Metric, ModelProblem, NonFiniteError, Penalty, ProblemError
from paretonav.objectives import Losses, group_gap, together

MANY = together._LEAST


class Net(nn.Module):
    """Keeps what it was last asked, as attention keeps its maps, and counts how often."""

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).to(dtype)
        self.kept: Tensor | None = None
        self.calls = 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        found: Tensor = self.layers(x)
        self.kept = found
        return found


LOSSES: dict[str, Any] = {
    "square": lambda o, batch: (o[:, 0] - batch[1][:, 0]).square().mean(),
    "soft": lambda o, batch: nn.functional.softplus(o[:, 1] * batch[1][:, 1]).mean(),
    "gap": group_gap(lambda o, _: o[:, 0], lambda batch: (batch[1][:, 0] > 0).long()),
    "size": Penalty(lambda steered: torch.stack([t.square().sum() for t in steered.values()]).sum()),
}


def make(dtype: torch.dtype = torch.float64, n: int = 40, **options: Any) -> ModelProblem:
    model = Net(dtype)
    with torch.no_grad():
        for k, p in enumerate(model.parameters()):
            p.copy_(normal(*p.shape, seed=k))
    data = [
        TensorDataset(normal(k, 3, seed=k).to(dtype), normal(k, 2, seed=k + 1).to(dtype)) for k in (20, n)
    ]
    return ModelProblem(model, **{"losses": LOSSES, "train": data[0], "validation": data[1], **options})


def points(problem: ModelProblem, k: int = MANY, seed: int = 0) -> list[Tensor]:
    theta = problem.parameters()
    return [theta + 0.1 * normal(len(theta), seed=seed + i).to(theta) for i in range(k)]


def alike(found: Losses, expected: Losses, rounding: float) -> None:
    for one, other in ((found.batches, expected.batches), (found.metric_batches, expected.metric_batches)):
        torch.testing.assert_close(one, other, rtol=rounding, atol=rounding, equal_nan=True)
    assert (found.metric_names, found.examples) == (expected.metric_names, expected.examples)


@settings(max_examples=8, deadline=None)
@given(
    k=st.integers(MANY, 3 * MANY),
    n=st.integers(8, 60),
    split=st.sampled_from(["train", "validation"]),
    double=st.booleans(),
    count=st.sampled_from([None, 1, 3]),
)
def test_points_read_at_once_are_those_read_alone(
    k: int, n: int, split: Any, double: bool, count: Any
) -> None:
    problem = make(
        torch.float64 if double else torch.float32,
        n,
        metrics={"right": lambda o, b: (o.argmax(1) == b[1].argmax(1)).double().mean()},
        weight_decay=0.1,
    )
    calls, spent = problem.model.calls, problem.cost.forward_passes
    found = problem.probe(points(problem, k), split, count)
    batches = len(found[0].fractions)
    assert problem.model.calls - calls == batches * -(-k // together._MOST) + 1, (
        "and one point alone, to compare"
    )
    assert problem.cost.forward_passes - spent == pytest.approx(k * (found[0].examples or 0) / 20)
    for losses, theta in zip(found, points(problem, k), strict=True):
        (alone,) = problem.probe([theta], split, count)
        alike(losses, alone, 1e-12 if double else 1e-5)


def at_once(problem: ModelProblem) -> bool:
    """Whether many points are fewer calls of the model."""
    calls = problem.model.calls
    problem.probe(points(problem), "train")
    return bool(problem.model.calls - calls < MANY)


def test_few_points_and_large_or_busy_models_are_read_one_by_one() -> None:
    problem = make()
    calls = problem.model.calls
    problem.probe(points(problem, MANY - 1), "train")
    assert problem.model.calls - calls == MANY - 1
    calls = []
    for model, x in ((nn.Conv1d(1, 1, 1), (4, 1, 3)), (nn.Linear(400, 400), (4, 400))):
        data = TensorDataset(normal(*x, seed=0).float())
        losses = {"a": lambda o, _: o.square().mean(), "b": lambda o, _: (o - 1).square().mean()}
        problem = ModelProblem(model, losses, data)
        model.register_forward_hook(lambda *_: calls.append(1))
        problem.probe([problem.parameters()] * MANY)
        assert len(calls) == MANY
        calls.clear()


def test_what_a_module_puts_aside_can_be_read_afterwards() -> None:
    problem = make()
    problem.probe(points(problem), "validation")
    assert problem.model.kept is not None
    assert len(problem.model.kept.tolist()) > 0


def branching(x: Tensor) -> Tensor:
    return x if bool(x.sum() > 0) else -x


@pytest.mark.parametrize(
    "square",
    [
        lambda o, b: (o[:, 0] - b[1][:, 0]).square().mean() * float(o.detach().sum()) ** 0,
        lambda o, b: branching(o[:, 0]).square().mean(),
        lambda o, b: (o[:, 0] - b[1][:, 0]).square().mean() + 0 * torch.from_numpy(o.detach().numpy()).sum(),
    ],
)
def test_what_vmap_cannot_follow_is_read_one_by_one(square: Callable[..., Tensor]) -> None:
    problem = make(losses={**LOSSES, "square": square})
    found = problem.probe(points(problem), "validation")
    assert not at_once(problem)
    for losses, theta in zip(found, points(problem), strict=True):
        alike(losses, problem.evaluate(theta, "validation"), 1e-12)


def test_a_metric_of_numpy_is_read_one_by_one() -> None:
    problem = make(
        metrics={"median": Metric(lambda o, b: float(np.median(o.numpy())), higher_is_better=None)}
    )
    found = problem.probe(points(problem), "validation")
    for losses, theta in zip(found, points(problem), strict=True):
        alike(losses, problem.evaluate(theta, "validation"), 1e-12)


def test_what_comes_out_otherwise_at_once_is_found_out_and_read_anew() -> None:
    def loss(o: Tensor, batch: Any) -> Tensor:
        wrong = torch._C._functorch.is_batchedtensor(o)
        return (o[:, 0] - batch[1][:, 0]).square().mean() + (1e-3 if wrong else 0.0)

    problem = make(losses={**LOSSES, "square": loss})
    found = problem.probe(points(problem), "validation")
    assert not at_once(problem)
    for losses, theta in zip(found, points(problem), strict=True):
        alike(losses, problem.evaluate(theta, "validation"), 1e-12)


def test_what_fails_at_one_point_is_told_as_ever() -> None:
    def loss(o: Tensor, batch: Any) -> Tensor:
        if o.isnan().any():
            raise ValueError("not a number")
        return (o[:, 0] - batch[1][:, 0]).square().mean()

    problem = make(losses={**LOSSES, "square": loss})
    with pytest.raises(
        ProblemError, match=r"'square' failed on batch 1 of the validation data, a list: ValueError"
    ):
        problem.probe([*points(problem), problem.parameters() * torch.nan], "validation")


def test_points_that_are_not_finite_are_measured() -> None:
    problem = make()
    found = problem.probe([*points(problem), problem.parameters() * torch.nan], "validation")
    assert at_once(problem)
    assert found[-1].mean.isnan().all()
    assert all(losses.mean.isfinite().all() for losses in found[:-1])
    with pytest.raises(NonFiniteError):
        problem.require_finite(found[-1], "there")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def test_nothing_is_said_of_it() -> None:
    problem = make(losses={**LOSSES, "soft": lambda o, b: torch.linalg.lstsq(o.T @ o, o.T).solution.mean()})
    with quiet():
        problem.probe(points(problem), "validation")
