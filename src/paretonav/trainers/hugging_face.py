"""What a Trainer of Hugging Face knows, and those of TRL that are made of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn
from torch.optim import Optimizer
from torch.utils.data import DataLoader, IterableDataset

from paretonav.errors import ProblemError
from paretonav.objectives import Loss, ModelProblem
from paretonav.objectives.data import Source
from paretonav.objectives.optimizers import OptimizerFactory
from paretonav.trainers.calling import Logits
from paretonav.trainers.chosen import chosen
from paretonav.trainers.collating import Collating
from paretonav.trainers.optimizer import like, making
from paretonav.trainers.taken import Taken, autocast_of, require_whole

_DATA = {"train", "test"}


def from_trainer(
    trainer: Any, losses: Mapping[str, Loss], *, validation: str | Source | None = None, **options: Any
) -> ModelProblem:
    """The model of a ``transformers.Trainer``, or of one of TRL, as a problem, after its training.

    Taken over are the model (put in eval mode, as the trainer does for its own evaluation), the training and
    validation data with their collator and batch size, the class of the optimizer with its settings and learning rate,
    and bfloat16. The model is called with what its ``forward`` takes of a batch, labels excepted, so that it computes
    no loss of its own, and losses get its logits. All columns of the data reach them, those too that the trainer drops;
    of what its collator drops, those of numbers.

    A weight decay is not taken over: optimizers of a trainer decay weights apart from the loss.

    Args:
        trainer: the trainer, or one of a class that inherits from it.
        losses: name -> ``(logits, batch) -> scalar``, the mean over the batch. A trainer has one loss; which ones it is
            made of, or what else is to be traded, only you know. If their sum had other weights than equal ones, say so
            with ``weights=``.
        validation: which one, where the trainer has several sets for evaluation; or others than the trainer's. Data
            sets that are given here, or as ``train`` and ``test``, are read with the trainer's collator, and loaders as
            they are.
        options: arguments of ``ModelProblem``, which come before what the trainer has: ``weights``, ``metrics``,
            ``parameters``, ``test``, ``groups``, ``forward`` and the others.

    Raises:
        ProblemError: something is missing that cannot be guessed, with the name of the argument for it; or what
            ``ModelProblem`` raises.

    Example:
        ``problem = pn.from_trainer(trainer, {"kind": kind_loss, "tone": tone_loss}, weights={"kind": 1, "tone": 0.5})``
    """
    model, data, args = (getattr(trainer, name, None) for name in ("model", "train_dataset", "args"))
    if not isinstance(model, nn.Module) or args is None:
        raise ProblemError(
            f"from_trainer takes a transformers.Trainer with its model, not a {type(trainer).__name__}; from other "
            "training loops, give the parts to ModelProblem"
        )
    if data is None and "train" not in options:
        raise ProblemError("the trainer has no train_dataset; give train=")
    require_whole(_shards(trainer))
    judged = validation
    if validation is None or isinstance(validation, str):
        judged = chosen(getattr(trainer, "eval_dataset", None), validation, "the trainer")
    accelerator = getattr(trainer, "accelerator", None)
    if accelerator is not None:  # takes off what makes its passes bfloat16, those for curvature too
        model = accelerator.unwrap_model(model, keep_fp32_wrapper=False)
    return Taken(
        model=model,
        train=_loader(trainer, data),
        validation=_loader(trainer, judged),
        forward=Logits(model, getattr(trainer, "label_names", None) or ()),
        optimizer=None if "optimizer" in options else _optimizer(trainer),
        autocast=autocast_of("bf16" if getattr(args, "bf16", False) else ""),
    ).problem(losses, options | {name: _loader(trainer, options[name]) for name in _DATA & options.keys()})


def _shards(trainer: Any) -> str | None:
    """What shards its model, if anything does."""
    for flag, name in (("is_fsdp_enabled", "FSDP"), ("is_deepspeed_enabled", "DeepSpeed")):
        if getattr(trainer, flag, False):
            return name
    return None


def _loader(trainer: Any, data: Any) -> DataLoader[Any] | None:
    """A data set in its own order, with the trainer's collator; a loader as it is, and None where there is none."""
    if data is None or isinstance(data, DataLoader):
        return data
    collate, size = Collating(trainer.data_collator), trainer.args.train_batch_size
    if isinstance(data, IterableDataset):
        return DataLoader(data, batch_size=size, collate_fn=collate)
    return DataLoader(data, batch_size=size, shuffle=False, collate_fn=collate)


def _optimizer(trainer: Any) -> OptimizerFactory:
    """Makes the optimizer that the trainer trained with, at the learning rate that it began with."""
    used = getattr(trainer, "optimizer", None)
    if isinstance(used, Optimizer):
        return like(used)
    kind, settings = trainer.get_optimizer_cls_and_kwargs(
        trainer.args, trainer.model
    )  # it has not trained yet
    return making(kind, {**settings, "weight_decay": trainer.args.weight_decay})
