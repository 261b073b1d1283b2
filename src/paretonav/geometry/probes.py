"""How losses and metrics change along a few directions, measured by going there.

See docs/method.md#probes-instead-of-derivatives.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from paretonav.geometry.sizes import relative_sizes
from paretonav.objectives import Losses, Problem, Response
from paretonav.objectives.problem import Split
from paretonav.statistics import quantile, standard_error

Array = NDArray[np.float64]

# Of a loss: the change at which a direction is probed, the size of a step; and how many times as much is good enough,
# so that no length has to be mended. Chosen, not measured: nearer, noise and pieces of a network are measured; further,
# what a step does not do.
_CHANGE = 0.01
_LEAST, _MOST = 0.3, 3.0
# Rounds of mending lengths, at most, each of two passes a direction; and what they usually come to, for estimates.
_ROUNDS, _USUAL_ROUNDS = 5, 1.5
# Sums of two directions are probed on all the data up to so many directions; of more, on so many examples only, as
# there are k (k - 1) / 2 of them. Of 45 wishes for a model with eight targets 20 were taken with 1144 examples, 15 with
# 572, 21 with 286, all but one as predicted; without any sums 18, and two otherwise.
_FEW_WAYS, _EXAMPLES = 3, 256
# The least singular value of a least-squares problem that tells the bends apart: noise is magnified threefold at most.
_TOLD = 0.3
_BACK = 0.25  # of a length at which something is not finite: no longer one than that is tried from then on
_FARTHEST = 1e3  # times the point's own size: where nothing has changed by then, nothing will
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
        lengths: [k], how far the directions were gone.
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
        before: Losses | None = None,
        rays: bool = True,
    ) -> Probes:
        """Measure, in 2 k forward passes, 2 m more along rays, and one for every two directions where it is needed.

        Each direction is probed forwards and backwards, and so is then each way along which one loss changes most, its
        ray: that is what is asked for most, and a network is not so smooth that what happens there would follow from
        the directions alone. Slopes and bends are those that fit all of it best. Where rays say little of what is mixed
        in the bends, the ends of the sums of every two directions are measured; where k > 3 always, on few examples.

        Args:
            problem: what is measured.
            theta: the point, [n].
            directions: [k, n]; ways along which losses change most are meant with these orthonormal.
            split: on what.
            lengths: [k], guesses of how far to go; they are mended until a direction changes some loss by about one
                per cent and none by much more.
            batches: on about so many batches instead of all.
            before: the losses at the point on just these batches, if they are known.
            rays: probe the rays, too. Without, the lengths are known to be good, and only those are mended that lead to
                where losses are not finite; and of k > 3 directions no sums are probed.
        """
        before = before or problem.probe([theta], split, batches, around=theta)[0]
        m, k = problem.m, len(directions)
        sizes = relative_sizes(_values(before)[:m], np.isin(problem.names, problem.absolute))
        found = _at_a_step(problem, theta, directions, split, lengths, batches, before, sizes, mend=rays)
        units = np.abs(found.ways[::2]).max(axis=1)
        mixed = k <= _FEW_WAYS

        def there(ways: Array) -> _Measured:
            ends = problem.probe(_ends(theta, ways, directions), split, batches, around=theta)
            return _Measured.of(ways, ends, before)

        if rays:
            slopes = _mean(_fitted_slopes(found.ways, found.changes, units), before.fractions)[:m]
            found = found.and_finite(there(_both(_rays(slopes, sizes, units))))
        if mixed and not _tell_mixed(found.ways / units):
            found = found.and_finite(there(_sums(units)))
        fitted, bends = _fit(found.ways, found.changes, units, mixed=mixed)
        of_metrics = _clear_bends(bends[:, m:], before)
        straight = m + np.flatnonzero(~of_metrics.any(axis=(1, 2)))
        fitted[:, straight] = _fitted_slopes(found.ways, found.changes[:, straight], units)
        of_losses = _mean(bends[:, :m], before.fractions)
        if rays and not mixed:
            few = _few(problem, split)
            sums, together = _pairs(problem, theta, directions, split, units, min(batches or few, few))
            changes = torch.from_numpy(_mean(found.changes[:, :m], before.fractions))
            of_losses = _fitted_bends_with(sums, together, found.ways, changes, units)
        response = Response(fitted, before.fractions, examples=before.examples)
        return cls(before, response, np.concatenate([of_losses, of_metrics]), units)


def _clear_bends(bends: Tensor, before: Losses) -> Array:
    """[p, k, k], the bends of metrics from those of each batch [b, p, k, k]; zero where they may be noise.

    A metric that leaps, as an accuracy does by one example, has first differences that mean something, but a second
    difference at the size of a step is as a rule a leap more or less. Of all entries together 5 % of the metrics may
    seem to bend that do not.
    """
    error = standard_error(before.fractions, bends, before.examples)
    mean = _mean(bends, before.fractions)
    if error is None:
        return np.zeros_like(mean)
    k = bends.shape[-1]
    clear = quantile(len(before.fractions), tests=k * (k + 1) // 2) * error.numpy()
    return np.where(np.abs(mean) > clear, mean, 0.0)


def _mean(batches: Tensor, fractions: Tensor) -> Array:
    """The mean over batches [b, ...], [...]."""
    mean: Tensor = torch.tensordot(fractions, batches, 1)
    return np.asarray(mean.numpy())


def probing_passes(
    problem: Problem, k: int, split: Split, batches: int | None = None, *, rays: bool = True
) -> float:
    """What ``Probes.along`` reads along k directions as a rule, in passes over the training data.

    The arguments are as there; how often lengths have to be mended is not known before.
    """
    axes = 2 * k * (_USUAL_ROUNDS if rays else 1)
    sums = 0 if k > _FEW_WAYS or (rays and k < _FEW_WAYS) else k * (k - 1) / 2
    read = (1 + axes + 2 * problem.m * rays + sums) * problem.share(split, batches)
    if rays and k > _FEW_WAYS:
        few = _few(problem, split)
        read += (1 + k * (k + 1) / 2) * problem.share(split, min(batches or few, few))
    return read


def _few(problem: Problem, split: Split) -> int:
    """The number of batches on which sums are probed where they are many."""
    examples = problem.share(split, 1) * (problem.examples or 1)
    return max(1, round(_EXAMPLES / examples))


@dataclass(frozen=True, eq=False)
class _Measured:
    """What comes of going some way, in the coordinates of the directions.

    Attributes:
        ways: [d, k], from the point.
        changes: [b, m + p, d], of losses and metrics, batch by batch; of an absolute value, those of the signed
            quantity behind it.
    """

    ways: Array
    changes: Tensor

    @classmethod
    def of(cls, ways: Array, ends: list[Losses], before: Losses) -> _Measured:
        """From what is measured at the ends of the ways."""
        middle = _batches(before)
        return cls(ways, torch.stack([_unfolded(end, before) - middle for end in ends], dim=-1))

    def and_finite(self, more: _Measured) -> _Measured:
        """With more ways, but those where something is not finite that is so far: they lead too far."""
        known = self.changes.isfinite().all(dim=-1).all(dim=0)
        finite = more.changes[:, known].isfinite().all(dim=1).all(dim=0)
        return _Measured(
            np.concatenate([self.ways, more.ways[finite.numpy()]]),
            torch.cat([self.changes, more.changes[..., finite]], dim=-1),
        )


def _unfolded(end: Losses, before: Losses) -> Tensor:
    """[b, m + p] at an end, with what is shown without its sign on the side of zero where it was ``before``, or beyond.

    An absolute value has a corner at zero; the signed quantity behind it goes on smoothly.
    """
    if end.signs is None or before.signs is None:
        return _batches(end)
    return _batches(end) * (end.signs * before.signs)


def _ends(theta: Tensor, ways: Array, directions: Tensor) -> list[Tensor]:
    """The points to which ways [d, k] lead from ``theta``."""
    return [theta + torch.from_numpy(way).to(directions) @ directions for way in ways]


def _both(ways: Array) -> Array:
    """[2 d, k], each way forwards and backwards, in turn."""
    return np.stack([ways, -ways], axis=1).reshape(-1, ways.shape[1])


def _at_a_step(
    problem: Problem,
    theta: Tensor,
    directions: Tensor,
    split: Split,
    lengths: Array,
    batches: int | None,
    before: Losses,
    sizes: Array,
    *,
    mend: bool,
) -> _Measured:
    """What comes of going along the directions, forwards and backwards in turn, with the lengths mended."""
    farthest = _farthest(theta, directions)
    h = np.minimum(np.array(lengths, dtype=float), farthest)
    gone, finite = h.copy(), np.zeros(len(h), dtype=bool)
    ends = [before] * (2 * len(directions))
    open_ones = list(range(len(directions)))
    for last in (False,) * (_ROUNDS - 1) + (True,):
        points = [theta + s * h[j] * directions[j] for j in open_ones for s in (1.0, -1.0)]
        found = problem.probe(points, split, batches, around=theta)
        left = []
        for place, j in enumerate(open_ones):
            both = found[2 * place : 2 * place + 2]
            change = max(_change(end, before, sizes) for end in both)
            if np.isfinite(change):
                finite[j] = True
            else:
                farthest[j] = _BACK * h[j]
            if np.isfinite(change) or not finite[j]:
                gone[j], ends[2 * j : 2 * j + 2] = h[j], both
            good = _LEAST * _CHANGE <= change <= _MOST * _CHANGE or (finite[j] and not mend)
            if last or good:
                continue
            longer = np.clip(_CHANGE / max(change, 1e-300), 0.05, 30.0) if np.isfinite(change) else 0.05
            if longer > 1 and h[j] >= farthest[j]:
                continue
            h[j] = min(h[j] * longer, farthest[j])
            left.append(j)
        open_ones = left
        if not left:
            break
    return _Measured.of(_both(np.diag(gone)), ends, before)


def _rays(slopes: Array, sizes: Array, units: Array) -> Array:
    """[m, k], the ways along which each loss changes most, as far as some loss changes by a few per cent.

    But no further than several times what the directions were gone, ``units``: what has no slope has no ray.
    """
    furthest = _MOST * float(np.linalg.norm(units))
    rays = []
    for slope in slopes:
        steepest = float(np.linalg.norm(slope))
        ray = slope / steepest if steepest > 0 and np.isfinite(steepest) else np.eye(len(slope))[0]
        fastest = float(np.nan_to_num(np.abs(slopes @ ray) / sizes).max())
        rays.append(ray * min(_MOST * _CHANGE / max(fastest, 1e-300), furthest))
    return np.stack(rays)


def _places(k: int) -> list[tuple[int, int]]:
    """Every two of k directions."""
    return [(i, j) for i in range(k) for j in range(i)]


def _sums(units: Array) -> Array:
    """[k (k-1) / 2, k], of every two directions as far as ``units`` [k]."""
    axes = np.diag(units)
    return np.array([axes[i] + axes[j] for i, j in _places(len(axes))]).reshape(-1, len(axes))


def _pairs(
    problem: Problem, theta: Tensor, directions: Tensor, split: Split, units: Array, batches: int
) -> tuple[Array, Array]:
    """The sums of every two directions [s, k], and what is mixed in the second differences along them, [m, s].

    On few examples, and at one end: they are many.
    """
    k = len(directions)
    sums = _sums(units)
    ways = np.concatenate([np.diag(units), sums])
    before, *ends = problem.probe([theta, *_ends(theta, ways, directions)], split, batches, around=theta)
    changes = _Measured.of(ways, ends, before).changes
    mixed = changes[..., k:] - changes[..., np.array(_places(k))].sum(dim=-1)
    return sums, 2 * _mean(mixed[:, : problem.m], before.fractions)


def _second_differences(changes: Tensor) -> Tensor:
    """[..., d] of changes forwards and backwards in turn, [..., 2 d]."""
    return changes[..., ::2] + changes[..., 1::2]


def _tell_mixed(ways: Array) -> bool:
    """Whether second differences along ways [d, k], in parts of the axes, determine all k (k + 1) / 2 bends well."""
    k, lengths = ways.shape[1], np.linalg.norm(ways, axis=1, keepdims=True)
    if len(ways) < k * (k + 1) // 2:
        return False
    return bool(np.linalg.svd(_bending(ways / lengths), compute_uv=False)[-1] > _TOLD)


def _bending(ways: Array, *, mixed: bool = True) -> Array:
    """[d, e], what the e entries of a symmetric Q on and above its diagonal add to ``u^T Q u`` along u.

    Only those on the diagonal where there are no ``mixed`` ones.
    """
    rows, columns = _entries(ways.shape[1], mixed)
    return np.asarray(np.where(rows == columns, 1.0, 2.0) * ways[:, rows] * ways[:, columns])


def _entries(k: int, mixed: bool) -> tuple[NDArray[Any], NDArray[Any]]:
    """The rows and columns of the entries that a symmetric [k, k] has on and above its diagonal, or on it."""
    rows, columns = np.triu_indices(k) if mixed else np.diag_indices(k)
    return rows, columns


def _fit(ways: Array, changes: Tensor, units: Array, *, mixed: bool) -> tuple[Tensor, Tensor]:
    """Slopes R and bends Q that fit changes ``R u + u^T Q u / 2`` along ways u best, by least squares.

    Longer ways change more, so they count for more. Forwards and backwards, slopes and bends do not meddle.

    Args:
        ways: [d, k].
        changes: [..., d].
        units: [k], as far as the directions are gone: the fit is made in these.
        mixed: also the entries of Q beside its diagonal, which are zero otherwise.

    Returns:
        [..., k] and [..., k, k], symmetric.
    """
    k = len(units)
    rows, columns = _entries(k, mixed)
    scaled = ways / units
    design = np.concatenate([scaled, 0.5 * _bending(scaled, mixed=mixed)], axis=1)
    scales = np.concatenate([units, units[rows] * units[columns]])
    fit = changes @ torch.from_numpy(np.linalg.pinv(design, rcond=1e-6).T / scales)
    bends = changes.new_zeros(*changes.shape[:-1], k, k)
    bends[..., rows, columns] = bends[..., columns, rows] = fit[..., k:]
    return fit[..., :k], bends


def _fitted_slopes(ways: Array, changes: Tensor, units: Array) -> Tensor:
    """[..., k], the slopes that fit changes [..., d] along ways [d, k] best.

    Where all ways are gone forwards and backwards these are those of ``_fit``; else those of what does not bend.
    """
    fit: Tensor = changes @ torch.from_numpy(np.linalg.pinv(ways / units).T / units)
    return fit


def _fitted_bends_with(sums: Array, together: Array, ways: Array, changes: Tensor, units: Array) -> Array:
    """[m, k, k], the bends that also fit what is mixed in the second differences along sums of every two directions.

    Args:
        sums: [s, k].
        together: [m, s], what is mixed along them.
        ways: [d, k], every one forwards and backwards in turn, the directions first.
        changes: [m, d], along these.
        units: [k].
    """
    slopes = _fitted_slopes(ways, changes, units).numpy()
    turns = _second_differences(changes).numpy()[:, : len(units)]
    along = turns @ (sums != 0).T + together
    finite = np.isfinite(along[np.isfinite(turns).all(axis=1)]).all(axis=0)
    sums, along = sums[finite], along[:, finite]
    ends = [torch.from_numpy(sign * slopes @ sums.T + along / 2) for sign in (1.0, -1.0)]
    ways, changes = np.concatenate([ways, sums, -sums]), torch.cat([changes, *ends], dim=1)
    return np.asarray(_fit(ways, changes, units, mixed=True)[1].numpy())


def first_lengths(response: Tensor, losses: Tensor, bend: Array | None = None) -> Array:
    """[k], how far along each direction some loss changes by one per cent, by what is known of slopes and bends.

    Args:
        response: [m, k], of the losses.
        losses: [m].
        bend: Q [m, k, k] or [1, k, k] of the losses; where losses hardly compete it is what counts.
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
