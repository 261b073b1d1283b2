"""What a module of Lightning knows, and the Trainer that has trained it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import nn
from torch.optim import Optimizer
from torch.utils.data import DataLoader, Dataset

from paretonav.errors import ProblemError
from paretonav.objectives import Loss, ModelProblem
from paretonav.objectives.data import Batch, Source
from paretonav.objectives.optimizers import OptimizerFactory
from paretonav.trainers.calling import Calling
from paretonav.trainers.chosen import chosen
from paretonav.trainers.optimizer import like
from paretonav.trainers.taken import Taken, autocast_of, require_whole

_PACKAGES = ("lightning", "pytorch_lightning")
_SHARDS = ("FSDP", "DeepSpeed", "ModelParallel")
_BATCH_HOOKS = ("on_before_batch_transfer", "transfer_batch_to_device", "on_after_batch_transfer")


def from_lightning(
    module: Any,
    losses: Mapping[str, Loss],
    data: Any = None,
    *,
    validation: str | int | Source | None = None,
    **options: Any,
) -> ModelProblem:
    """A ``LightningModule`` as a problem, after ``trainer.fit`` or from a checkpoint.

    Taken over are the module (put in eval mode, on the device of its trainer), the data that it was trained and
    validated on, the optimizer of ``configure_optimizers`` at the learning rate that it begins with, and the precision.
    Losses get what its ``forward`` returns; of a batch with names it gets what it has a parameter for, of any other the
    first element.

    A weight decay is not taken over; give ``weight_decay=`` where it is a part of the loss.

    Args:
        module: the module, of ``lightning`` or of ``pytorch_lightning``.
        losses: name -> ``(outputs, batch) -> scalar``, the mean over the batch. ``training_step`` has one loss; which
            ones it is made of only you know. If their sum had other weights than equal ones, say so with ``weights=``.
        data: a ``LightningDataModule``, or a loader or data set for training. By default what the trainer had, and
            without one the module's own loaders.
        validation: which one, by name or number, where there are several; or a loader or data set.
        options: arguments of ``ModelProblem``, which come before what is known here. ``optimizer`` may be an optimizer,
            too.

    Raises:
        ProblemError: something is missing that cannot be guessed, with the name of the argument for it; or what
            ``ModelProblem`` raises.

    Example:
        ``problem = pn.from_lightning(module, {"kind": kind_loss, "tone": tone_loss}, datamodule)``
    """
    if not isinstance(module, nn.Module) or not hasattr(module, "configure_optimizers"):
        raise ProblemError(
            f"from_lightning takes a LightningModule, not a {type(module).__name__}; give another model to ModelProblem"
        )
    trainer = _trainer_of(module)
    strategy = getattr(trainer, "strategy", None)
    kind = type(strategy).__name__
    require_whole(next((name for name in _SHARDS if name in kind), None))
    source = _Source.of(module, trainer, data)
    if "forward" not in options:
        _require_readable(module, source.hooks)
    if strategy is not None:  # has taken the module back to the host at the end of its training
        module.to(strategy.root_device)
    judged = validation
    if validation is None or isinstance(validation, str | int):
        judged = chosen(_by_number(source.validation()), validation, source.name)
    return Taken(
        model=module,
        train=None if "train" in options else source.train(),
        validation=judged,  # type: ignore[arg-type]
        forward=Calling(module, prepare=_prepare(trainer)),
        optimizer=None if "optimizer" in options else _optimizer(module, trainer),
        autocast=autocast_of(getattr(trainer, "precision", None)),
    ).problem(losses, options)


class _Source:
    """Where the loaders come from.

    Attributes:
        name: what has them, for messages.
        hooks: what may change their batches before the module gets them.
    """

    def __init__(
        self,
        name: str,
        train: Callable[[], Any],
        validation: Callable[[], Any] = lambda: None,
        hooks: Sequence[Any] = (),
    ) -> None:
        self.name, self._train, self.validation, self.hooks = name, train, validation, hooks

    @classmethod
    def of(cls, module: nn.Module, trainer: Any, data: Any) -> _Source:
        """What is given; otherwise what the trainer had, and without one what the module has."""
        fitted = getattr(trainer, "datamodule", None)
        data = fitted if data is None else data
        if hasattr(data, "train_dataloader"):
            if data is not fitted:  # else it would be divided anew, and at random perhaps
                data.prepare_data()
                data.setup("fit")
            owner, name = data, "the datamodule"
        elif data is not None:
            return cls("what is given", lambda: data, hooks=[module])
        elif getattr(trainer, "train_dataloader", None) is not None:
            return cls(
                "the trainer", lambda: trainer.train_dataloader, lambda: trainer.val_dataloaders, [module]
            )
        else:
            owner, name = module, "the module"
        return cls(
            name,
            lambda: _loaders(owner, "train_dataloader"),
            lambda: _loaders(owner, "val_dataloader"),
            [module, owner],
        )

    def train(self) -> Source | None:
        """The one loader for training; None if there is none."""
        found = self._train()
        if found is None or isinstance(found, DataLoader | Dataset):
            return found
        raise ProblemError(
            f"{self.name} has no single loader for training, but a {type(found).__name__}; give train=, a loader or a "
            "data set"
        )


def _loaders(owner: Any, hook: str) -> Any:
    """What a hook returns; None where nobody has written it."""
    if not _is_own(owner, hook):
        return None
    return getattr(owner, hook)()


def _by_number(found: Any) -> Any:
    """What has several loaders as a dict of them."""
    found = getattr(found, "iterables", found)  # of a CombinedLoader
    if isinstance(found, list | tuple):
        return dict(enumerate(found)) if len(found) > 1 else next(iter(found), None)
    return found


def _is_own(owner: Any, hook: str) -> bool:
    """Whether a class has a hook of its own, rather than Lightning's."""
    written = getattr(type(owner), hook, None)
    return written is not None and str(written.__module__).split(".")[0] not in _PACKAGES


def _require_readable(module: nn.Module, hooks: Sequence[Any]) -> None:
    """Refuse to guess how the module reads a batch, where it is not just called on it.

    Raises:
        ProblemError: it has no ``forward``, or something changes batches before it gets them.
    """
    who = type(module).__name__
    if not _is_own(module, "forward"):
        raise ProblemError(
            f"{who} has no forward of its own; say what the losses are to get with forward=, for example "
            "forward=lambda module, batch: module.net(batch[0])"
        )
    for owner in hooks:
        for hook in _BATCH_HOOKS:
            if _is_own(owner, hook):
                raise ProblemError(
                    f"{type(owner).__name__} changes batches in {hook}, which is not called here; do it in "
                    "forward=, without what is random in it, for example forward=lambda module, batch: "
                    "module(module.normalised(batch[0]))"
                )


def _trainer_of(module: Any) -> Any:
    """The trainer that the module is attached to; None if it is to none."""
    try:
        return module.trainer
    except RuntimeError:
        return None


def _prepare(trainer: Any) -> Callable[[Batch], Batch]:
    """What makes batches fit a module that is in half or double precision as a whole."""
    plugin = getattr(trainer, "precision_plugin", None)
    if plugin is None or not str(getattr(trainer, "precision", "")).endswith("-true"):
        return lambda batch: batch
    convert: Callable[[Batch], Batch] = plugin.convert_input
    return convert


def _optimizer(module: Any, trainer: Any) -> OptimizerFactory | None:
    """Makes the one that the module was trained with, or would be; None if it has none."""
    used = list(getattr(trainer, "optimizers", None) or ())
    if not used:
        try:
            used = (
                _optimizers_in(module.configure_optimizers())
                if _is_own(module, "configure_optimizers")
                else []
            )
        except Exception as error:
            raise ProblemError(
                f"{type(module).__name__}.configure_optimizers failed without a trainer: {error}; give optimizer=, or "
                "None for Adam"
            ) from error
    if len(used) > 1:
        raise ProblemError(
            f"{type(module).__name__} has {len(used)} optimizers; say by which one it is trained on, optimizer=, or "
            "None for Adam"
        )
    return like(used[0]) if used else None


def _optimizers_in(configured: Any) -> list[Optimizer]:
    """The optimizers among what ``configure_optimizers`` may return: with their schedules, in dicts and in lists."""
    if isinstance(configured, Optimizer):
        return [configured]
    if isinstance(configured, Mapping):
        return _optimizers_in(configured.get("optimizer"))
    if isinstance(configured, Sequence):
        return [optimizer for entry in configured for optimizer in _optimizers_in(entry)]
    return []
