"""What a Trainer of Hugging Face has, as a problem: nothing of it is asked for again."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.data import DataLoader, Dataset, IterableDataset

from paretonav.errors import ProblemError
from paretonav.objectives.data import Batch
from paretonav.objectives.model import Loss, ModelProblem

_LABELS = ("labels", "label", "label_ids")


def from_trainer(
    trainer: Any, losses: Mapping[str, Loss], *, validation: str | None = None, **options: Any
) -> ModelProblem:
    """The model of a ``transformers.Trainer`` as a problem, after its training.

    Taken over are the model (put in eval mode, as the trainer does for its own evaluation), the training and
    validation data with their collator and batch size, the class of the optimizer with its settings and learning rate,
    and bfloat16. The model is called with what its ``forward`` takes of a batch, labels excepted, so that it computes
    no loss of its own, and losses get its logits. All columns of the data reach them, those too that the trainer drops.

    A weight decay is not taken over: optimizers of a trainer decay weights apart from the loss.

    Args:
        trainer: the trainer, or one of a class that inherits from it.
        losses: name -> ``(logits, batch) -> scalar``, the mean over the batch. A trainer has one loss; which ones it is
            made of, or what else is to be traded, only you know. If their sum had other weights than equal ones, say so
            with ``weights=``.
        validation: which one, where the trainer has several sets for evaluation.
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
    if getattr(trainer, "is_fsdp_enabled", False) or getattr(trainer, "is_deepspeed_enabled", False):
        raise ProblemError(
            "the trainer shards its model (FSDP or DeepSpeed), which cannot be steered in parts; load the trained "
            "model whole, on one device, and give it to ModelProblem"
        )
    model.eval()
    judging = _validation_data(trainer, validation) if "validation" not in options else None
    taken: dict[str, Any] = {
        "train": None if data is None else _loader(trainer, data),
        "validation": None if judging is None else _loader(trainer, judging),
        "forward": _Logits(model, trainer),
        "optimizer": _optimizer(trainer),
        "autocast": torch.bfloat16 if getattr(args, "bf16", False) else None,
    }
    return ModelProblem(model, losses, **(taken | options))


class _Logits:
    """The logits of a batch, from what the model's ``forward`` takes of it."""

    def __init__(self, model: nn.Module, trainer: Any) -> None:
        base = model.get_base_model() if hasattr(model, "get_base_model") else model  # type: ignore[operator]
        labels = {*_LABELS, *(getattr(trainer, "label_names", None) or ())}
        self._names = [name for name in inspect.signature(base.forward).parameters if name not in labels]

    def __call__(self, model: nn.Module, batch: Batch) -> Tensor:
        if not isinstance(batch, Mapping):
            raise ProblemError(
                f"the trainer's collator makes a {type(batch).__name__}, not a dict; say how the model reads it with "
                "forward="
            )
        outputs = model(**{name: batch[name] for name in self._names if name in batch})
        logits = getattr(outputs, "logits", None)
        if not isinstance(logits, Tensor):
            raise ProblemError(
                f"the model returns a {type(outputs).__name__} without logits; say what the losses are to get with "
                "forward=, for example forward=lambda model, batch: model(input_ids=batch['input_ids'])[0]"
            )
        return logits


def _validation_data(trainer: Any, which: str | None) -> Dataset[Any] | None:
    """The trainer's data for evaluation, the one that is meant if there are several; None if there are none."""
    found = getattr(trainer, "eval_dataset", None)
    # datasets.DatasetDict and plain dicts have several; one dataset has no such values.
    sets = dict(found) if isinstance(found, Mapping) else {}
    if which is not None and which not in sets:
        there = f"there are {', '.join(map(repr, sets))}" if sets else "it has no named ones"
        raise ProblemError(f"the trainer has no set {which!r} for evaluation: {there}")
    if not sets:
        return found
    if which is None and len(sets) > 1:
        raise ProblemError(
            f"the trainer has several sets for evaluation, {', '.join(map(repr, sets))}; say by which one steps are to "
            f"be judged, validation={next(iter(sets))!r}"
        )
    chosen: Dataset[Any] = sets[which or next(iter(sets))]
    return chosen


def _loader(trainer: Any, data: Dataset[Any]) -> DataLoader[Any]:
    """The data in their own order, with the trainer's collator."""
    collate: Callable[[list[Any]], Any] = trainer.data_collator
    size = trainer.args.train_batch_size
    if isinstance(data, IterableDataset):
        return DataLoader(data, batch_size=size, collate_fn=collate)
    return DataLoader(data, batch_size=size, shuffle=False, collate_fn=collate)


def _optimizer(trainer: Any) -> Callable[[Iterable[Tensor]], Optimizer]:
    """Makes the optimizer that the trainer trained with, at the learning rate that it began with."""
    used = getattr(trainer, "optimizer", None)
    used = getattr(used, "optimizer", used)  # inside of what accelerate makes of it
    if not isinstance(used, Optimizer):  # it has not trained yet
        kind, settings = trainer.get_optimizer_cls_and_kwargs(trainer.args, trainer.model)
        return partial(_made, kind, {**settings, "weight_decay": trainer.args.weight_decay})
    group = used.param_groups[0]  # has what the defaults do not, its own weight decay
    return partial(_made, type(used), {**used.defaults, **group, "lr": group.get("initial_lr", group["lr"])})


def _made(
    kind: Callable[..., Optimizer], settings: Mapping[str, Any], parameters: Iterable[Tensor]
) -> Optimizer:
    known = inspect.signature(kind).parameters
    return kind(
        parameters, **{name: value for name, value in settings.items() if name in known and name != "params"}
    )
