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
_OF_A_RAY = 3.0  # times the weight of a direction, for a way along which a loss changes most
_DETERMINED = 3  # directions up to which these and the rays determine the bends
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
    """

    before: Losses
    response: Response
    bend: Array

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
        bends: bool = True,
    ) -> Probes:
        """Measure, in 2 k forward passes; with ``bends`` twice as many, and where k > 3 some for every two directions.

        Each direction is probed forwards and backwards, and so is then each way along which one loss changes most: that
        is what is asked for most, and a network is not so smooth that what happens there would follow from the
        directions alone. Slopes and bends are those that fit all of it best.

        Args:
            problem: what is measured.
            theta: the point, [n].
            directions: [k, n]; ways along which losses change most are meant with these orthonormal.
            split: on what.
            lengths: [k], guesses of how far to go; they are mended until a direction changes some loss by about one
                per cent and none by much more.
            batches: on about so many batches instead of all.
            bends: measure the second differences; zero without.
        """
        before = problem.probe([theta], split, batches)[0]
        m, k = problem.m, len(directions)
        sizes = relative_sizes(_values(before)[:m])
        axes = _Measured(
            np.eye(k), *_at_a_step(problem, theta, directions, split, lengths, batches, before, sizes)
        )
        if not bends:
            return cls(
                before, Response(axes.slopes, before.fractions, examples=before.examples), np.zeros((0, k, k))
            )
        along = before.fractions @ axes.slopes.flatten(1)
        slopes = along.reshape(axes.slopes.shape[1:])[:m].numpy()
        rays = _rays(slopes, sizes)
        ends = [length * torch.from_numpy(ray).to(directions) @ directions for ray, length in rays]
        found = problem.probe([theta + sign * end for end in ends for sign in (1.0, -1.0)], split, batches)
        whole = [axes, _Measured.of(rays, found, before)]
        turned = list(whole)
        if k > _DETERMINED:
            few = _SOME if k <= _PAIRS_OF_ALL else _FEW
            turned.append(_pairs(problem, theta, directions, split, axes, min(batches or few, few)))
        return cls(
            before,
            Response(_fitted_slopes(whole), before.fractions, examples=before.examples),
            _fitted_bends(turned, k),
        )


@dataclass(frozen=True, eq=False)
class _Measured:
    """Differences along unit ways u [d, k] in the coordinates of the directions.

    Attributes:
        ways: u.
        slopes: [b, m + p, d], first differences batch by batch.
        turns: [m + p, d], second differences.
        lengths: [d], how far it was gone.
        weight: how much each counts in a fit.
    """

    ways: Array
    slopes: Tensor
    turns: Array
    lengths: Array
    weight: float = 1.0

    @classmethod
    def of(cls, rays: list[tuple[Array, float]], found: list[Losses], before: Losses) -> _Measured:
        lengths = np.array([length for _, length in rays])
        pairs = list(zip(found[::2], found[1::2], strict=True))
        ways = np.stack([ray for ray, _ in rays])
        return cls(ways, *_differences(pairs, lengths, before), lengths, _OF_A_RAY)


def _differences(ends: list[tuple[Losses, Losses]], lengths: Array, before: Losses) -> tuple[Tensor, Array]:
    slopes = [(_batches(a) - _batches(b)) / (2 * h) for (a, b), h in zip(ends, lengths, strict=True)]
    turns = [
        (_values(a) + _values(b) - 2 * _values(before)) / h**2
        for (a, b), h in zip(ends, lengths, strict=True)
    ]
    return torch.stack(slopes, dim=-1), np.stack(turns, axis=-1)


def _at_a_step(
    problem: Problem,
    theta: Tensor,
    directions: Tensor,
    split: Split,
    lengths: Array,
    batches: int | None,
    before: Losses,
    sizes: Array,
) -> tuple[Tensor, Array, Array]:
    """First and second differences along the directions, with their lengths mended."""
    h = np.array(lengths, dtype=float)
    ends: list[tuple[Losses, Losses]] = [(before, before)] * len(directions)
    open_ones = list(range(len(directions)))
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
    return (*_differences(ends, h, before), h)


def _rays(slopes: Array, sizes: Array) -> list[tuple[Array, float]]:
    """The unit ways along which each loss changes most, and how far to go along them."""
    rays = []
    for slope in slopes:
        steepest = float(np.linalg.norm(slope))
        ray = slope / steepest if steepest > 0 and np.isfinite(steepest) else np.eye(len(slope))[0]
        fastest = float(np.nan_to_num(np.abs(slopes @ ray) / sizes).max())
        rays.append((ray, _MOST * _CHANGE / max(fastest, 1e-300)))
    return rays


def _pairs(
    problem: Problem, theta: Tensor, directions: Tensor, split: Split, axes: _Measured, batches: int
) -> _Measured:
    """Second differences along the sums of every two directions, on a few batches: of what is mixed there is much."""
    k, h = len(directions), axes.lengths
    ways = [h * np.eye(k)[i] for i in range(k)]
    ways += [ways[i] + ways[j] for i in range(k) for j in range(i)]
    ends = [torch.from_numpy(way).to(directions) @ directions for way in ways]
    points = [theta] + [theta + sign * end for end in ends for sign in (1.0, -1.0)]
    found = [_values(losses) for losses in problem.probe(points, split, batches)]
    turns = [found[1 + 2 * d] + found[2 + 2 * d] - 2 * found[0] for d in range(len(ways))]
    # What a few batches have of the mixed part, beside what all have of the directions themselves.
    alone = [axes.turns[:, i] * h[i] ** 2 for i in range(k)]
    pairs = [(i, j) for i in range(k) for j in range(i)]
    mixed = [turns[k + d] - turns[i] - turns[j] + alone[i] + alone[j] for d, (i, j) in enumerate(pairs)]
    lengths = np.array([float(np.linalg.norm(way)) for way in ways[k:]])
    units = np.stack(ways[k:]) / lengths[:, None]
    return _Measured(units, axes.slopes[..., :0], np.stack(mixed, axis=-1) / lengths**2, lengths)


def _fitted_slopes(measured: list[_Measured]) -> Tensor:
    """[b, m + p, k], that fit the first differences best."""
    ways = np.concatenate([each.weight * each.ways for each in measured])
    slopes = torch.cat([each.weight * each.slopes for each in measured], dim=-1)
    fit: Tensor = slopes @ torch.from_numpy(np.linalg.pinv(ways).T)
    return fit


def _fitted_bends(measured: list[_Measured], k: int) -> Array:
    """[m + p, k, k], symmetric, that fit the second differences ``u^T Q u`` best."""
    rows, columns = np.triu_indices(k)
    twice = np.where(rows == columns, 1.0, 2.0)
    design = np.concatenate(
        [each.weight * twice * each.ways[:, rows] * each.ways[:, columns] for each in measured]
    )
    turns = np.concatenate([each.weight * each.turns for each in measured], axis=-1)
    fit = turns @ np.linalg.pinv(design, rcond=1e-6).T
    bend = np.zeros((len(turns), k, k))
    bend[:, rows, columns] = bend[:, columns, rows] = fit
    return bend


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
