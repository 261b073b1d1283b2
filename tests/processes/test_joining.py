"""What is refused before processes compute together, what they are told, and how batches are divided among them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
import torch.distributed as dist
from hypothesis import given
from hypothesis import strategies as st
from tests.processes import kinds
from tests.processes.kinds import F64, Stream, numbers, perceptron
from torch.testing._internal.distributed.fake_pg import FakeStore
from torch.utils.data import DataLoader, Dataset, TensorDataset
from torch.utils.data.distributed import DistributedSampler

import paretonav as pn
from paretonav.geometry import Curvature
from paretonav.objectives.data import Data
from paretonav.objectives.joining import require_divisible
from paretonav.processes import Wire, launched, the_group
from paretonav.processes.premises import Digest, Premise, _difference


def test_a_function_has_nothing_to_divide() -> None:
    with pytest.raises(pn.ProblemError, match=r"a Quadratic.* has no data to divide.*without group="):
        require_divisible(pn.problems.quadratic(n=3, m=2))


def test_data_that_are_divided_already_are_refused() -> None:
    data = numbers(70, F64)
    sampler: DistributedSampler[Any] = DistributedSampler(data, 2, 0, drop_last=True)
    for split in ("train", "validation"):
        problem = perceptron(**{split: DataLoader(data, 10, sampler=sampler)})
        with pytest.raises(
            pn.ProblemError, match=rf"the {split} data have a DistributedSampler; give every process"
        ):
            require_divisible(problem)


def test_data_that_accelerate_has_prepared_are_refused() -> None:
    prepared = type("DataLoaderShard", (DataLoader,), {"__module__": "accelerate.data_loader"})
    with pytest.raises(pn.ProblemError, match="prepared by Accelerate; give every process all of the data"):
        require_divisible(perceptron(train=prepared(numbers(70, F64), 10)))


def test_without_a_group_a_process_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RANK", raising=False)
    assert not launched()
    assert the_group(None) is None
    assert the_group("world") is None
    problem = perceptron()
    with pn.Processes(problem) as processes:
        assert processes.first
        assert (processes.rank, processes.size) == (0, 1)
    assert pn.Navigator(kinds.trained(), group="world").problem.processes == 1


@pytest.mark.parametrize("group", [7, "all"])
def test_what_is_no_group(group: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RANK", raising=False)
    with pytest.raises(pn.ProcessesError, match=rf"group={group!r} is not possible; give a group of torch"):
        the_group(group)


def test_a_group_that_others_have_begun_is_used() -> None:
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    try:
        assert the_group("world") is None, "one process is alone"
        with pytest.raises(pn.ProcessesError, match="this process is not in the group"):
            the_group(dist.GroupMember.NON_GROUP_MEMBER)
    finally:
        dist.destroy_process_group()


def test_a_process_that_cannot_find_the_others_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"RANK": "1", "WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    assert launched()
    with pytest.raises(pn.ProcessesError, match=r"do not find each other.*MASTER_ADDR.*by torchrun"):
        the_group("world")


def test_the_first_difference_is_named() -> None:
    same = [
        Premise("the losses", ("a", "b")),
        Premise("loss 'a'", 0.5),
        Premise("the numbers", Digest(3), "look"),
    ]
    rounded = [same[0], Premise("loss 'a'", 0.5 * (1 + 1e-5)), same[2]]
    assert not _difference([same, rounded, same])
    other = [same[0], Premise("loss 'a'", 0.6), Premise("the numbers", Digest(4), "look")]
    assert _difference([same, same, other]) == (
        "process 2 of 3 differs from process 0 in loss 'a' (0.5 in process 0, 0.6 in process 2); start all of them "
        "with the same code and arguments"
    )
    hidden = [*same[:2], other[2]]
    assert _difference([same, hidden]) == "process 1 of 2 differs from process 0 in the numbers; look"
    assert "in loss 'a'" in _difference([same, same[:1]])


class Items(Dataset[Any]):
    """Counts what is read of it."""

    def __init__(self, n: int) -> None:
        self.n, self.read = n, 0

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, index: int) -> torch.Tensor:
        self.read += 1
        return torch.tensor([float(index)])


def read(pairs: Any) -> list[list[int]]:
    return [
        batch.flatten().int().tolist() if isinstance(batch, torch.Tensor) else batch[0][:, 0].tolist()
        for batch, _ in pairs
    ]


@given(st.integers(1, 40), st.integers(1, 9), st.integers(1, 5), st.integers(1, 50), st.booleans())
def test_all_processes_together_read_everything_once(
    n: int, size: int, processes: int, count: int, streamed: bool
) -> None:
    rows = TensorDataset(torch.arange(float(n))[:, None])

    def made() -> tuple[Data, Items]:
        items = Items(n)
        source: Any = DataLoader(Stream(rows), batch_size=size) if streamed else items
        return Data(source, size, torch.device("cpu"), "train"), items

    whole, _ = made()
    parts = []
    for rank in range(processes):
        data, items = made()
        data.take_turns(rank, processes)
        before = items.read
        parts.append(data)
        assert data.size == n
        assert sum(length for _, length in data) == data.own_size
        if not streamed:
            assert items.read - before == data.own_size, "what is others' is not read"
    for of in (
        lambda data: iter(data),
        lambda data: data.some(3),
        lambda data: data.sample(count, torch.Generator().manual_seed(0), finely=False)[0],
    ):
        expected, found = read(of(whole)), [read(of(part)) for part in parts]
        for rank, each in enumerate(found):
            assert each == expected[rank::processes]
    fine = [part.sample(count, torch.Generator().manual_seed(0)) for part in parts]
    sample, total = whole.sample(count, torch.Generator().manual_seed(0))
    assert {each[1] for each in fine} == {total}
    examples = sorted(i for pairs, _ in fine for batch in read(pairs) for i in batch)
    assert examples == sorted(i for batch in read(sample) for i in batch)
    if not streamed and count < n:
        sizes = [sum(length for _, length in pairs) for pairs, _ in fine]
        assert max(sizes) == -(-min(count, 1024) // processes), "nobody has more than a fair part"


@pytest.fixture
def many() -> Iterator[int]:
    """As many processes as fit on no machine of the tests; this one is the first, and the others do nothing."""
    dist.init_process_group("fake", store=FakeStore(), rank=0, world_size=64)
    try:
        yield 64
    finally:
        dist.destroy_process_group()


def test_the_first_of_many_multiplies_its_part(many: int) -> None:
    problem = kinds.perceptron()
    theta = problem.parameters()
    ways = torch.randn(3, len(theta), generator=torch.Generator().manual_seed(0), dtype=theta.dtype)
    group = the_group("world")
    assert group is not None
    problem.join(Wire(group))
    sample = problem.curvature_sample()
    operator = Curvature(sample, theta, torch.ones(2), kind="gauss-newton", shift=0.5)
    before = dict(vars(problem.team.traffic))
    found = operator(ways)
    spent = [now - before[name] for name, now in vars(problem.team.traffic).items()]
    assert spent == [4, 2 * 3 * theta.nbytes, 4096 + 16], "the same for any number of processes"
    problem.leave()
    part = list(sample)
    assert part, "the first process always has a part"
    assert sum(each.fraction for each in part) <= 2 / many
    expected = Curvature(part, theta, torch.ones(2), kind="gauss-newton", shift=0.5)(ways)
    assert torch.equal(found, expected)
