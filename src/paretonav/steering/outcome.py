"""One kind of number for all that is shown: the losses on training data, those on validation data, and the metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sized
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, Literal, Protocol, TypeVar

import numpy as np

from paretonav.display import Display, Shown
from paretonav.objectives.problem import Split
from paretonav.steering.changes import Changes, Estimates

Part = Literal["train", "validation", "metrics"]
"""Of an outcome."""

V = TypeVar("V", bound=Sized)
W = TypeVar("W", bound=Sized)


@dataclass(frozen=True, repr=False)
class Outcome(Shown, Generic[V]):
    """What was predicted, achieved, requested or measured, on each part of the data.

    Each part is a mapping by name, or an array in the order of the names. What there is not, or was not measured, is
    empty, so nobody need ask whether it is there before looking into it.

    Attributes:
        train: of the losses on training data.
        validation: of the losses on validation data.
        metrics: of the metrics, on validation data where there is any.
        split: the data whose losses are ``shown``: those on which losses were asked for, of what was ``requested``;
            of all else validation data where the problem has any.

    Example:
        >>> a, b = Changes({"a": -0.1}), Changes({"a": -0.08})
        >>> achieved = Outcome(train=a, validation=b, metrics=Changes({"hits": 0.02}), split="validation")
        >>> achieved.shown
        {'a': -0.08, 'hits': 0.02}
    """

    train: V
    validation: V
    metrics: V
    split: Split

    @cached_property
    def shown(self) -> V:
        """What people look at and steer by: the losses on ``split``, and the metrics."""
        losses: Any = self.losses
        metrics: Any = self.metrics
        if isinstance(losses, np.ndarray):
            return np.concatenate([losses, metrics])  # type: ignore[return-value]
        if isinstance(losses, Estimates):
            return losses.beside(metrics)  # type: ignore[return-value]
        return losses | metrics  # type: ignore[no-any-return]

    @property
    def losses(self) -> V:
        """Of the losses that are shown."""
        return self.on(self.split)

    def on(self, split: Split | None) -> V:
        """Of the losses on a split; None is ``split``."""
        return self.validation if (split or self.split) == "validation" else self.train

    def part(self, name: Part) -> V:
        """The part of this name."""
        return self.metrics if name == "metrics" else self.on(name)

    def parts(self, first: Split = "train") -> Iterator[tuple[Part, V]]:
        """(name, part) of those that are not empty: the losses on ``first``, the other losses, the metrics."""
        names: tuple[Part, ...] = ("train", "validation", "metrics")
        for name in sorted(names, key=lambda name: (name == "metrics", name != first)):
            if len(self.part(name)):
                yield name, self.part(name)

    def asked(self, on: Split) -> V:
        """Of the losses on the data on which they were asked for, and of the metrics."""
        return Outcome(self.train, self.validation, self.metrics, on).shown

    def each(self, of: Callable[[V], W]) -> Outcome[W]:
        """The outcome of what ``of`` makes of each part."""
        return Outcome(of(self.train), of(self.validation), of(self.metrics), self.split)

    def _display(self) -> Display:
        kinds = {name: _named(part) for name, part in self.parts("validation")}
        names = dict.fromkeys(name for part in kinds.values() for name in part)
        rows = [[name, *(part.get(name, "") for part in kinds.values())] for name in names]
        return Display(f"Outcome, {self.split} shown" if rows else "Outcome, empty", ["", *kinds], rows)

    def __bool__(self) -> bool:
        return any(True for _ in self.parts())


class _HasValues(Protocol):
    @property
    def values(self) -> Outcome[Estimates]: ...


class Valued(Shown):
    """What has ``values``, losses and metrics that were measured: the parts of them by short names."""

    @property
    def losses(self: _HasValues) -> Estimates:
        """The training losses, without weight decay."""
        return self.values.train

    @property
    def validation(self: _HasValues) -> Estimates:
        """The validation losses; empty without validation data."""
        return self.values.validation

    @property
    def metrics(self: _HasValues) -> Estimates:
        """Name -> number, on validation data where there is any."""
        return self.values.metrics


def _named(part: Any) -> dict[str, str]:
    entries = part.items() if isinstance(part, Mapping) else enumerate(part)
    return {str(name): f"{x:.4g}" if isinstance(x, float) else str(x) for name, x in entries}


def nothing() -> Outcome[Changes]:
    """No changes, as of a point that no step has led to."""
    return Outcome(Changes(), Changes(), Changes(), "train")
