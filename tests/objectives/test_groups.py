"""Which examples belong together, and what that makes of standard errors."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tensors import normal
from torch import Tensor, nn
from torch.utils.data import BatchSampler, DataLoader, IterableDataset, SequentialSampler, TensorDataset

from paretonav import ModelProblem, ProblemError
from paretonav.objectives import Losses, gradients
from paretonav.objectives.groups import labels_by_split

LOSSES: dict[str, Any] = {
    "square": lambda o, batch: (o[:, 0] - batch[1][:, 0]).square().mean(),
    "absolute": lambda o, batch: (o[:, 1] - batch[1][:, 1]).abs().mean(),
}
METRICS: dict[str, Any] = {
    "mean": lambda o, batch: o[:, 0].mean(),
    "leaps": lambda o, batch: (o[:, 0] > 0).double().mean(),
}


def examples(n: int, times: int = 1, seed: int = 0) -> TensorDataset:
    """``n`` examples, and all of them again, so many ``times``."""
    return TensorDataset(
        normal(n, 3, seed=seed).repeat(times, 1), normal(n, 2, seed=seed + 1).repeat(times, 1)
    )


def make(validation: Any, **options: Any) -> ModelProblem:
    model = nn.Linear(3, 2).double()
    with torch.no_grad():
        model.weight.copy_(normal(2, 3, seed=5))
        model.bias.zero_()
    options.setdefault("train", examples(20, seed=3))
    return ModelProblem(model, LOSSES, validation=validation, metrics=METRICS, **options)


def error_of(losses: Losses) -> Tensor:
    error = losses.standard_error()
    assert error is not None
    return error


SIZES = st.tuples(st.integers(32, 90), st.integers(1, 40), st.integers(0, 10**6))


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(sizes=SIZES, size=st.integers(1, 64), loader=st.booleans())
def test_means_are_the_same_with_groups(sizes: tuple[int, int, int], size: int, loader: bool) -> None:
    n, count, seed = sizes
    data, labels = examples(n), np.random.default_rng(seed).integers(0, count, n)
    source = DataLoader(data, batch_size=size, shuffle=True) if loader else data
    grouped, plain = make(source, groups=labels, batch_size=size), make(data)
    theta = plain.parameters() + 0.1
    directions = normal(2, len(theta), seed=1)
    for split in ("train", "validation"):
        found, expected = (p.jacobian(theta, split) for p in (grouped, plain))
        torch.testing.assert_close(found[0].mean, expected[0].mean)
        torch.testing.assert_close(found[1], expected[1])
        assert found[0].metrics == pytest.approx(expected[0].metrics)
        torch.testing.assert_close(grouped.evaluate(theta, split).batches, found[0].batches)
        responses = [p.response(theta, directions, split)[1] for p in (grouped, plain)]
        torch.testing.assert_close(responses[0].mean, responses[1].mean, atol=1e-12, rtol=1e-9)
        assert len(responses[0].fractions) == len(found[0].fractions)


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(n=st.integers(32, 150), times=st.integers(2, 6), size=st.integers(3, 200))
def test_copies_of_examples_are_no_evidence(n: int, times: int, size: int) -> None:
    once = make(examples(n), groups=range(n))
    again = make(examples(n, times), groups=list(range(n)) * times, batch_size=size)
    theta = once.parameters() + 0.1
    before, after = (
        [error_of(p.evaluate(t, "validation")) for p in (once, again)] for t in (theta, 2 * theta)
    )
    for first, second in (before, after):
        torch.testing.assert_close(first, second, rtol=1e-9, atol=1e-12)
    changes = [
        p.evaluate(2 * theta, "validation").change_from(p.evaluate(theta, "validation"))
        for p in (once, again)
    ]
    for first, second in zip(*changes, strict=True):
        torch.testing.assert_close(first, second, rtol=1e-9, atol=1e-12)
    responses = [p.response(theta, theta[None], "validation")[1].standard_error() for p in (once, again)]
    torch.testing.assert_close(*responses, rtol=1e-9, atol=1e-12)


@pytest.mark.slow
def test_without_groups_errors_of_copies_are_too_small_by_the_root_of_their_number() -> None:
    theta, times, ratios = make(None).parameters(), 9, []
    for seed in range(40):
        n = 60
        order = np.random.default_rng(seed).permutation(n * times)
        data = TensorDataset(*(t[order] for t in examples(n, times, seed=10 * seed).tensors))
        grouped, apart = make(data, groups=order % n), make(data)
        ratios.append(
            error_of(grouped.evaluate(theta, "validation")) / error_of(apart.evaluate(theta, "validation"))
        )
    assert torch.stack(ratios).square().mean().sqrt().item() == pytest.approx(3, rel=0.2)


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(sizes=SIZES)
def test_what_groups_are_called_changes_nothing(sizes: tuple[int, int, int]) -> None:
    n, count, seed = sizes
    rng = np.random.default_rng(seed)
    labels, names = rng.integers(0, count, n), rng.permutation(count)
    forms: list[Any] = [
        labels,
        torch.from_numpy(labels),
        labels.tolist(),
        [torch.tensor(label) for label in labels],
        names[labels],
        [f"scan {name}" for name in names[labels]],
        [("patient", int(label)) for label in labels],
        {"validation": labels},
    ]
    theta = make(None).parameters()
    first, *others = (make(examples(n), groups=form).evaluate(theta, "validation") for form in forms)
    for other in others:
        assert torch.equal(other.batches, first.batches)
        assert torch.equal(other.fractions, first.fractions)


def test_a_block_has_the_mean_over_its_groups() -> None:
    n = 70
    labels = [i % 7 for i in range(n)]
    problem = make(examples(n), groups=labels, batch_size=4)
    theta = problem.parameters()
    losses = problem.evaluate(theta, "validation")
    for group in range(7):
        part = TensorDataset(*(t[group::7] for t in examples(n).tensors))
        alone = make(part).evaluate(theta, "validation")
        torch.testing.assert_close(losses.batches[group], alone.mean)
        assert losses.fractions[group] == pytest.approx(1 / 7)


def test_a_group_may_be_larger_than_a_batch() -> None:
    seen: list[int] = []

    def forward(model: nn.Module, batch: Any) -> Any:
        seen.append(len(batch[0]))
        return model(batch[0])

    problem = make(examples(200), groups=[i // 50 for i in range(200)], batch_size=16, forward=forward)
    losses = problem.evaluate(problem.parameters(), "validation")
    assert len(losses.fractions) == 4
    assert max(seen) <= 16
    assert losses.standard_error() is not None


@pytest.mark.parametrize("labels", [[0] * 60, [i % 3 for i in range(60)], [0] * 40 + list(range(1, 21))])
def test_fewer_than_four_groups_or_one_that_outweighs_the_others_leave_errors_unknown(
    labels: list[int],
) -> None:
    problem = make(examples(60), groups=labels, batch_size=4)
    theta = problem.parameters()
    losses = problem.evaluate(theta, "validation")
    assert losses.standard_error() is None
    torch.testing.assert_close(losses.mean, make(examples(60)).evaluate(theta, "validation").mean)


def test_every_split_can_have_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    data, labels = examples(64), [i // 8 for i in range(64)]
    groups = {"train": labels, "validation": labels, "test": labels}
    problem = make(data, train=data, test=data, groups=groups, batch_size=3)
    theta = problem.parameters()
    reference = problem.evaluate(theta, "validation")
    assert len(reference.fractions) == 8
    for split in ("train", "test"):
        losses, _ = problem.jacobian(theta, split)  # type: ignore[arg-type]
        torch.testing.assert_close(losses.batches, reference.batches)
    problem.jacobian(theta)
    _, from_gradients = problem.response(theta, theta[None])
    monkeypatch.setattr(gradients, "MOST", 0)
    problem.jacobian(theta)
    _, pushed = problem.response(theta, theta[None])
    torch.testing.assert_close(from_gradients.batches, pushed.batches)
    torch.testing.assert_close(from_gradients.fractions, pushed.fractions)
    assert len(pushed.fractions) == 8
    assert len(list(problem.minibatches(10, torch.Generator()))) == 7, "training goes by examples"


def test_a_part_of_the_batches_knows_its_blocks() -> None:
    labels = [i // 10 for i in range(120)]
    problem = make(examples(120), groups=labels, batch_size=5)  # twelve blocks of two batches
    theta = problem.parameters()
    for count, blocks in ((24, 12), (12, 12), (6, 6), (18, 12)):
        losses, response = problem.response(theta, theta[None], "validation", batches=count)
        assert len(losses.fractions) == len(response.fractions) == blocks
        assert response.examples == 5 * count


REFUSED: list[tuple[Any, Any, str]] = [
    (
        examples(40),
        range(39),
        r"groups= has 39 labels for the 40 examples of the validation data; give one for each",
    ),
    (
        examples(40),
        np.zeros((40, 2)),
        r"groups= of the validation data has 2 dimensions; give a list or vector",
    ),
    (examples(40), torch.tensor(3), r"has 0 dimensions; give a list or vector with one label"),
    (examples(40), [[0, 1]] * 40, r"has a list for example 0; give a list or vector with one label"),
    (examples(40), [torch.zeros(1)] * 40, r"has a Tensor for example 0; give a list"),
    (examples(40), "a" * 40, r"is a str; give a list or vector"),
    (examples(40), 7, r"is a int; give a list or vector"),
    (
        examples(40),
        [0.0] * 39 + [math.nan],
        r"has nan for example 39; give it the label of its group, or one of its own",
    ),
    (examples(40), [None] * 40, r"has None for example 0; give it"),
    (
        None,
        range(20),
        r"for 'validation' data \(groups= without a split are those.*only train data; give these data, or",
    ),
    (examples(40), {"test": range(40)}, r"for 'test' data, but there are only train, validation data"),
    (examples(40), {"valid": range(40)}, r"for 'valid' data, but there are only train, validation data"),
]


@pytest.mark.parametrize(("validation", "groups", "message"), REFUSED)
def test_groups_that_do_not_fit_are_refused(validation: Any, groups: Any, message: str) -> None:
    with pytest.raises(ProblemError, match=message):
        make(validation, groups=groups)


class Stream(IterableDataset[Any]):
    def __iter__(self) -> Any:
        return iter(examples(40))


class Own(DataLoader[Any]):
    def __iter__(self) -> Any:
        return super().__iter__()


@pytest.mark.parametrize(
    "source",
    [
        DataLoader(examples(40), batch_sampler=[list(range(20)), list(range(20, 40))]),
        DataLoader(examples(40), batch_sampler=BatchSampler(SequentialSampler(range(40)), 10, False)),
        DataLoader([examples(20)[:], examples(20)[:]], batch_size=None),  # type: ignore[arg-type]
        Stream(),
        Own(examples(40), batch_size=10),
    ],
)
def test_groups_of_fixed_batches_are_refused(source: Any) -> None:
    with pytest.raises(
        ProblemError, match=r"batches of their own .* give validation= as a Dataset or as a DataLoader"
    ):
        make(source, groups=range(40))


def test_no_groups_are_none() -> None:
    assert labels_by_split(None, {"train"}) == {}
