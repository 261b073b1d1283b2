"""Responses against J v of the dense Jacobian, and against difference quotients, in float64."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score
from tests.tensors import normal
from torch import Tensor, nn
from torch.utils.data import IterableDataset, TensorDataset

from paretonav import Aggregate, Cost, FunctionProblem, ModelProblem, ProblemError, group_gap, l2
from paretonav.objectives import gradients


class Cube(torch.autograd.Function):
    """Has a derivative, but no formula for forward mode."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:  # type: ignore[override]
        (x,) = ctx.saved_tensors
        return 3 * x**2 * grad


class Cubed(nn.Module):
    def __init__(self, custom: bool) -> None:
        super().__init__()
        self.inner, self.custom = nn.Linear(3, 2), custom

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.inner(x)
        return Cube.apply(hidden) if self.custom else hidden**3  # type: ignore[no-any-return, no-untyped-call]


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.project, self.head = nn.Linear(1, 12), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.project(x[:, None, :, None]).chunk(3, dim=-1)
        mixed = nn.functional.scaled_dot_product_attention(q, k, v)
        return self.head(mixed.mean((1, 2)))  # type: ignore[no-any-return]


def score(o: Tensor, _: Any) -> Tensor:
    return o[:, 0].sigmoid()


def label(batch: Any) -> Tensor:
    return batch[1]  # type: ignore[no-any-return]


LOSSES: dict[str, Any] = {
    "plain": lambda o, _: (o[:, 1] - 1).square().mean(),
    "gap": group_gap(score, label, smoothing=0.05),
    "size": l2("*weight"),
}
SMOOTH: dict[str, Any] = {
    "soft": lambda o, _: nn.functional.softplus(o[:, 0]).mean(),
    "spread": Aggregate(lambda o, _: torch.stack([o.mean(), o.square().mean()]), lambda s: s[1] - s[0] ** 2),
}


def accuracy(o: Tensor, batch: Any) -> Tensor:
    return (o.argmax(1) == batch[1]).double().mean()


STEPWISE: dict[str, Any] = {
    "accuracy": accuracy,
    "item": lambda o, batch: accuracy(o, batch).item(),
    "numpy": lambda o, batch: np.mean(o.numpy().argmax(1) == batch[1].numpy()),
    "scikit-learn": lambda o, batch: accuracy_score(batch[1], o.argmax(1)),
}


def examples(n: int, seed: int = 0) -> TensorDataset:
    return TensorDataset(normal(n, 3, seed=seed), torch.arange(n) % 2)


def tanh() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))


def make(
    model: nn.Module, batch_size: int = 4, losses: Mapping[str, Any] = LOSSES, **options: Any
) -> ModelProblem:
    torch.manual_seed(0)
    model = model.double()
    with torch.no_grad():
        for k, p in enumerate(model.parameters()):
            p.copy_(0.5 * normal(*p.shape, seed=k))
    return ModelProblem(model, losses, examples(18), batch_size=batch_size, **options)


def dense(problem: ModelProblem) -> Tensor:
    """The Jacobian of losses and metrics, [m + p, n], from losses alone."""
    plain = group_gap(score, label, smoothing=0)  # what is shown of a gap, with a derivative
    everything = make(problem.model, losses={**LOSSES, "gap": plain, **SMOOTH})
    return everything.jacobian(problem.parameters())[1]


MODELS = {
    "tanh": tanh,
    "attention": Attention,
    "forward": lambda: Cubed(False),
    "no forward": lambda: Cubed(True),
}


@pytest.mark.parametrize("kind", list(MODELS))
@pytest.mark.parametrize("k", [1, 3])
def test_the_response_is_the_jacobian_times_the_directions(kind: str, k: int) -> None:
    problem = make(MODELS[kind](), metrics=SMOOTH)
    theta = problem.parameters()
    directions = normal(k, len(theta), seed=9)
    losses, response = problem.response(theta, directions)
    torch.testing.assert_close(response.mean, dense(problem) @ directions.T, rtol=1e-9, atol=1e-11)
    evaluated = problem.evaluate(theta)
    torch.testing.assert_close(losses.batches, evaluated.batches)
    torch.testing.assert_close(losses.metric_batches, evaluated.metric_batches)
    torch.testing.assert_close(response.fractions, evaluated.fractions)
    assert problem._own.pushforward._forward == (kind != "no forward")
    assert not response.batches.requires_grad


def test_without_forward_mode_the_numbers_are_the_same_batch_by_batch() -> None:
    forward, backward = (make(Cubed(custom), metrics=SMOOTH) for custom in (False, True))
    theta = forward.parameters()
    directions = normal(2, len(theta), seed=9)
    for _ in range(2):  # the second time, it is known
        expected, found = (p.response(theta, directions)[1].batches for p in (forward, backward))
        torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-12)


def test_batchwise_responses_are_the_limits_of_batchwise_changes() -> None:
    problem = make(tanh(), 5, metrics=SMOOTH)
    theta, step = problem.parameters(), 1e-5
    (direction,) = normal(1, len(theta), seed=9)
    _, response = problem.response(theta, direction[None])
    ends = [problem.evaluate(theta + s * direction) for s in (step, -step)]
    ahead, behind = (torch.cat([end.batches, end.metric_batches], dim=1) for end in ends)
    torch.testing.assert_close(response.batches[..., 0], (ahead - behind) / (2 * step), rtol=1e-6, atol=1e-8)


def test_what_a_response_costs() -> None:
    problem = make(tanh(), metrics=SMOOTH)
    theta = problem.parameters()
    directions = normal(3, len(theta), seed=9)
    problem.response(theta, directions)
    assert problem.cost == Cost(forward_passes=6)
    problem = make(tanh(), metrics=STEPWISE, validation=examples(9))
    problem.response(theta, directions, "validation")
    assert problem.cost == Cost(forward_passes=3)


def test_what_moves_by_leaps_has_no_slope() -> None:
    problem = make(tanh(), metrics={**SMOOTH, **STEPWISE})
    theta = problem.parameters()
    _, response = problem.response(theta, normal(2, len(theta), seed=9))
    assert response.mean[:5].any(dim=1).all()
    assert not response.mean[5:].any()


PLAIN: dict[str, Any] = {
    "plain": LOSSES["plain"],
    "size": LOSSES["size"],
    "growing": lambda o, _: o[:, 0].exp().mean(),
}
MANY: dict[str, Any] = {
    "plain": LOSSES["plain"],
    "moments": Aggregate(
        lambda o, _: torch.stack([o.pow(k).mean() for k in range(1, 6)]), lambda s: s.square().sum()
    ),
}


@settings(max_examples=20, deadline=None)
@given(batch_size=st.integers(1, 18), k=st.integers(1, 3), seed=st.integers(0, 1000))
def test_after_a_jacobian_the_response_on_training_data_is_known(batch_size: int, k: int, seed: int) -> None:
    problem = make(tanh(), batch_size, PLAIN, metrics=STEPWISE, validation=examples(9))
    theta = normal(len(problem.parameters()), seed=seed)
    directions = normal(k, len(theta), seed=seed + 1)
    problem.jacobian(theta)
    before = problem.cost
    losses, known = problem.response(theta, directions, batches=2)
    assert problem.cost == before
    measured_losses, measured = problem.response(theta.clone(), directions)
    assert problem.cost.forward_passes == before.forward_passes + 2 * k
    torch.testing.assert_close(known.batches, measured.batches, rtol=1e-9, atol=1e-11)
    torch.testing.assert_close(known.fractions, measured.fractions)
    torch.testing.assert_close(losses.batches, measured_losses.batches)
    assert known.share == 1


def moved(theta: Tensor) -> Tensor:
    return theta.add_(0.5)


@pytest.mark.parametrize(
    ("losses", "options", "elsewhere"),
    [
        (MANY, {"validation": examples(9)}, None),  # too many parts for a gradient each
        (PLAIN, {"metrics": SMOOTH}, None),  # metrics that are shown for the training data
        (PLAIN, {"validation": examples(9)}, Tensor.clone),
        (PLAIN, {"validation": examples(9)}, moved),
    ],
)
def test_a_response_that_is_not_known_is_measured(losses: Any, options: Any, elsewhere: Any) -> None:
    problem = make(tanh(), losses=losses, **options)
    theta = problem.parameters()
    directions = normal(2, len(theta), seed=9)
    problem.jacobian(theta)
    if elsewhere is not None:
        theta = elsewhere(theta)
    before = problem.cost
    _, response = problem.response(theta, directions)
    assert problem.cost - before == Cost(forward_passes=4)
    expected = make(tanh(), losses=losses, **options).response(theta, directions)[1]
    torch.testing.assert_close(response.batches, expected.batches)


def test_many_gradients_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = make(tanh(), losses=PLAIN, validation=examples(9))
    theta = problem.parameters()
    for most, cost in ((5 * 3 * len(theta), 0), (5 * 3 * len(theta) - 1, 2)):
        monkeypatch.setattr(gradients, "MOST", most)
        problem.jacobian(theta)
        before = problem.cost
        problem.response(theta, theta[None])
        assert problem.cost - before == Cost(forward_passes=cost)
    assert not problem._own.gradients._batches  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("count", "chosen"), [(1, [0]), (2, [0, 2]), (3, [0, 1, 3]), (5, [0, 1, 2, 3, 4]), (9, None)]
)
def test_a_response_on_some_batches(count: int, chosen: list[int] | None) -> None:
    losses = {"plain": LOSSES["plain"], "size": LOSSES["size"]}
    problem = make(tanh(), losses=losses, metrics=STEPWISE)
    theta = problem.parameters()
    directions = normal(1, len(theta), seed=9)
    everything, whole = problem.response(theta, directions)
    before = problem.cost.forward_passes
    some, response = problem.response(theta, directions, batches=count)
    rows = torch.tensor(range(5) if chosen is None else chosen)
    torch.testing.assert_close(response.batches, whole.batches[rows])
    torch.testing.assert_close(some.batches, everything.batches[rows])
    lengths = torch.tensor([4, 4, 4, 4, 2], dtype=torch.float64)[rows]
    torch.testing.assert_close(response.fractions, lengths / lengths.sum())
    assert problem.cost.forward_passes - before == pytest.approx(2 * float(lengths.sum()) / 18)


class Stream(IterableDataset[Any]):
    def __iter__(self) -> Any:
        return iter(examples(18))


def test_some_batches_of_a_stream_are_the_first_ones_and_none_are_refused() -> None:
    losses = {"plain": LOSSES["plain"], "size": LOSSES["size"]}
    problem = ModelProblem(tanh().double(), losses, Stream(), batch_size=4)
    theta = problem.parameters()
    _, response = problem.response(theta, theta[None], batches=2)
    torch.testing.assert_close(response.batches, problem.response(theta, theta[None])[1].batches[:2])
    with pytest.raises(ProblemError, match="on 0 batches is not possible; take at least 1"):
        problem.response(theta, theta[None], batches=0)


def test_functions_respond_by_their_jacobian() -> None:
    problem = FunctionProblem(lambda x: torch.stack([x.square().sum(), x[0] ** 3]), torch.ones(2).double())
    theta, directions = normal(2, seed=0), normal(3, 2, seed=1)
    losses, response = problem.response(theta, directions)
    expected = torch.stack([2 * directions @ theta, 3 * theta[0] ** 2 * directions[:, 0]])
    torch.testing.assert_close(response.mean, expected)
    torch.testing.assert_close(losses.mean, problem.evaluate(theta).mean)
    assert response.standard_error() is None


class Failing(nn.Module):
    """Fails at a call that is chosen; with an operation that has no forward mode, if it is ``custom``."""

    def __init__(self, error: Exception, custom: bool) -> None:
        super().__init__()
        self.inner, self.error, self.calls_left = Cubed(custom), error, 10**6

    def forward(self, x: Tensor) -> Tensor:
        self.calls_left -= 1
        if self.calls_left == 0:
            raise self.error
        return self.inner(x)  # type: ignore[no-any-return]


@pytest.mark.parametrize("custom", [False, True])
@pytest.mark.parametrize(
    "error", [RuntimeError("a solver diverged"), RecursionError("too deep"), NotImplementedError("not yet")]
)
def test_an_error_of_the_model_is_shown_in_every_mode(error: Exception, custom: bool) -> None:
    model = Failing(error, custom)
    problem = make(model)
    theta = problem.parameters()
    directions = normal(2, len(theta), seed=9)
    for call in range(1, 6):
        model.calls_left = call
        with pytest.raises(ProblemError, match=str(error)) as raised:
            problem.response(theta, directions)
        assert raised.value.__cause__ is error
        model.calls_left = 10**6
        problem.response(theta, directions)
    assert problem._own.pushforward._forward == (not custom)


def test_an_error_of_a_metric_is_not_tried_again() -> None:
    calls: list[int] = []

    def once(o: Tensor, _: Any) -> Tensor:
        calls.append(1)
        if len(calls) == 3:
            raise RuntimeError("no such class")
        return o.mean()

    problem = make(tanh(), metrics={"once": once})
    theta = problem.parameters()
    calls.extend([1] * (2 - len(calls)))
    with pytest.raises(ProblemError, match=r"'once' failed on train data.*no such class"):
        problem.response(theta, theta[None])
