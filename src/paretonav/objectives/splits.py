"""The data of a problem by split."""

from __future__ import annotations

from collections.abc import Callable

import torch

from paretonav.objectives.data import Batch, Data, Source
from paretonav.objectives.groups import Labels, labels_by_split
from paretonav.objectives.problem import Split
from paretonav.objectives.trees import described


def splits(
    sources: dict[Split, Source | None],
    groups: Labels | None,
    batch_size: int,
    device: torch.device,
    checkpoint: Callable[[], None],
) -> dict[Split, Data]:
    """Those of which there are data, ready to be read: all but the training data so that means have standard errors.

    Raises:
        ProblemError: see ``Data`` and ``labels_by_split``.
    """
    given = {split: source for split, source in sources.items() if source is not None}
    labels = labels_by_split(groups, given)
    return {
        split: Data(
            source,
            batch_size,
            device,
            split,
            checkpoint,
            divided=split != "train",
            groups=labels.get(split),
        )
        for split, source in given.items()
    }


def unlike(train: Data, batch: Batch, split: Split) -> str:
    """How a batch of another split that failed differs from training data, which did not: the end of a message."""
    if split == "train":
        return ""
    expected, found = described(next(iter(train))[0]), described(batch)
    return "" if expected == found else f"; the training data are {expected}, the {split} data {found}"
