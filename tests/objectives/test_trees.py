import copy
import dataclasses
from collections import OrderedDict, UserDict, namedtuple
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from paretonav import ProblemError
from paretonav.objectives import trees

Pair = namedtuple("Pair", "x y")


@dataclasses.dataclass
class Record:
    x: Any
    y: Any = None
    derived: Any = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        self.derived = "made by init"


@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    x: Any
    n: int = 3


class Encoding(UserDict[str, Any]):
    def __init__(self, data: Any = None, extra: str = "kept") -> None:
        super().__init__(data)
        self.extra = extra


class Attributes(dict[str, Any]):
    def __getattr__(self, name: str) -> Any:
        return self[name]


WRAPPERS = {
    "tuple": lambda t: (t, 1),
    "list": lambda t: [None, t],
    "dict": lambda t: {"b": t, "a": "text"},
    "named tuple": lambda t: Pair(t, t),
    "dataclass": lambda t: Record(t, [t]),
    "frozen dataclass": lambda t: Frozen(t),
    "user dict": lambda t: Encoding({"x": t}),
    "dict subclass": lambda t: Attributes(x=t),
    "ordered": lambda t: OrderedDict(x=t),
    "proxy": lambda t: MappingProxyType({"x": t}),
}


def values(tree: Any) -> list[float]:
    return [float(t) for t in trees.tensors(tree)]


@given(st.lists(st.sampled_from(sorted(WRAPPERS)), max_size=4))
def test_every_tensor_is_replaced_and_the_containers_stay(kinds: list[str]) -> None:
    tree: Any = torch.tensor(2.0)
    for kind in kinds:
        tree = WRAPPERS[kind](tree)
    before = repr(tree)
    doubled = trees.map_tensors(lambda t: 2 * t, tree)
    assert repr(tree) == before, "the given containers stay as they are"
    assert repr(doubled) == before.replace("2.", "4.")
    assert values(doubled) == [4.0] * len(values(tree))
    assert len(values(tree)) > 0


def test_attributes_beside_the_data_are_kept() -> None:
    mapped = trees.map_tensors(torch.neg, Encoding({"x": torch.tensor(1.0)}, extra="mine"))
    assert (type(mapped), mapped.extra, float(mapped["x"])) == (Encoding, "mine", -1)
    record = Record(torch.tensor(1.0))
    record.derived = "changed later"
    assert trees.map_tensors(torch.neg, record).derived == "changed later"


def test_classes_and_unknown_objects_are_leaves() -> None:
    class Hidden:
        x = torch.tensor(1.0)

    assert trees.leaves([Record, Hidden, "text", None]) == [Record, Hidden, "text", None]
    assert trees.tensors(Hidden()) == []


def test_is_leaf_keeps_a_container_whole() -> None:
    tree = [Record(torch.tensor(1.0)), Frozen(torch.tensor(2.0))]
    seen = trees.leaves(tree, lambda node: isinstance(node, Record))
    assert seen[0] is tree[0]
    assert values(seen[1:]) == [2.0]


def test_a_mapping_that_cannot_be_made_anew_is_refused() -> None:
    class Closed(Mapping[str, Tensor]):
        def __init__(self) -> None:
            self.data = {"x": torch.ones(1)}

        def __getitem__(self, key: str) -> Tensor:
            return self.data[key]

        def __iter__(self) -> Iterator[str]:
            return iter(self.data)

        def __len__(self) -> int:
            return 1

    with pytest.raises(ProblemError, match=r"a Closed cannot be made anew.*give a dict"):
        trees.map_tensors(torch.neg, Closed())


def test_a_fingerprint_knows_shapes_and_values() -> None:
    tree = {"x": torch.arange(6.0).view(2, 3), "mask": torch.tensor([True, True]), "name": "a"}
    assert trees.fingerprint(tree) == [((2, 3), 15.0), ((2,), 2.0)]
    assert trees.fingerprint(copy.deepcopy(tree)) == trees.fingerprint(tree)
    turned = torch.ones(2, dtype=torch.complex64) * 1j
    assert trees.fingerprint([turned, torch.eye(2).to_sparse()]) == [((2, 2), 2.0), ((2,), 2.0)]
