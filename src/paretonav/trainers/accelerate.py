"""What Accelerate knows of a model that it has prepared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn
from torch.optim import Optimizer
from torch.utils.data import BatchSampler, DataLoader, IterableDataset

from paretonav.errors import ProblemError
from paretonav.objectives import Loss, ModelProblem
from paretonav.objectives.data import Source
from paretonav.objectives.optimizers import OptimizerFactory
from paretonav.trainers.calling import Calling
from paretonav.trainers.optimizer import like
from paretonav.trainers.taken import Taken, autocast_of, require_whole

_SHARDS = {"FSDP": "FSDP", "DEEPSPEED": "DeepSpeed", "MEGATRON_LM": "Megatron-LM"}
"""Accelerate's names for what distributes a model in parts, and what they stand for."""


def from_accelerate(
    accelerator: Any,
    model: nn.Module,
    losses: Mapping[str, Loss],
    train: Source,
    validation: Source | None = None,
    **options: Any,
) -> ModelProblem:
    """A model that was trained with ``accelerate.Accelerator`` as a problem, after its training.

    Give what ``accelerator.prepare`` has returned. The model is unwrapped and put in eval mode; what Accelerate makes
    of its ``forward`` for mixed precision is taken off, so prepare it again to train it on there. Loaders are read as
    they were before they were prepared: all of the data, in whichever process. The optimizer is the one that was
    prepared, at the learning rate that it began with; bfloat16 is taken over.

    Of a batch with names the model gets what its ``forward`` takes, labels excepted; any other it is called on as by
    ``ModelProblem``. Losses get what it returns, or its logits if it has some.

    Args:
        accelerator: the accelerator.
        model: as it was prepared, or as it was before.
        losses: name -> ``(outputs, batch) -> scalar``, the mean over the batch. If the sum that it was trained on had
            other weights than equal ones, say so with ``weights=``.
        train: loader or data set.
        validation: the same, by which steps are judged.
        options: arguments of ``ModelProblem``. ``optimizer`` may be an optimizer, too; say which one if several were
            prepared.

    Raises:
        ProblemError: something is missing that cannot be guessed, with the name of the argument for it; or what
            ``ModelProblem`` raises.

    Example:
        ``problem = pn.from_accelerate(accelerator, model, losses, train_loader, validation_loader)``
    """
    if not callable(getattr(accelerator, "unwrap_model", None)) or not isinstance(model, nn.Module):
        raise ProblemError(
            f"from_accelerate takes an accelerate.Accelerator and a model, not a {type(accelerator).__name__} and a "
            f"{type(model).__name__}"
        )
    kind = getattr(accelerator.distributed_type, "value", accelerator.distributed_type)
    require_whole(_SHARDS.get(str(kind)))
    whole: nn.Module = accelerator.unwrap_model(model, keep_fp32_wrapper=False, keep_torch_compile=False)
    return Taken(
        model=whole,
        train=_unprepared(train),
        validation=None if validation is None else _unprepared(validation),
        forward=Calling(whole),
        optimizer=None if "optimizer" in options else _optimizer(accelerator),
        autocast=autocast_of(accelerator.mixed_precision),
    ).problem(
        losses, {name: _unprepared(value) if name == "test" else value for name, value in options.items()}
    )


def _unprepared(source: Source) -> Source:
    """A loader as it was before Accelerate has prepared it, which reads all of the data in every process."""
    loader = getattr(source, "base_dataloader", None)
    if loader is None:
        return source
    data = loader.dataset
    if isinstance(data, IterableDataset):
        data = getattr(data, "dataset", data) if type(data).__name__ == "IterableDatasetShard" else data
        return DataLoader(
            data, loader.batch_size, collate_fn=loader.collate_fn, num_workers=loader.num_workers
        )
    batches = getattr(
        loader.batch_sampler, "batch_sampler", loader.batch_sampler
    )  # of which a process has a part
    how: dict[str, Any] = {"batch_sampler": batches}
    if type(batches) is BatchSampler:  # the loader's own, by which examples may be put into other batches
        how = {"sampler": batches.sampler, "batch_size": batches.batch_size}
    elif batches is None:  # the data set makes them
        how = {"batch_size": None}
    return DataLoader(
        data,
        collate_fn=loader.collate_fn,
        num_workers=loader.num_workers,
        pin_memory=loader.pin_memory,
        **how,
    )


def _optimizer(accelerator: Any) -> OptimizerFactory | None:
    """Makes the one that was prepared; None if none was."""
    prepared: list[Optimizer] = list(getattr(accelerator, "_optimizers", ()))
    if len(prepared) > 1:
        raise ProblemError(
            f"{len(prepared)} optimizers were prepared; say which one the model was trained with, optimizer=, or None "
            "for Adam"
        )
    return like(prepared[0]) if prepared else None
