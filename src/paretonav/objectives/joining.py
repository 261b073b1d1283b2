"""How a problem becomes one of several processes': what must be alike in all of them, and what cannot be divided."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from importlib.metadata import version

import torch
from torch import Tensor
from torch.utils.data.distributed import DistributedSampler

from paretonav.errors import ProblemError
from paretonav.objectives import trees
from paretonav.objectives.model import ModelProblem
from paretonav.objectives.problem import Problem
from paretonav.processes import Wire, require_alike
from paretonav.processes.premises import Digest, Premise

_LOOKED_AT = 4  # batches of each split, spread over it: shards and other orders show in the first one already
_WHOLE = "give every process all of the data, in a plain loader or dataset; batches are divided among the processes"


def join(problem: Problem, wire: Wire) -> None:
    """Have passes over a problem's data divided among processes, each of which has made the same problem.

    Raises:
        ProblemError: it is a function, or its data are divided already.
        ProcessesError: it is not the same in all processes; names what differs.
    """
    whole = require_divisible(problem)
    require_alike(wire, list(_premises(whole)))
    whole.join(wire)


def require_divisible(problem: Problem) -> ModelProblem:
    """Refuse what has no batches, or has them divided by others.

    Raises:
        ProblemError: names it.
    """
    if not isinstance(problem, ModelProblem):
        raise ProblemError(
            f"a {type(problem).__name__} has no data to divide among processes; steer it in one, without group="
        )
    for split, data in problem.data.items():
        loader = data.loader
        for part in (loader.sampler, loader.batch_sampler, getattr(loader.batch_sampler, "sampler", None)):
            if isinstance(part, DistributedSampler) and part.num_replicas > 1:
                raise ProblemError(f"the {split} data have a DistributedSampler; {_WHOLE}")
        for part in (loader, loader.batch_sampler, loader.dataset):
            if type(part).__module__.startswith("accelerate."):
                raise ProblemError(f"the {split} data were prepared by Accelerate; {_WHOLE}")
    return problem


def _premises(problem: ModelProblem) -> Iterator[Premise]:
    """What decides on every number that is computed, from what is told fast to what takes a pass over a few batches."""
    yield Premise("the version of paretonav", version("paretonav"))
    yield Premise("the version of torch", torch.__version__)
    yield Premise("the kind of problem", type(problem).__qualname__)
    yield Premise("the names of the losses", problem.names)
    yield Premise("the names of the metrics", problem.metric_names)
    yield Premise("the names of the steered parameters", problem.steered)
    yield Premise("weight_decay", problem.weight_decay)
    yield Premise("the weights of the losses", tuple(problem.training_weights.tolist()))
    yield Premise("the other options", problem.options)
    state = problem.state_dict(problem.parameters())
    yield Premise("the names in the model", tuple(state))
    for name, value in state.items():
        if isinstance(value, Tensor):
            yield Premise(f"the shape of {name!r}", tuple(value.shape))
            yield Premise(
                f"the numbers in {name!r}",
                _digest(value),
                "give all processes the same checkpoint, or the same seed before the model is made",
            )
    yield from _premises_of_data(problem)


def _premises_of_data(problem: ModelProblem) -> Iterator[Premise]:
    for split, data in problem.data.items():
        yield Premise(f"the number of {split} examples", data.size, _WHOLE)
        for number, (batch, length) in enumerate(data.some(_LOOKED_AT), 1):
            which = f"batch {number} of {_LOOKED_AT} of the {split} data that are looked at"
            yield Premise(f"the length of {which}", length, _WHOLE)
            digest = Digest(hash(tuple(_digest(tensor) for tensor in trees.tensors(batch))))
            yield Premise(f"the numbers in {which}", digest, f"{_WHOLE}, and all have to have the same order")
        losses = problem.probe([problem.parameters()], split, 1)[0]
        for name, value in zip(problem.names, losses.mean.tolist(), strict=True):
            yield Premise(f"loss {name!r} on a batch of the {split} data", value, "does its code differ?")


def _digest(tensor: Tensor) -> Digest:
    """A number that other numbers hardly have."""
    numbers = trees.numbers(tensor).detach().cpu().contiguous()
    if numbers.is_quantized or numbers.is_meta:
        return Digest(0)
    return Digest(zlib.crc32(numbers.reshape(-1).view(torch.uint8).numpy().data))
