"""The losses of a model on a split and what became of them, by code that shares nothing with the library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from zoo.case import SPLITS, Batch, Case, Split

Array = NDArray[np.float64]
BLOCKS = 40


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The losses of one model on one split.

    Attributes:
        values: [m], on the whole split.
        without: [blocks, m], on the split without each of its blocks.
        shares: [blocks], of the examples in each; they sum to 1.
    """

    values: Array
    without: Array
    shares: Array


@dataclass(frozen=True, eq=False)
class Change:
    """How the losses differ between two models, as parts of the sizes of a third's.

    Attributes:
        values: [m].
        errors: [m], their standard errors, NaN if there is only one block. Blocks are paired, so that what both models
            find hard does not count.
    """

    values: Array
    errors: Array


def evaluate(model: nn.Module, case: Case, split: Split) -> Evaluation:
    """The losses of a model; it is read in eval mode and left in the mode that it had."""
    training = model.training
    model.eval()
    blocks = blocks_of(len(case.data(split)), case.groups.get(split))
    tensors = case.data(split).tensors
    names = case.names
    sums, pooled = np.zeros((len(blocks), len(names))), []
    for place, block in enumerate(blocks):
        batch = tuple(tensor[block] for tensor in tensors)
        with torch.no_grad():
            outputs = case.forward(model, batch)
            for i, name in enumerate(names):
                if name not in case.pooled:
                    sums[place, i] = len(block) * float(case.losses[name](outputs, batch))
        if case.pooled:
            pooled.append((outputs, batch))
    model.train(training)
    counts = np.array([len(block) for block in blocks], float)
    values = sums.sum(0) / counts.sum()
    rest = counts.sum() - counts
    without = (sums.sum(0) - sums) / np.where(rest > 0, rest, np.nan)[:, None]
    for i, name in enumerate(names):
        if name in case.pooled:
            values[i] = _together(case, name, pooled)
            without[:, i] = [_together(case, name, pooled[:j] + pooled[j + 1 :]) for j in range(len(blocks))]
    return Evaluation(values, without, counts / counts.sum())


def evaluations(model: nn.Module, case: Case) -> dict[Split, Evaluation]:
    """The losses on all splits."""
    return {split: evaluate(model, case, split) for split in SPLITS}


def change(before: Evaluation, after: Evaluation, unit: Array | None = None) -> Change:
    """From one model to another on the same split.

    The standard errors are those of the jackknife over blocks, for blocks of unequal size (Busing, Meijer, van der
    Leeden, "Delete-m jackknife for unequal m", 1999). For means over examples in equal blocks that is the standard
    error of the mean of the blocks' differences.

    Args:
        before: the first model's losses.
        after: the second's.
        unit: [m], what counts as 1; by default the sizes of the losses before.
    """
    unit = np.abs(before.values) if unit is None else unit
    whole, without = after.values - before.values, after.without - before.without
    if len(before.shares) < 2:
        return Change(whole / unit, np.full_like(whole, np.nan))
    h = 1 / before.shares[:, None]
    pseudo = h * whole - (h - 1) * without
    centre = (pseudo / h).sum(0)
    variance = ((pseudo - centre) ** 2 / (h - 1)).mean(0)
    return Change(whole / unit, np.sqrt(variance) / unit)


def blocks_of(examples: int, groups: Tensor | None = None, blocks: int = BLOCKS) -> list[Tensor]:
    """The indices of a split in blocks of about the same size, with all of a group in one of them.

    Args:
        examples: how many there are.
        groups: [examples], labels; None if no two belong together.
        blocks: at most; fewer where there are fewer groups.
    """
    if groups is None:
        return list(torch.arange(examples).tensor_split(min(blocks, examples)))
    kinds, which, counts = torch.unique(groups, return_inverse=True, return_counts=True)
    loads, place = [0] * min(blocks, len(kinds)), torch.zeros(len(kinds), dtype=torch.long)
    for kind in torch.argsort(counts, descending=True, stable=True).tolist():
        lightest = loads.index(min(loads))
        place[kind] = lightest
        loads[lightest] += int(counts[kind])
    return [torch.nonzero(place[which] == block)[:, 0] for block in range(len(loads))]


def by_name(case: Case, values: Sequence[float] | Array) -> dict[str, float]:
    """A dict of the losses' names."""
    return dict(zip(case.names, map(float, values), strict=True))


def vector(case: Case, values: Mapping[str, float]) -> Array:
    """[m], in the order of the losses' names."""
    return np.array([values[name] for name in case.names], float)


def _together(case: Case, name: str, blocks: Sequence[tuple[Tensor, Batch]]) -> float:
    outputs = torch.cat([found for found, _ in blocks])
    batch = tuple(torch.cat(column) for column in zip(*(of for _, of in blocks), strict=True))
    return float(case.losses[name](outputs, batch))
