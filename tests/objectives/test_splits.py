"""Validation and test data: how they are read, and what is known of means over them."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tensors import normal
from torch import Tensor, nn
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    IterableDataset,
    SequentialSampler,
    SubsetRandomSampler,
    TensorDataset,
)

from paretonav import FunctionProblem, ModelProblem, ProblemError
from paretonav.objectives.data import Data

CPU = torch.device("cpu")
LOSSES: dict[str, Callable[[Tensor, Any], Tensor]] = {
    "square": lambda o, batch: (o[:, 0] - batch[1][:, 0]).square().mean(),
    "absolute": lambda o, batch: (o[:, 1] - batch[1][:, 1]).abs().mean(),
}


def examples(n: int, seed: int = 0) -> TensorDataset:
    return TensorDataset(normal(n, 3, seed=seed), normal(n, 2, seed=seed + 1))


def make(validation: Any, **options: Any) -> ModelProblem:
    model = nn.Linear(3, 2).double()
    with torch.no_grad():
        model.weight.copy_(normal(2, 3, seed=5))
    return ModelProblem(model, LOSSES, examples(40), validation, **options)


class Items(Dataset[Any]):
    """The numbers of the examples, not as a tensor."""

    def __init__(self, n: int) -> None:
        self.n = n

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, i: int) -> Tensor:
        return torch.tensor(i)


class Stream(IterableDataset[Any]):
    def __iter__(self) -> Any:
        return iter(examples(50))


def numbers(source: Any, batch_size: int = 512, **options: Any) -> list[list[int]]:
    data = Data(source, batch_size, CPU, "validation", divided=True, **options)
    passes = [[batch.tolist() for batch, _ in data] for _ in range(2)]
    assert passes[0] == passes[1]
    return passes[0]


@settings(max_examples=50, deadline=None)
@given(n=st.integers(1, 300), size=st.integers(1, 100))
def test_a_dataset_is_read_in_about_equal_batches_of_which_there_are_enough(n: int, size: int) -> None:
    read = numbers(Items(n), size)
    assert [i for batch in read for i in batch] == list(range(n))
    lengths = [len(batch) for batch in read]
    assert max(lengths) <= size
    assert max(lengths) - min(lengths) <= 1, "no small batch at the end"
    assert len(read) >= 12 or n < 32


@settings(max_examples=50, deadline=None)
@given(n=st.integers(1, 300), size=st.integers(1, 100), shuffle=st.booleans())
def test_a_loader_keeps_its_batches_if_they_are_enough(n: int, size: int, shuffle: bool) -> None:
    read = numbers(DataLoader(Items(n), size, shuffle=shuffle, drop_last=True))
    assert [i for batch in read for i in batch] == list(range(n))
    own = [list(range(i, min(i + size, n))) for i in range(0, n, size)]
    if len(own) >= 12 or n < 32:
        assert read == own
    else:
        assert len(read) == 12
        assert max(map(len, read)) - min(map(len, read)) <= 1


def test_a_pass_that_is_divided_is_the_same_every_time() -> None:
    loader = DataLoader(Items(90), 30, sampler=SubsetRandomSampler(range(10, 60)))
    read = numbers(loader)
    assert len(read) == 12
    assert sorted(i for batch in read for i in batch) == list(range(10, 60))


def test_divided_rows_are_views() -> None:
    dataset = examples(100)
    for source in (dataset, DataLoader(dataset, batch_size=50, shuffle=True)):
        data = Data(source, 512, CPU, "validation", divided=True)
        memory = {t.untyped_storage().data_ptr() for batch, _ in data for t in batch}
        assert memory == {t.untyped_storage().data_ptr() for t in dataset.tensors}


FIXED: dict[str, tuple[Any, int]] = {
    "batch sampler": (DataLoader(examples(50), batch_sampler=[list(range(30)), list(range(30, 50))]), 2),
    "torch's batch sampler": (
        DataLoader(examples(50), batch_sampler=BatchSampler(SequentialSampler(range(50)), 20, False)),
        3,
    ),
    "stream": (DataLoader(Stream(), batch_size=20), 3),
    "batches of the dataset": (DataLoader([examples(20)[:], examples(30)[:]], batch_size=None), 2),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("kind", FIXED)
def test_batches_that_are_fixed_stay_and_their_error_is_unknown(kind: str) -> None:
    source, count = FIXED[kind]
    problem = make(source)
    losses = problem.evaluate(problem.parameters(), "validation")
    assert len(losses.fractions) == count
    assert losses.examples == 50
    assert losses.standard_error() is None


@pytest.mark.parametrize("split", ["validation", "test"])
@pytest.mark.parametrize("loader", [True, False])
@pytest.mark.parametrize("n", [32, 100, 511])
def test_validation_losses_have_standard_errors_about_as_large_as_those_of_the_examples(
    split: Any, loader: bool, n: int
) -> None:
    data = examples(n, seed=7)
    source = DataLoader(data, batch_size=64) if loader else data
    problem = make(**{"validation": None, split: source})
    theta = problem.parameters()
    losses = problem.evaluate(theta, split)
    error = losses.standard_error()
    assert error is not None
    outputs = problem.model(data[:][0])
    each = torch.stack([(outputs[:, 0] - data[:][1][:, 0]) ** 2, (outputs[:, 1] - data[:][1][:, 1]).abs()])
    torch.testing.assert_close(losses.mean, each.mean(dim=1).detach())
    ratio = error / (each.std(dim=1) / n**0.5)
    assert ((ratio > 0.5) & (ratio < 2)).all()
    _, error = problem.evaluate(theta + 0.1, split).change_from(losses)
    assert error is not None
    assert (error > 0).all()
    _, response = problem.response(theta, theta[None], split)
    assert response.standard_error() is not None
    assert response.covariance() is not None


@pytest.mark.parametrize("size", [1, 4, 512])
def test_below_32_examples_errors_are_unknown_however_they_are_divided(size: int) -> None:
    problem = make(DataLoader(examples(31), batch_size=size), metrics={"mean": lambda o, b: o.mean()})
    theta = problem.parameters()
    losses = problem.evaluate(theta, "validation")
    assert losses.standard_error() is None
    assert losses.metric_standard_error() is None
    assert problem.evaluate(theta + 1, "validation").change_from(losses)[1] is None
    assert problem.evaluate(theta + 1, "validation").metric_change_from(losses)[1] is None
    _, response = problem.response(theta, theta[None], "validation")
    assert response.standard_error() is None
    assert response.covariance() is None


def test_a_part_of_the_data_counts_by_its_own_examples() -> None:
    problem = make(examples(120))
    theta = problem.parameters()
    for batches, known in ((3, False), (4, True)):
        _, response = problem.response(theta, theta[None], "validation", batches=batches)
        assert response.examples == 10 * batches
        assert (response.standard_error() is not None) == known


def test_training_data_are_read_as_they_come() -> None:
    problem = make(None)
    assert len(problem.evaluate(problem.parameters()).fractions) == 1


def test_one_validation_example_has_losses_without_errors() -> None:
    one = make(examples(1), metrics={"mean": lambda o, b: o.mean()})
    theta = one.parameters()
    losses, jacobian = one.jacobian(theta, "validation")
    assert len(losses.fractions) == 1
    assert losses.standard_error() is None
    assert jacobian.shape == (2, 8)
    torch.testing.assert_close(one.evaluate(theta, "validation").mean, losses.mean)


def test_test_data_can_be_evaluated_and_are_known_to_be_there() -> None:
    problem = make(examples(40), test=examples(50, seed=3))
    assert problem.has_validation
    assert problem.has_test
    assert problem.evaluate(problem.parameters(), "test").examples == 50
    assert not make(examples(40)).has_test
    with pytest.raises(
        ProblemError, match=r"no test data, only train, validation; give test= to the problem"
    ):
        make(examples(40)).evaluate(problem.parameters(), "test")
    function = FunctionProblem(lambda x: torch.stack([x.sum(), x.prod()]), torch.ones(2))
    assert not function.has_test


@pytest.mark.parametrize("role", ["validation", "test"])
@pytest.mark.parametrize("loader", [True, False])
def test_empty_validation_data_are_refused(role: str, loader: bool) -> None:
    empty = DataLoader(examples(0)) if loader else examples(0)
    with pytest.raises(ProblemError, match=rf"the {role} data is empty: it yields no example; check"):
        make(**{"validation": None, role: empty})


def named(**tensors: Tensor) -> DataLoader[Any]:
    n = len(next(iter(tensors.values())))
    return DataLoader([{name: t[i] for name, t in tensors.items()} for i in range(n)], batch_size=4)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("validation", "message"),
    [
        (
            TensorDataset(normal(8, 3)),
            r"loss 'square' failed on the first validation batch: .*; the training data are a list of float64 \[3\], "
            r"float64 \[2\], the validation data a list of float64 \[3\]$",
        ),
        (
            TensorDataset(normal(8, 4), normal(8, 2)),
            r"the model failed on the first validation batch.*; the training data are .* a list of float64 \[4\]",
        ),
        (
            named(x=normal(8, 3), y=normal(8, 2)),
            r"cannot be called on a dict with 'x', 'y'|the validation data a dict",
        ),
    ],
)
def test_validation_data_of_another_structure_are_named(validation: Any, message: str) -> None:
    with pytest.raises(ProblemError, match=message):
        make(validation)


def test_what_fails_on_data_of_the_same_structure_is_no_matter_of_structure() -> None:
    def picky(o: Tensor, batch: Any) -> Tensor:
        if len(batch[0]) != 40:
            raise ValueError("not forty")
        return o.square().mean()

    losses = {"picky": picky, "plain": LOSSES["square"]}
    with pytest.raises(ProblemError, match=r"first validation batch: not forty; .*can be$"):
        ModelProblem(nn.Linear(3, 2).double(), losses, examples(40), examples(10))
