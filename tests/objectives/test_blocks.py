"""Blocks of whole groups, and whether errors between them are as large as they say."""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from paretonav.objectives import blocks
from paretonav.statistics import quantile, standard_error

LABELS = st.lists(st.integers(0, 40), min_size=1, max_size=300)


@settings(max_examples=50, deadline=None)
@given(n=st.integers(1, 400), parts=st.integers(1, 40))
def test_even_parts_are_all_of_it_in_order(n: int, parts: int) -> None:
    divided = blocks.evenly(range(n), parts)
    assert [i for part in divided for i in part] == list(range(n))
    assert len(divided) == parts
    lengths = [len(part) for part in divided]
    assert max(lengths) - min(lengths) <= 1


@settings(max_examples=50, deadline=None)
@given(n=st.integers(1, 5000), size=st.integers(1, 600))
def test_enough_examples_make_twelve_batches_of_no_more_than_their_size(n: int, size: int) -> None:
    count = blocks.count(n, size)
    assert math.ceil(n / count) <= size
    assert count >= 12 or n < 32
    assert count in (12, math.ceil(n / size)), "no more than are needed"


@settings(max_examples=100, deadline=None)
@given(labels=LABELS)
def test_blocks_are_whole_groups_and_about_equal(labels: list[int]) -> None:
    divided = blocks.of_groups(labels)
    assert sorted(i for block in divided for i in block) == list(range(len(labels)))
    assert all(block == sorted(block) for block in divided)
    members = [{labels[i] for i in block} for block in divided]
    assert sum(map(len, members)) == len(set(labels)), "no group is in two blocks"
    sizes, largest = [len(block) for block in divided], max(Counter(labels).values())
    assert max(sizes) - min(sizes) <= largest
    assert len(divided) <= min(24, len(set(labels)))
    mean = len(labels) / len(divided)
    assert largest <= 1.5 * mean, "no group outweighs the blocks"
    assert min(sizes) >= 0.5 * mean


@settings(max_examples=50, deadline=None)
@given(labels=LABELS, seed=st.integers(0, 10**6))
def test_what_labels_are_called_is_the_same(labels: list[int], seed: int) -> None:
    names = np.random.default_rng(seed).permutation(41)
    assert blocks.of_groups([f"group {names[i]}" for i in labels]) == blocks.of_groups(labels)


@pytest.mark.parametrize(("groups", "expected"), [(3, 3), (4, 4), (12, 12), (47, 12), (80, 20), (1000, 24)])
def test_how_many_blocks_groups_make(groups: int, expected: int) -> None:
    assert len(blocks.of_groups([i % groups for i in range(5 * groups)])) == expected


@settings(max_examples=50, deadline=None)
@given(labels=LABELS, size=st.integers(1, 20), seed=st.integers(0, 10**6))
def test_the_batches_of_a_block_are_no_larger_than_asked_for(labels: list[int], size: int, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(labels)).tolist()
    batches, numbers = blocks.batches_of_groups(order, labels, size)
    assert max(map(len, batches)) <= size
    assert numbers == sorted(numbers)
    read: dict[int, list[int]] = {}
    for batch, number in zip(batches, numbers, strict=True):
        read.setdefault(number, []).extend(batch)
    assert list(read.values()) == [[order[i] for i in block] for block in blocks.of_groups(labels)]


@settings(max_examples=50, deadline=None)
@given(indices=st.lists(st.integers(0, 5), max_size=6), start=st.integers(0, 9), n=st.integers(1, 9))
def test_consecutive_indices_become_a_range(indices: list[int], start: int, n: int) -> None:
    assert blocks.compact(list(range(start, start + n))) == range(start, start + n)
    assert list(blocks.compact(indices)) == indices


def uneven(count: int, seed: int) -> list[int]:
    return np.random.default_rng(seed).integers(1, 30, count).tolist()


@pytest.mark.parametrize(
    "sizes", [[10] * 12, [5] * 100, [30] * 4, uneven(40, seed=0), uneven(14, seed=1), [1] * 5 + [50] * 5]
)
def test_intervals_cover_the_mean_of_clustered_examples_as_often_as_they_say(sizes: Sequence[int]) -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    divided = blocks.of_groups(labels.tolist())
    apart = blocks.evenly(rng.permutation(len(labels)).tolist(), 12)
    repetitions, covered, naive = 1000, 0, 0
    for _ in range(repetitions):
        x = 0.8 * rng.normal(size=len(sizes))[labels] + 0.6 * rng.normal(size=len(labels))
        covered += _covers(x, divided)
        naive += _covers(x, apart)
    assert covered / repetitions == pytest.approx(0.95, abs=0.025)
    assert naive / repetitions < 0.85, "what belongs together is no independent evidence"


def _covers(x: np.ndarray, divided: Sequence[Sequence[int]]) -> bool:
    """Whether the 95 % interval of the mean of ``x`` by blocks has zero in it."""
    shares = torch.tensor([len(block) / len(x) for block in divided], dtype=torch.float64)
    means = torch.tensor([x[list(block)].mean() for block in divided], dtype=torch.float64)
    error = standard_error(shares, means)
    assert error is not None
    return abs(float(x.mean())) <= quantile(len(divided)) * float(error)


def test_one_group_that_outweighs_the_others_leaves_too_few_blocks_for_an_error() -> None:
    labels = [0] * 100 + [1 + i // 5 for i in range(100)]
    assert len(blocks.of_groups(labels)) < 4
