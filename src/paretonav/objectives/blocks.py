"""How data are divided so that a mean over them has a standard error: in blocks that are independent of each other.

See docs/method.md#standard-errors.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Sequence
from itertools import chain, pairwise

from paretonav.statistics import FEWEST_EXAMPLES

LEAST = 12
"""Blocks of data that have a standard error at all: at eleven degrees of freedom a 95 % interval is 2.2 standard errors
wide, a tenth more than it could be at best."""
MOST = 24
"""Blocks of groups: each is read by itself, and a standard error from so many is known to a seventh of it."""


def count(examples: int, size: int) -> int:
    """How many batches of at most ``size`` the examples make, and at least ``LEAST`` where there are enough."""
    least = LEAST if examples >= FEWEST_EXAMPLES else 1
    return max(least, -(-examples // size))


def evenly(indices: Sequence[int], parts: int) -> list[Sequence[int]]:
    """The indices in order, in ``parts`` stretches whose lengths differ by one at most."""
    edges = [len(indices) * i // parts for i in range(parts + 1)]
    return [indices[a:b] for a, b in pairwise(edges)]


def of_groups(labels: Sequence[Hashable]) -> list[list[int]]:
    """The positions of the examples in blocks that are unions of whole groups, in order within each.

    There are as many blocks as groups where there are up to twelve of these, one for every four groups where there are
    many, and 24 at most; and no more than leave them comparable: no block below half, no group above 3/2 of their mean
    size. A group that outweighs all blocks decides the mean, and the others cannot tell how far it is off: with half of
    all examples in one group, intervals from twelve blocks would hold 62 % of the time where they say 95 %. (There are
    two or three blocks then, which have no standard error.)

    Args:
        labels: per example; those of a group are equal.
    """
    found: dict[Hashable, list[int]] = {}
    for position, label in enumerate(labels):
        found.setdefault(label, []).append(position)
    groups = sorted(found.values(), key=len, reverse=True)
    count = min(len(groups), max(LEAST, min(MOST, len(groups) // 4)))
    blocks = _balanced(groups, count)
    while 2 * min(map(len, blocks)) * count < len(labels) or 2 * len(groups[0]) * count > 3 * len(labels):
        count -= 1
        blocks = _balanced(groups, count)
    return [sorted(block) for block in blocks]


def _balanced(groups: Sequence[Sequence[int]], count: int) -> list[list[int]]:
    """Each group, the largest first, goes to the block that has least by then."""
    blocks: list[list[int]] = [[] for _ in range(count)]
    sizes = [(0, number) for number in range(count)]
    for group in groups:
        size, number = heapq.heappop(sizes)
        blocks[number] += group
        heapq.heappush(sizes, (size + len(group), number))
    return blocks


def batches_of_groups(
    order: Sequence[int], labels: Sequence[Hashable], size: int
) -> tuple[list[Sequence[int]], list[int]]:
    """Batches of at most ``size`` examples, each of one block of whole groups, and the numbers of their blocks.

    Args:
        order: the indices of all examples, as a full pass has them.
        labels: of the groups, in that order.
        size: of a batch; a block may take several.
    """
    blocks = of_groups(labels)
    divided = [evenly([order[i] for i in block], -(-len(block) // size)) for block in blocks]
    numbers = [number for number, batches in enumerate(divided) for _ in batches]
    return [compact(batch) for batch in chain.from_iterable(divided)], numbers


def compact(indices: Sequence[int]) -> Sequence[int]:
    """The same indices; as a range, which can be sliced without copying, if they are consecutive."""
    stretch = range(indices[0], indices[0] + len(indices)) if indices else range(0)
    return stretch if all(i == j for i, j in zip(indices, stretch, strict=True)) else indices
