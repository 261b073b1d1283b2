"""The training examples that curvature is measured on, divided among processes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from torch import Tensor

from paretonav.objectives.problem import Composite
from paretonav.processes import Team

View = Literal["", "linearised", "as_shown"]


class Key(NamedTuple):
    """What every process makes its part of a sample from.

    Attributes:
        size: how many examples all parts have together.
        means: of the losses' parts, around which functions of them are taken; None around those of each batch.
        view: of the parts: as they are, or what a ``Composite`` has under that name.
    """

    size: int
    means: list[Tensor] | None = None
    view: View = ""

    def seen(self, part: Composite) -> Composite:
        """A part in this view."""
        found: Composite = getattr(part, self.view) if self.view else part
        return found


class Sample(Sequence[Composite]):
    """This process's part of a sample; ``team`` and ``key`` tell how all processes work on theirs.

    Args:
        team: the processes.
        key: of the sample.
        parts: those of this process.
    """

    def __init__(self, team: Team[Any], key: Key, parts: Sequence[Composite]) -> None:
        self.team, self.key, self._parts = team, key, list(parts)

    def __len__(self) -> int:
        return len(self._parts)

    def __getitem__(self, index: Any) -> Any:
        return self._parts[index]

    def viewed(self, view: View) -> Sample:
        """The same in another view."""
        key = self.key._replace(view=view)
        return Sample(self.team, key, [key.seen(part) for part in self._parts])


def linearised(sample: Sequence[Composite]) -> Sequence[Composite]:
    """Each part linear in the means, see ``Composite``."""
    return sample.viewed("linearised") if isinstance(sample, Sample) else [p.linearised for p in sample]


def as_shown(sample: Sequence[Composite]) -> Sequence[Composite]:
    """Each part of what is shown, see ``Composite``."""
    return sample.viewed("as_shown") if isinstance(sample, Sample) else [p.as_shown for p in sample]
