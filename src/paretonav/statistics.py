"""Standard errors of means over batches, and the intervals that are made of them.

See docs/method.md#standard-errors.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

FEWEST_BATCHES = 4
"""For a standard error: with three degrees of freedom a 95 % interval is 3.2 of them wide, with two 4.3."""
FEWEST_EXAMPLES = 32
"""For a standard error, however they are divided. Student's distribution takes the batches' means to be about normal;
those of a handful of losses are as skewed as single losses are, and intervals would hold less often than they say."""


def has_standard_error(batches: int, examples: int | None) -> bool:
    """The one rule: whether a mean over ``examples`` in so many batches has a standard error, or an unknown one.

    Args:
        batches: into which the examples are divided.
        examples: how many there are; None where that is not known, so that the batches alone decide.
    """
    return batches >= FEWEST_BATCHES and (examples is None or examples >= FEWEST_EXAMPLES)


def standard_error(fractions: Tensor, batches: Tensor, examples: int | None = None) -> Tensor | None:
    """The standard error of ``fractions @ batches``, a mean over batches that are independent draws.

    A batch's mean varies inversely with its size, so ``sum_k w_k (x_k - mean)^2 / (b - 1)`` estimates the variance
    without bias, and the error relative to it has Student's distribution with b - 1 degrees of freedom for normal x_k
    whatever the sizes (``sum_k w_k^2 ...`` forgets a small last batch: intervals from three batches and a bit would
    cover 91 % where they say 95 %).

    Args:
        fractions: [b], each batch's share of the data.
        batches: [b, ...].
        examples: how many the batches have together, if it is known.

    Returns:
        [...], or None where it is unknown, see ``has_standard_error``.
    """
    b = len(fractions)
    if not has_standard_error(b, examples):
        return None
    deviations = batches - torch.tensordot(fractions, batches, 1)
    error: Tensor = (torch.tensordot(fractions, deviations**2, 1) / (b - 1)).sqrt()
    return error


@cache
def quantile(batches: int, tests: int = 1) -> float:
    """How many standard errors make a two-sided 95 % interval: Student's t, b - 1 degrees of freedom.

    Args:
        batches: that the standard error is from.
        tests: how many intervals are to hold together (Bonferroni).
    """
    from scipy.special import stdtrit  # a fifth of a second to load, which not every use needs

    return float(stdtrit(batches - 1, 1 - 0.05 / (2 * tests))) if batches > 1 else 0.0
