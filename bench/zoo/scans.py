"""Scans of handwritten digits, which scikit-learn brings, and composites of them."""

from __future__ import annotations

from itertools import pairwise

import torch
from sklearn.datasets import load_digits
from torch import Tensor
from torch.utils.data import TensorDataset

from zoo.case import NOT_TRAINED_ON, Split

TRAIN, VALIDATION = 1000, 350  # scans of the 1,797; the rest is for the test


def digits(seed: int) -> dict[Split, tuple[Tensor, Tensor]]:
    """Split -> scans [n, 8, 8] from 0 to 1, and what digit each shows [n]."""
    found = load_digits()
    order = torch.randperm(len(found.target), generator=torch.Generator().manual_seed(seed))
    scans = torch.tensor(found.images / 16, dtype=torch.float32)[order]
    labels = torch.tensor(found.target)[order]
    ends = (0, TRAIN, TRAIN + VALIDATION, len(labels))
    parts = [(scans[a:b], labels[a:b]) for a, b in pairwise(ends)]
    return {"train": parts[0], "validation": parts[1], "test": parts[2]}


def overlaid(
    scans: Tensor, labels: Tensor, shape: tuple[int, int], offsets: list[tuple[int, int]], chosen: Tensor
) -> TensorDataset:
    """Composites by maximum: pixels [n, 1, *shape] and what digit is at each place, [n] for each of them.

    Args:
        scans: [scans, 8, 8].
        labels: [scans].
        shape: of a composite.
        offsets: (row, column) of each place.
        chosen: [n, places], which scan is where.
    """
    canvas = torch.zeros(len(chosen), *shape)
    for place, (row, column) in enumerate(offsets):
        window = canvas[:, row : row + 8, column : column + 8]
        window.copy_(torch.maximum(window, scans[chosen[:, place]]))
    return TensorDataset(canvas[:, None], *labels[chosen].T.contiguous())


def at_random(scans: int, places: int, count: int, generator: torch.Generator) -> Tensor:
    """Which scan is where, [count, places]: any at any place."""
    return torch.randint(scans, (count, places), generator=generator)


def in_bundles(
    scans: int, places: int, bundle: int, each: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Which scan is where, [n, places], and the bundle that each composite's scans are from, [n].

    Composites of different bundles share no scan, so that bundles are independent; those of one do.

    Args:
        scans: how many there are; what is left over after the last bundle is not used.
        places: in a composite.
        bundle: scans in a bundle.
        each: composites of a bundle.
        generator: of the draws.
    """
    bundles = torch.randperm(scans, generator=generator)[: scans // bundle * bundle].view(-1, bundle)
    rows = [
        torch.stack([scan[torch.randperm(bundle, generator=generator)[:places]] for _ in range(each)])
        for scan in bundles
    ]
    return torch.cat(rows), torch.arange(len(bundles)).repeat_interleave(each)


def composites(
    seed: int, shape: tuple[int, int], offsets: list[tuple[int, int]], count: int, each: int
) -> tuple[dict[Split, TensorDataset], dict[Split, Tensor]]:
    """Split -> overlaid digits; and split -> the bundle that each is from, of the splits that nothing is trained on.

    Args:
        seed: of the splits and the draws.
        shape: of a composite.
        offsets: (row, column) of each place.
        count: composites to train on.
        each: composites of a bundle; a bundle has half as many scans.
    """
    scans, generator = digits(seed), torch.Generator().manual_seed(seed)
    places = len(offsets)
    chosen = at_random(len(scans["train"][1]), places, count, generator)
    made: dict[Split, TensorDataset] = {"train": overlaid(*scans["train"], shape, offsets, chosen)}
    groups: dict[Split, Tensor] = {}
    for split in NOT_TRAINED_ON:
        chosen, groups[split] = in_bundles(len(scans[split][1]), places, each // 2, each, generator)
        made[split] = overlaid(*scans[split], shape, offsets, chosen)
    return made, groups
