"""How losses and metrics change along a few directions, measured by going there."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from paretonav.objectives import Losses, Problem, Response
from paretonav.objectives.losses import standard_error
from paretonav.objectives.problem import Split

Array = NDArray[np.float64]

_CHANGE = (
    0.02  # of a loss, about, where a direction is probed: the size of a step, and some examples of a rate
)
_LEAST, _MOST = 0.3, 3.0  # times that, within which a length is good enough
_ROUNDS = 5
_SOME = 6  # batches, on which two directions are probed together
_PAIRS_OF_ALL = 6  # directions, beyond which
_FEW = 4  # batches have to do
_CLEAR = 3.0  # standard errors of a bend
_ZERO = 1e-9  # of the largest loss: one below it is compared by that
_FARTHEST = 1e3  # times the point's own size: where nothing has changed by then, nothing will


@dataclass(frozen=True, eq=False)
class Probes:
    """First and second differences along k directions, at the size of a step.

    Derivatives say what happens next to a point; a network of ReLUs is made of pieces, and what a step of two per cent
    does is the mean over many of them. So the losses are measured two per cent away, forwards and backwards: that has
    the slope and the bend of losses and metrics alike, those without a derivative too, and costs forward passes only.

    Attributes:
        before: the losses and metrics at the point itself.
        response: their slopes along the directions, batch by batch.
        bend: [m + p, k, k], their second differences.
        bend_error: [m + p, k, k], its standard error from the batches; infinite where that is unknown.
        lengths: [k], how far along each direction was gone.
    """

    before: Losses
    response: Response
    bend: Array
    bend_error: Array
    lengths: Array

    @property
    def clear_bend(self) -> Array:
        """[m + p, k, k], the bend without what may be noise.

        A rate goes by leaps of one example, so that its second difference over a short way says next to nothing of a
        longer one; its slope does.
        """
        return np.where(np.abs(self.bend) > _CLEAR * self.bend_error, self.bend, 0.0)

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
            lengths: [k], guesses of how far to go; they are mended until a direction changes some loss by about two
                per cent and none by much more.
            batches: on about so many batches instead of all.
            pairs: measure the mixed second differences; zero without.
        """
        before = problem.probe([theta], split, batches)[0]
        sizes = relative_sizes(before.mean.numpy())
        k, farthest = len(directions), _farthest(theta, directions)
        h = np.minimum(np.array(lengths, dtype=float), farthest)
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
                longer = np.clip(_CHANGE / max(change, 1e-300), 0.05, 30.0) if np.isfinite(change) else 0.05
                if longer > 1 and h[j] == farthest[j]:
                    continue
                h[j] = min(h[j] * longer, farthest[j])
                left.append(j)
            open_ones = left
            if not left:
                break
        bends = _Bends(_batches(before).shape[1], k)
        slopes = []
        for j, (ahead, back) in enumerate(ends):
            slopes.append((_batches(ahead) - _batches(back)) / (2 * h[j]))
            bends.put(j, j, _turn(before, ahead, back) / h[j] ** 2, before)
        if pairs and k > 1:
            some = min(batches or _SOME, _SOME if k <= _PAIRS_OF_ALL else _FEW)
            turned = [_turn(before, *each) for each in ends] if some == batches else None
            _mixed(problem, theta, directions, split, h, some, turned, bends)
        response = Response(torch.stack(slopes, dim=-1), before.fractions, examples=before.examples)
        return cls(before, response, bends.values(), bends.errors(), h)


def _mixed(
    problem: Problem,
    theta: Tensor,
    directions: Tensor,
    split: Split,
    h: Array,
    batches: int | None,
    alone: list[Tensor] | None,
    bends: _Bends,
) -> None:
    """Put in the mixed second differences: f(a + b) + f(-a - b) - 2 f less those of a and of b.

    The latter are ``alone``, k times [b, m + p], where they are known on the same batches; those of others would not
    cancel.
    """
    k = len(directions)
    steps = torch.from_numpy(h).to(directions)[:, None] * directions
    pairs = [(i, j) for i in range(k) for j in range(i)]
    turning = [steps[i] + steps[j] for i, j in pairs] + (list(steps) if alone is None else [])
    points = (theta + s * step for step in turning for s in (1.0, -1.0))
    here, *found = problem.probe(chain([theta], points), split, batches)
    turns = [_turn(here, *each) for each in zip(found[::2], found[1::2], strict=True)]
    if alone is None:
        alone = turns[len(pairs) :]
    for (i, j), turn in zip(pairs, turns[: len(pairs)], strict=True):
        bends.put(i, j, (turn - alone[i] - alone[j]) / (2 * h[i] * h[j]), here)


class _Bends:
    """Second differences along every two of k directions, with their errors."""

    def __init__(self, width: int, k: int) -> None:
        self._width, self._k = width, k
        self._found: dict[tuple[int, int], tuple[Array, Array]] = {}

    def put(self, i: int, j: int, batches: Tensor, of: Losses) -> None:
        """Those of directions i and j, [b, m + p], on the batches of ``of``."""
        value = of.fractions @ batches
        error = standard_error(of.fractions, batches, of.examples)
        error = torch.full_like(value, torch.inf) if error is None else error
        self._found[i, j] = self._found[j, i] = value.numpy(), error.numpy()

    def values(self) -> Array:
        """[m + p, k, k]; zero where nothing was put in."""
        return self._filled(0)

    def errors(self) -> Array:
        """The same of the standard errors."""
        return self._filled(1)

    def _filled(self, which: int) -> Array:
        filled = np.zeros((self._width, self._k, self._k))
        for (i, j), entry in self._found.items():
            filled[:, i, j] = entry[which]
        return filled


def first_lengths(response: Tensor, losses: Tensor, bend: Array | None = None) -> Array:
    """[k], how far along each direction some loss changes by two per cent, by what is known of slopes and bends.

    Args:
        response: [m, k], of the losses.
        losses: [m].
        bend: Q [m, k, k] or [1, k, k] of the losses; where tasks hardly compete it is what counts.
    """
    sizes = relative_sizes(losses.numpy())[:, None]
    speeds = np.abs(response.numpy() / sizes).max(axis=0)
    lengths = _CHANGE / np.maximum(speeds, 1e-100)
    if bend is not None:
        turns = np.nan_to_num(np.abs(bend.diagonal(axis1=1, axis2=2) / sizes).max(axis=0), posinf=0.0)
        lengths = np.minimum(lengths, np.sqrt(2 * _CHANGE / np.maximum(turns, 1e-100)))
    return np.asarray(lengths)


def _farthest(theta: Tensor, directions: Tensor) -> Array:
    """[k], how far along each direction it is worth while to go."""
    norms = directions.norm(dim=1).double().cpu().numpy()
    return np.asarray(_FARTHEST * (1 + float(theta.norm())) / np.maximum(norms, 1e-100))


def relative_sizes(losses: Array) -> Array:
    """[m], the magnitudes of losses, by which changes of different ones are compared; never zero."""
    sizes = np.abs(losses)
    return np.asarray(np.maximum(sizes, _ZERO * max(float(sizes.max(initial=0.0)), 1e-290)))


def _batches(losses: Losses) -> Tensor:
    """[b, m + p], of losses and metrics."""
    if not losses.metric_names:
        return losses.batches
    return torch.cat([losses.batches, losses.metric_batches], dim=1)


def _turn(here: Losses, ahead: Losses, back: Losses) -> Tensor:
    """The second difference, [b, m + p]."""
    return _batches(ahead) + _batches(back) - 2 * _batches(here)


def _change(end: Losses, before: Losses, sizes: Array) -> float:
    """The largest relative change of a loss."""
    change = np.abs((end.mean - before.mean).numpy()) / sizes
    return float(change.max()) if np.isfinite(change).all() else float("inf")
