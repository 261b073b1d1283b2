"""How losses and metrics change along a few directions, measured by going there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from paretonav.objectives import Losses, Problem, Response
from paretonav.objectives.problem import Split

Array = NDArray[np.float64]

_CHANGE = 0.01  # of a loss, about, where a direction is probed: the size of a step
_LEAST, _MOST = 0.3, 3.0  # times that, within which a length is good enough
_ROUNDS = 5
_SOME = 6  # batches, on which two directions are probed together
_PAIRS_OF_ALL = 6  # directions, beyond which
_FEW = 4  # batches have to do
_ZERO = 1e-9  # of the largest loss: one below it is compared by that


@dataclass(frozen=True, eq=False)
class Probes:
    """First and second differences along k directions, at the size of a step.

    Derivatives say what happens next to a point; a network of ReLUs is made of pieces, and what a step of a per cent
    does is the mean over many of them. So the losses are measured a per cent away, forwards and backwards: that has the
    slope and the bend of losses and metrics alike, those without a derivative too, and costs forward passes only.

    Attributes:
        before: the losses and metrics at the point itself.
        response: their slopes along the directions, batch by batch.
        bend: [m + p, k, k], their second differences.
        lengths: [k], how far along each direction was gone.
    """

    before: Losses
    response: Response
    bend: Array
    lengths: Array

    @classmethod
    def along(
        cls,
        problem: Problem,
        theta: Tensor,
        directions: Tensor,
        split: Split,
        lengths: Array,
        *,
        batches: int | None = None,
        pairs: bool = True,
    ) -> Probes:
        """Measure; 2 k forward passes and, with ``pairs``, one for every two directions besides.

        Args:
            problem: what is measured.
            theta: the point, [n].
            directions: [k, n].
            split: on what.
            lengths: [k], guesses of how far to go; they are mended until a direction changes some loss by about one
                per cent and none by much more.
            batches: on about so many batches instead of all.
            pairs: measure the mixed second differences; zero without.
        """
        before = problem.probe([theta], split, batches)[0]
        sizes = relative_sizes(_values(before)[: problem.m])
        h, k = np.array(lengths, dtype=float), len(directions)
        ends: list[tuple[Losses, Losses]] = [(before, before)] * k
        open_ones = list(range(k))
        for last in (False,) * (_ROUNDS - 1) + (True,):
            points = [theta + s * h[j] * directions[j] for j in open_ones for s in (1.0, -1.0)]
            found = problem.probe(points, split, batches)
            left = []
            for place, j in enumerate(open_ones):
                ends[j] = found[2 * place], found[2 * place + 1]
                change = max(_change(end, before, sizes) for end in ends[j])
                if last or _LEAST * _CHANGE <= change <= _MOST * _CHANGE:
                    continue
                h[j] *= np.clip(_CHANGE / max(change, 1e-300), 0.05, 30.0) if np.isfinite(change) else 0.05
                left.append(j)
            open_ones = left
            if not left:
                break
        slopes, bend = [], np.zeros((_width(before), k, k))
        for j, (ahead, back) in enumerate(ends):
            slopes.append((_batches(ahead) - _batches(back)) / (2 * h[j]))
            bend[:, j, j] = (_values(ahead) + _values(back) - 2 * _values(before)) / h[j] ** 2
        if pairs and k > 1:
            some = min(batches or _SOME, _SOME if k <= _PAIRS_OF_ALL else _FEW)
            _mixed(problem, theta, directions, split, h, some, bend)
        response = Response(torch.stack(slopes, dim=-1), before.fractions)
        return cls(before, response, bend, h)


def _mixed(
    problem: Problem,
    theta: Tensor,
    directions: Tensor,
    split: Split,
    h: Array,
    batches: int | None,
    bend: Array,
) -> None:
    """Fill in the mixed second differences: f(a + b) + f(-a - b) - 2 f less those of a and of b."""
    k = len(directions)
    pairs = [(i, j) for i in range(k) for j in range(i)]
    ways = [h[i] * directions[i] for i in range(k)] + [
        h[i] * directions[i] + h[j] * directions[j] for i, j in pairs
    ]
    points = [theta] + [theta + sign * way for way in ways for sign in (1.0, -1.0)]
    found = [_values(losses) for losses in problem.probe(points, split, batches)]
    turns = [found[1 + 2 * place] + found[2 + 2 * place] - 2 * found[0] for place in range(len(ways))]
    for place, (i, j) in enumerate(pairs):
        bend[:, i, j] = bend[:, j, i] = (turns[k + place] - turns[i] - turns[j]) / (2 * h[i] * h[j])


def first_lengths(response: Tensor, losses: Tensor) -> Array:
    """[k], how far along each direction some loss changes by one per cent, to first order.

    Args:
        response: [m, k], of the losses.
        losses: [m].
    """
    speeds = np.abs(response.numpy() / relative_sizes(losses.numpy())[:, None]).max(axis=0)
    return np.asarray(_CHANGE / np.maximum(speeds, 1e-300))


def relative_sizes(losses: Array) -> Array:
    """[m], the magnitudes of losses, by which changes of different ones are compared; never zero."""
    sizes = np.abs(losses)
    return np.asarray(np.maximum(sizes, _ZERO * max(float(sizes.max(initial=0.0)), 1e-290)))


def _batches(losses: Losses) -> Tensor:
    """[b, m + p], of losses and metrics."""
    if not losses.metric_names:
        return losses.batches
    return torch.cat([losses.batches, losses.metric_batches], dim=1)


def _values(losses: Losses) -> Array:
    """[m + p], over all that was measured."""
    return np.asarray((losses.fractions @ _batches(losses)).numpy())


def _width(losses: Losses) -> int:
    return losses.batches.shape[1] + len(losses.metric_names)


def _change(end: Losses, before: Losses, sizes: Array) -> float:
    """The largest relative change of a loss."""
    change = np.abs((end.mean - before.mean).numpy()) / sizes
    return float(change.max()) if np.isfinite(change).all() else float("inf")
