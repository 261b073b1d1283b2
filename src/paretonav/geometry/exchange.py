"""What is gained and paid on validation data along the ways from a point.

See docs/method.md#which-pull.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from paretonav.geometry.probes import first_lengths
from paretonav.geometry.sizes import relative_sizes
from paretonav.objectives import Losses, Problem
from paretonav.objectives.problem import Split

Array = NDArray[np.float64]

# Of a loss: the gain for which the price is asked, the size of a step. With less the price is noise.
_GAIN = 0.03
# A price for which nobody buys. It stands for all that are higher, so that one loss does not decide alone. Chosen, not
# measured.
_WORST = 5.0
# Of validation data, at least, to choose a pull by: four batches have a standard error. Chosen, not measured.
_BATCHES, _EXAMPLES = 4, 600


@dataclass(frozen=True)
class Exchange:
    """The price of what the ways from a point bring on validation data.

    Attributes:
        price: mean over the losses of what the others pay, of what is missing of the gain, and of what a model to
            second order gets wrong on half of the way, for each unit gained; all in parts of the losses. At most 5.
        works: whether any loss gets better at less than that.
        reason: in words.
    """

    price: float
    works: bool
    reason: str


def exchange(
    problem: Problem,
    theta: Tensor,
    ways: Tensor,
    response: Tensor,
    losses: Losses,
    before: Losses,
) -> Exchange:
    """Lower every loss by 3 % at the least curvature cost, to first order, and look at what comes.

    It is measured, not derived, so a way along which the losses bend early, or whose gain is in the training sample
    only, is dear. Slopes are differences forwards, less what the ways' unit cost says of the bend. Without validation
    data the training data have to do, a few batches of them.

    Args:
        problem: what is measured.
        theta: the point, [n].
        ways: [k, n], of unit curvature cost.
        response: [m, k], of the training losses.
        losses: there.
        before: the losses there on the part of the data that is read (``read_before``).
    """
    split, batches = _read(problem)
    values = before.mean.numpy()
    sizes = relative_sizes(values, np.isin(problem.names, problem.absolute))
    bend = expected_bend(sizes, problem.training_weights.numpy(), len(ways))
    lengths = first_lengths(response.double().cpu(), losses.mean, bend)
    onward = problem.probe([theta - h * way for h, way in zip(lengths, ways, strict=True)], split, batches)
    turns = 0.5 * np.diagonal(bend, axis1=1, axis2=2) * lengths
    slopes = (
        np.stack([(values - end.mean.numpy()) / h for end, h in zip(onward, lengths, strict=True)], 1) + turns
    )
    speeds = np.square(slopes).sum(axis=1)
    steps = slopes * (_GAIN * sizes / np.maximum(speeds, 1e-300))[:, None]  # [m, k]
    ends = problem.probe(_led(theta, steps, ways), split, batches)
    prices = np.array([_price(i, end, before, sizes) for i, end in enumerate(ends)])
    bought = np.flatnonzero(prices < _WORST)  # of the others it need not be known how they get there
    halves = problem.probe(_led(theta, steps[bought] / 2, ways), split, batches)
    for i, half in zip(bought, halves, strict=True):
        prices[i] += _surprise(int(i), ends[i], half, before, -slopes @ steps[i], sizes)
    prices = prices.clip(max=_WORST)
    works = prices < _WORST
    names = [name for name, good in zip(problem.names, works, strict=True) if good]
    where = "validation" if problem.has_validation else "training"
    reason = (
        f"on {where} data others pay {prices.mean():.2g} for each part gained"
        if works.any()
        else f"no loss gets better by much on {where} data"
    )
    if works.any() and not works.all():
        reason += f" (nothing to gain but for {', '.join(names)})"
    return Exchange(float(prices.mean()), bool(works.any()), reason)


def _led(theta: Tensor, steps: Array, ways: Tensor) -> list[Tensor]:
    """The points to which ``steps`` [s, k] along the ways [k, n] lead."""
    return [theta - torch.from_numpy(c).to(ways) @ ways for c in steps]


def exchange_passes(problem: Problem, k: int) -> float:
    """What ``exchange`` reads along k ways at most, in passes over the training data."""
    return (k + 2 * problem.m) * problem.share(*_read(problem))


def read_before(problem: Problem, theta: Tensor) -> Losses:
    """The losses at the point, on the part of the data that ``exchange`` reads."""
    return problem.probe([theta], *_read(problem))[0]


def expected_bend(sizes: Array, weights: Array, k: int) -> Array:
    """[m, k, k], a guess of the bends along k ways of unit curvature cost: alike in parts of each loss.

    Args:
        sizes: [m], of the losses.
        weights: [m], of the losses in the sum whose curvature is the cost.
        k: how many ways.
    """
    shares = sizes / (weights @ sizes)
    return np.asarray(shares[:, None, None] * np.eye(k))


def _read(problem: Problem) -> tuple[Split, int]:
    """Of what data, and about how many batches of it."""
    split: Split = "validation" if problem.has_validation else "train"
    batch = problem.share(split, 1) * (problem.examples or 1)
    return split, max(_BATCHES, math.ceil(_EXAMPLES / batch))


def _price(i: int, after: Losses, before: Losses, sizes: Array) -> float:
    """What is paid for each unit of loss i that is gained, of all that was to be gained."""
    difference, error = after.change_from(before)
    change = difference.numpy() / sizes
    if not np.isfinite(change).all():
        return _WORST
    gain = -change[i]
    noise = 0.0 if error is None else float(error[i]) / sizes[i]
    if gain <= max(0.1 * _GAIN, 2 * noise):
        return _WORST
    paid = float(np.maximum(np.delete(change, i), 0).sum())
    return float(min(_WORST, (paid + max(0.0, _GAIN - gain)) / gain))


def _surprise(i: int, end: Losses, middle: Losses, before: Losses, slope: Array, sizes: Array) -> float:
    """How far off a parabola through both ends, with the slope at the first, is in the middle; for each unit gained."""
    there, half = ((losses.mean - before.mean).numpy() for losses in (end, middle))
    expected = 0.5 * slope + 0.25 * (there - slope)
    gain = -there[i] / sizes[i]
    off = np.abs((half - expected) / sizes).max()
    return float(off / gain) if gain > 0 and np.isfinite(off) else _WORST
