"""What is made for several processes is refused by name: a model is steered whole, by one process, on all the data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor.parallel import ColwiseParallel, parallelize_module
from torch.nn.attention.flex_attention import flex_attention
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.data.distributed import DistributedSampler

from paretonav import ModelProblem, ProblemError

DATA = TensorDataset(torch.linspace(-1, 1, 21).view(7, 3))
LOSSES: dict[str, Any] = {
    "a": lambda o, _: o[:, 0].square().mean(),
    "b": lambda o, _: (o[:, 1] - 1).square().mean(),
}


def model() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))


@pytest.fixture
def mesh() -> Iterator[DeviceMesh]:
    """One process alone."""
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    try:
        yield DeviceMesh("cpu", [0])
    finally:
        dist.destroy_process_group()


@pytest.mark.usefixtures("mesh")
def test_copies_on_several_devices() -> None:
    with pytest.raises(ProblemError, match=r"the model is wrapped in DistributedDataParallel.*\.module"):
        ModelProblem(DistributedDataParallel(model()), LOSSES, DATA)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_shards(mesh: DeviceMesh) -> None:
    sharded = model()
    fully_shard(sharded, mesh=mesh)
    with pytest.raises(ProblemError, match=r"'0.weight' is sharded \(DTensor\).*whole on one device"):
        ModelProblem(sharded, LOSSES, DATA)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_tensors_in_parallel(mesh: DeviceMesh) -> None:
    parallel = parallelize_module(model(), mesh, {"2": ColwiseParallel()})
    with pytest.raises(ProblemError, match=r"'2.weight' is sharded \(DTensor\).*whole on one device"):
        ModelProblem(parallel, LOSSES, DATA, parameters="0.*")


def loader(replicas: int, *, drop_last: bool) -> DataLoader[Any]:
    sampler: DistributedSampler[Any] = DistributedSampler(DATA, replicas, 0, drop_last=drop_last)
    return DataLoader(DATA, batch_size=2, sampler=sampler)


@pytest.mark.parametrize("role", ["train", "validation"])
def test_samplers_that_pad(role: str) -> None:
    given = {"train": DATA} | {role: loader(2, drop_last=False)}
    with pytest.raises(
        ProblemError, match=rf"{role} data have a DistributedSampler.* 7 .* 8 for its 2.*drop_last"
    ):
        ModelProblem(model(), LOSSES, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(("replicas", "drop_last", "examples"), [(2, True, 3), (7, False, 1), (1, False, 7)])
def test_samplers_that_do_not(replicas: int, drop_last: bool, examples: int) -> None:
    assert ModelProblem(model(), LOSSES, loader(replicas, drop_last=drop_last)).examples == examples


class Flexible(nn.Module):
    """Attention of the entries of an example to each other, by a function that is left open."""

    def __init__(self, attend: Any) -> None:
        super().__init__()
        self.project, self.head, self.attend = nn.Linear(1, 12), nn.Linear(4, 2), attend

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.project(x[:, None, :, None]).chunk(3, dim=-1)
        return self.head(self.attend(q, k, v).mean((1, 2)))  # type: ignore[no-any-return]


class FlexAttentionAutogradOp(torch.autograd.Function):
    """Of the name that it has in graphs on a GPU."""

    @staticmethod
    def forward(_: Any, q: Tensor, k: Tensor, v: Tensor) -> Tensor:  # type: ignore[override]
        return q + k + v

    @staticmethod
    def backward(_: Any, slope: Tensor) -> Any:  # type: ignore[override]
        return slope, slope, slope


@pytest.mark.parametrize("attend", [flex_attention, FlexAttentionAutogradOp.apply])
def test_flexible_attention(attend: Any) -> None:
    with pytest.raises(ProblemError, match=r"come through flex_attention.*second derivative.*sdpa"):
        ModelProblem(Flexible(attend), LOSSES, DATA)


def test_flexible_attention_in_front_of_all_that_is_steered() -> None:
    found = ModelProblem(Flexible(FlexAttentionAutogradOp.apply), LOSSES, DATA, parameters="head.*")
    assert found.steered == ("head.weight", "head.bias")
