from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_sequence
from torch.utils.data import (
    DataLoader,
    Dataset,
    IterableDataset,
    Sampler,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
)

from paretonav import ProblemError
from paretonav.objectives.data import Data, batch_length

CPU = torch.device("cpu")


def rows(n: int) -> TensorDataset:
    """Examples that carry their own numbers."""
    return TensorDataset(torch.arange(n).float()[:, None], -torch.arange(n))


class Items(Dataset[Any]):
    """A list as a map-style dataset, which remembers what was read."""

    def __init__(self, items: Sequence[Any]) -> None:
        self.items, self.read = items, []  # type: ignore[var-annotated]

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Any:
        self.read.append(index)
        return self.items[index]


class Stream(IterableDataset[Any]):
    def __init__(self, items: Sequence[Any]) -> None:
        self.items = items

    def __iter__(self) -> Iterator[Any]:
        return iter(self.items)


class Backwards(Sampler[int]):
    def __init__(self, n: int) -> None:
        self.n = n

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.n - 1, -1, -1))

    def __len__(self) -> int:
        return self.n


def contents(pairs: Any) -> list[list[int]]:
    """The examples of each batch, where a batch is a list of which the first tensor has their numbers."""
    return [batch[0].flatten().int().tolist() for batch, _ in pairs]


def joined(lists: Iterable[list[int]]) -> list[int]:
    return list(chain.from_iterable(lists))


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


IN_ORDER = [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9]]
MAPPED = [(torch.tensor(float(i)), -i) for i in range(10)]
SOURCES: dict[str, DataLoader[Any] | Dataset[Any]] = {
    "rows": rows(10),
    "dataset": Items(MAPPED),
    "loader of rows": DataLoader(rows(10), batch_size=3),
    "shuffling": DataLoader(Items(MAPPED), batch_size=3, shuffle=True),
    "dropping": DataLoader(rows(10), batch_size=3, drop_last=True),
    "shuffling and dropping": DataLoader(rows(10), batch_size=3, shuffle=True, drop_last=True),
    "stream": DataLoader(Stream(MAPPED), batch_size=3),
    "dropping stream": DataLoader(Stream(MAPPED), batch_size=3, drop_last=True),
    "stream without loader": Stream(MAPPED),
}


@pytest.mark.parametrize("name", SOURCES)
def test_full_passes_are_in_order_and_complete(name: str) -> None:
    data = Data(SOURCES[name], 3, CPU, "train")
    state = torch.get_rng_state()
    for _ in range(2):
        assert contents(data) == IN_ORDER
        assert [length for _, length in data] == [3, 3, 3, 1]
    assert data.size == 10
    assert torch.equal(torch.get_rng_state(), state), "a pass left the global random state alone"


@pytest.mark.parametrize("name", ["rows", "dataset", "shuffling and dropping", "shuffling"])
@settings(max_examples=10, deadline=None)
@given(size=st.integers(1, 12), seed=st.integers(0, 10**6))
def test_an_epoch_is_shuffled_by_the_generator_and_has_everything_once(
    name: str, size: int, seed: int
) -> None:
    data = Data(SOURCES[name], 3, CPU, "train")
    epoch = contents(data.shuffled(size, seeded(seed)))
    assert sorted(joined(epoch)) == list(range(10))
    assert [len(batch) for batch in epoch] == [size] * (10 // size) + [10 % size] * (10 % size > 0)
    assert contents(data.shuffled(size, seeded(seed))) == epoch
    assert [length for _, length in data.shuffled(size, seeded(seed))] == [len(batch) for batch in epoch]
    generator = seeded(seed)
    first, second = (joined(contents(data.shuffled(size, generator))) for _ in range(2))
    assert first != second, "the next epoch goes on with the generator"


@pytest.mark.parametrize("name", ["rows", "dataset", "shuffling"])
@settings(max_examples=10, deadline=None)
@given(count=st.integers(1, 12), seed=st.integers(0, 10**6))
def test_a_sample_has_as_many_different_examples_as_asked_for(name: str, count: int, seed: int) -> None:
    data = Data(SOURCES[name], 3, CPU, "train")
    sample = contents(data.sample(count, seeded(seed))[0])
    assert len(set(joined(sample))) == len(joined(sample)) == min(count, 10)
    assert count >= 10 or len(sample) == 1, "a small sample is one batch, whatever the source's batches"
    assert contents(data.sample(count, seeded(seed))[0]) == sample
    if count >= 10:
        assert sample == IN_ORDER


def test_a_sample_is_random() -> None:
    data = Data(rows(100), 32, CPU, "train")
    assert contents(data.sample(5, seeded(0))[0]) != contents(data.sample(5, seeded(1))[0])


def test_only_what_is_needed_is_read() -> None:
    items = Items(MAPPED)
    data = Data(DataLoader(items, batch_size=3), 1, CPU, "train")
    assert items.read == [], "the size is known without reading"
    data.sample(4, seeded())[0]
    assert len(items.read) == 4


def test_the_rows_of_a_tensor_dataset_are_views() -> None:
    dataset = rows(10)
    for source in (dataset, DataLoader(dataset, batch_size=4, shuffle=True)):
        data = Data(source, 4, CPU, "train")
        memory = {t.untyped_storage().data_ptr() for batch, _ in data for t in batch}
        assert memory == {t.untyped_storage().data_ptr() for t in dataset.tensors}


def test_rows_are_read_as_the_default_collation_would() -> None:
    for (mine, length), theirs in zip(Data(rows(7), 3, CPU, "train"), DataLoader(rows(7), 3), strict=True):
        assert isinstance(mine, type(theirs))
        assert length == len(theirs[0])
        for a, b in zip(mine, theirs, strict=True):
            assert torch.equal(a, b)
            assert a.dtype == b.dtype


def test_a_subclass_of_tensor_dataset_keeps_its_own_way_to_read() -> None:
    class Doubled(TensorDataset):
        def __getitem__(self, index: int) -> tuple[Tensor, ...]:
            return tuple(2 * t for t in super().__getitem__(index))

    assert contents(Data(Doubled(torch.arange(4)), 3, CPU, "train")) == [[0, 2, 4], [6]]


def test_custom_collation_and_dicts() -> None:
    def collate(examples: list[tuple[Tensor, Tensor]]) -> dict[str, Any]:
        # Time comes first, so the length of the first tensor is not the number of examples.
        return {"x": torch.stack([x for x, _ in examples], dim=1).expand(7, -1), "names": ["a"]}

    for dataset in (rows(10), Items([(x, y) for x, y in rows(10)])):
        data = Data(DataLoader(dataset, batch_size=4, shuffle=True, collate_fn=collate), 1, CPU, "train")
        assert [length for _, length in data] == [4, 4, 2]
        assert [batch["x"][0].tolist() for batch, _ in data] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
        assert sorted(v for b, _ in data.shuffled(3, seeded()) for v in b["x"][0].tolist()) == list(range(10))
        assert next(iter(data))[0]["names"] == ["a"]


def test_a_dataset_that_makes_its_own_batches() -> None:
    batches = [[torch.arange(3)], [torch.arange(3, 8)], [torch.arange(8, 10)]]
    data = Data(DataLoader(Items(batches), batch_size=None, shuffle=True), 1, CPU, "train")
    assert data.size == 10
    assert contents(data) == contents(data) == [[0, 1, 2], [3, 4, 5, 6, 7], [8, 9]]
    assert [length for _, length in data] == [3, 5, 2]
    epochs = {str(contents(data.shuffled(4, seeded(k)))) for k in range(20)}
    assert len(epochs) == 6, "all orders of the batches"
    for count in range(1, 10):
        lengths = [length for _, length in data.sample(count, seeded(count))[0]]
        assert sum(lengths[:-1]) < count <= sum(lengths)


def test_the_indices_of_other_samplers_are_kept() -> None:
    subset = [1, 3, 5, 7, 9]
    for dataset in (rows(10), Items(MAPPED)):
        data = Data(DataLoader(dataset, batch_size=2, sampler=SubsetRandomSampler(subset)), 1, CPU, "train")
        assert data.size == 5
        assert contents(data) == contents(data)
        assert sorted(joined(contents(data))) == subset
        assert sorted(joined(contents(data.shuffled(2, seeded())))) == subset
        assert set(joined(contents(data.sample(3, seeded())[0]))) < set(subset)
        weighted = WeightedRandomSampler([0.0] * 9 + [1.0], 4)
        assert contents(Data(DataLoader(dataset, 3, sampler=weighted), 1, CPU, "train")) == [[9] * 3, [9]]
        backwards = DataLoader(dataset, batch_size=4, sampler=Backwards(10), drop_last=True)
        assert contents(Data(backwards, 1, CPU, "train")) == [[9, 8, 7, 6], [5, 4, 3, 2], [1, 0]]


def test_a_batch_sampler_keeps_its_batches() -> None:
    batches = [[0, 1], [2, 3, 4], [5, 9], [6, 7, 8]]
    data = Data(DataLoader(rows(10), batch_sampler=batches), 1, CPU, "train")
    assert data.size == 10
    assert contents(data) == batches
    epochs = [contents(data.shuffled(4, seeded(k))) for k in range(5)]
    assert all(sorted(epoch) == batches for epoch in epochs)
    assert any(epoch != epochs[0] for epoch in epochs)
    assert len(data.sample(3, seeded())[0]) in (1, 2)


def test_a_stream_is_read_as_it_comes() -> None:
    data = Data(DataLoader(Stream(MAPPED), batch_size=3), 1, CPU, "train")
    assert contents(data.shuffled(5, seeded())) == IN_ORDER


def test_the_sample_of_a_stream_is_of_random_batches() -> None:
    data = Data(DataLoader(Stream(MAPPED), batch_size=3), 1, CPU, "train")
    for count in range(1, 10):
        drawn = []
        for seed in range(30):
            pairs = data.sample(count, seeded(seed))[0]
            lengths = sorted(length for _, length in pairs)
            assert sum(lengths) >= count
            assert sum(lengths[1:]) < count or 1 in lengths, "no more than are needed"
            assert contents(pairs) == contents(data.sample(count, seeded(seed))[0])
            drawn.append(contents(pairs))
        assert all(batch in IN_ORDER for sample in drawn for batch in sample)
        assert {tuple(batch) for sample in drawn for batch in sample} == set(map(tuple, IN_ORDER))


def test_data_that_change_between_passes_are_noticed() -> None:
    class Growing(Stream):
        def __iter__(self) -> Iterator[Any]:
            self.items = [*self.items, self.items[-1]]
            return iter(self.items)

    with pytest.raises(ProblemError, match=r"train data, Growing, changed.*12 examples now, 11 at first"):
        list(Data(DataLoader(Growing(MAPPED), batch_size=3), 1, CPU, "train"))

    items = Items(list(MAPPED))
    data = Data(items, 3, CPU, "validation")
    list(data)
    items.items = [*MAPPED[:-1], MAPPED[0]]
    assert len(list(data)) == 4, "only the first batch is looked at"
    items.items = MAPPED[1:]
    with pytest.raises(ProblemError, match=r"validation data, Items, changed.*9 examples now, 10 at first"):
        list(data)
    items.items = MAPPED[::-1]
    with pytest.raises(ProblemError, match=r"changed between passes: the first batch.*no reshuffling"):
        list(data)
    items.items = MAPPED
    assert contents(data) == IN_ORDER, "and it can go on with what it was"


def test_missing_values_in_the_first_batch_are_no_change() -> None:
    data = Data(TensorDataset(torch.tensor([float("nan"), 1.0])), 1, CPU, "train")
    assert len(list(data)) == len(list(data)) == 2


def test_a_loader_with_an_iteration_of_its_own_is_read_through_it() -> None:
    class Twice(DataLoader[Any]):
        def __iter__(self) -> Any:
            return ([2 * t for t in batch] for batch in super().__iter__())

    data = Data(Twice(rows(4), batch_size=3), 1, CPU, "train")
    assert contents(data) == contents(data.shuffled(1, seeded())) == [[0, 2, 4], [6]]
    assert data.size == 4


def test_workers_read_the_same() -> None:
    loader = DataLoader(
        Items(MAPPED), batch_size=3, shuffle=True, num_workers=1, multiprocessing_context="fork"
    )
    assert contents(Data(loader, 1, CPU, "train")) == IN_ORDER


def test_everything_in_a_batch_that_can_be_moved_is_moved() -> None:
    class Graph:
        def to(self, device: torch.device) -> str:
            return f"on {device}"

    meta = torch.device("meta")
    examples = [{"x": torch.zeros(2), "graph": Graph(), "name": "a", "more": (torch.zeros(1), None)}]
    loader = DataLoader(Items(examples), batch_size=1, collate_fn=lambda e: e[0])
    ((batch, length),) = Data(loader, 1, meta, "train")
    assert batch["x"].device == batch["more"][0].device == meta
    assert (batch["graph"], batch["name"], batch["more"][1], length) == ("on meta", "a", None, 1)
    packed = DataLoader(Items([torch.ones(3), torch.ones(2)]), 2, collate_fn=pack_sequence)
    ((moved, length),) = Data(packed, 1, meta, "train")
    assert isinstance(moved, PackedSequence)
    assert moved.data.device == meta
    assert length == 2


def test_the_length_of_a_batch_is_that_of_its_first_tensor() -> None:
    assert batch_length(torch.zeros(3, 2)) == 3
    assert batch_length({"name": "a", "scale": torch.tensor(1.0), "x": [torch.zeros(4), torch.zeros(5)]}) == 4
    with pytest.raises(ProblemError, match=r"a batch of type dict holds no tensor.*collate_fn"):
        batch_length({"name": "a", "scale": torch.tensor(1.0)})
