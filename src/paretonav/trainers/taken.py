"""What a trainer knows that a problem needs, whichever library it is of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from paretonav.errors import ProblemError
from paretonav.objectives import Loss, ModelProblem
from paretonav.objectives.data import Source
from paretonav.objectives.forward import Forward
from paretonav.objectives.optimizers import OptimizerFactory
from paretonav.trainers.optimizer import like


@dataclass(frozen=True)
class Taken:
    """The arguments of ``ModelProblem`` that a trainer knows; None where it does not.

    Attributes:
        model: whole, on the device that it was trained on.
        train: data for training.
        validation: data by which steps are judged.
        forward: how the model is called on a batch.
        optimizer: makes the one that the model was trained with, at the learning rate that it began with.
        autocast: torch.bfloat16 if it was trained so.
    """

    model: nn.Module
    train: Source | None
    validation: Source | None
    forward: Forward
    optimizer: OptimizerFactory | None
    autocast: torch.dtype | None

    def problem(self, losses: Mapping[str, Loss], given: Mapping[str, Any]) -> ModelProblem:
        """The problem; the model is in eval mode from here on.

        Args:
            losses: what is traded, which no trainer knows apart.
            given: arguments of ``ModelProblem``, which come before what the trainer knows. An optimizer may be given as
                it is, instead of what makes one.
        """
        arguments = {field.name: getattr(self, field.name) for field in fields(self)} | dict(given)
        if arguments["train"] is None:
            raise ProblemError("there are no data for training; give train=")
        if isinstance(arguments["optimizer"], Optimizer):
            arguments["optimizer"] = like(arguments["optimizer"])
        self.model.eval()
        return ModelProblem(losses=losses, **arguments)


def autocast_of(precision: object) -> torch.dtype | None:
    """In which precision passes are run, by the name that a trainer has for it: "bf16", "bf16-mixed".

    Mixed precision in float16 is run in float32: it needs losses that are scaled.
    """
    return torch.bfloat16 if str(precision) in ("bf16", "bf16-mixed") else None


def require_whole(how: str | None) -> None:
    """Refuse a model that lies in shards.

    Args:
        how: what shards it, in words; None where nothing does.

    Raises:
        ProblemError: something does.
    """
    if how is not None:
        raise ProblemError(
            f"the model is sharded ({how}), and cannot be steered in parts; load the trained model whole, on one "
            "device, and give it to ModelProblem"
        )
