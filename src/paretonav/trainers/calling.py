"""How a model is called on a batch, where it takes parts of it by their names."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Any

from torch import Tensor, nn

from paretonav.errors import ProblemError
from paretonav.objectives.data import Batch
from paretonav.objectives.forward import Outputs, first_element

LABELS = ("labels", "label", "label_ids")


class Calling:
    """The outputs of a batch, from what the model's ``forward`` takes of it.

    Of a batch with names the model gets what it has a parameter for, labels excepted, so that it computes no loss of
    its own, and keeps no keys and values for texts that go on. Any other batch it is called on as by ``ModelProblem``.

    Args:
        model: the model.
        labels: what else of a batch it is not to get.
        prepare: what the trainer does to a batch before the model gets it; the losses get it as it was.
    """

    def __init__(
        self,
        model: nn.Module,
        labels: Collection[str] = (),
        prepare: Callable[[Batch], Batch] = lambda batch: batch,
    ) -> None:
        base = model.get_base_model() if hasattr(model, "get_base_model") else model  # type: ignore[operator]
        parameters = inspect.signature(base.forward).parameters
        self._names = [name for name in parameters if name not in {*LABELS, *labels}]
        self._always: dict[str, Any] = {"use_cache": False} if "use_cache" in parameters else {}
        self._prepare = prepare

    def __call__(self, model: nn.Module, batch: Batch) -> Outputs:
        """All that the model returns; of what Hugging Face's models return, the logits."""
        batch = self._prepare(batch)
        given = (
            {name: batch[name] for name in self._names if name in batch} if isinstance(batch, Mapping) else {}
        )
        outputs = model(**self._always | given) if given else first_element(model, batch)
        logits = getattr(outputs, "logits", None)
        return logits if isinstance(logits, Tensor) else outputs


class Logits(Calling):
    """The same, for a trainer whose batches have names and whose models have logits."""

    def __call__(self, model: nn.Module, batch: Batch) -> Tensor:
        if not isinstance(batch, Mapping):
            raise ProblemError(
                f"the trainer's collator makes a {type(batch).__name__}, not a dict; say how the model reads it with "
                "forward="
            )
        logits = super().__call__(model, batch)
        if not isinstance(logits, Tensor):
            raise ProblemError(
                f"the model returns a {type(logits).__name__} without logits; say what the losses are to get with "
                "forward=, for example forward=lambda model, batch: model(input_ids=batch['input_ids'])[0]"
            )
        return logits
