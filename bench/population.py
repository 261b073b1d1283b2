"""Three tasks of a linear model on Gaussian data: what is estimated from a sample is known exactly as well."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

import paretonav as pn

NAMES = ("first", "second", "third")
METRICS = ("absolute error", "hits", "gap")

_FEATURES = 4
_NOISE = 1.0
_SHARE = 0.3  # of the second group
_TASKS = torch.tensor(
    [[1.0, 0.5, 0.0, 0.3], [0.0, 0.8, 1.0, -0.3], [-0.5, 0.2, 0.6, 1.0]], dtype=torch.float64
)
_CENTRES = 0.5 * torch.tensor(
    [[1.0, 0.0, 1.0, 0.0], [-1.0, 0.0, 0.0, 1.0]], dtype=torch.float64
)  # of the groups


class Population:
    """One output ``o = x . w`` for three targets ``y_k = x . w_k + noise``, with x Gaussian in each of two groups.

    Losses: the mean squared error of each target. Metrics: the mean absolute error of the second (differentiable), the
    share of examples within one of the first (not differentiable), and the gap between the groups' mean
    ``sigmoid(o)`` (not a mean over examples).

    Args:
        lengths: of the batches of validation data.
        train: the number of training examples.
        seed: of all draws.
        spread: how far apart the tasks are; at 0 they are the same but for their noise.
        metrics: whether there are any.
    """

    def __init__(
        self,
        lengths: list[int],
        train: int = 400,
        seed: int = 0,
        *,
        spread: float = 1.0,
        metrics: bool = True,
    ) -> None:
        self._lengths = lengths
        self._tasks = spread * _TASKS + (1 - spread) * _TASKS.mean(0)
        self._metrics = _METRICS if metrics else {}
        self._generator = torch.Generator().manual_seed(seed)
        self._train = self._draw([train // 8] * 8)

    def problem(self) -> pn.ModelProblem:
        """On the same training data at every call, and another draw of validation data."""
        model = nn.Linear(_FEATURES, 1, bias=False).double()
        with torch.no_grad():
            model.weight.copy_(_TASKS.mean(0))
        return pn.ModelProblem(
            model,
            {name: _squared_error(k) for k, name in enumerate(NAMES)},
            _loader(self._train),
            _loader(self._draw(self._lengths)),
            metrics=self._metrics,
        )

    def _draw(self, lengths: list[int]) -> list[tuple[Tensor, ...]]:
        count, generator = sum(lengths), self._generator
        group = (torch.rand(count, generator=generator) < _SHARE).long()
        spread = torch.randn(count, _FEATURES, generator=generator, dtype=torch.float64)
        x = _CENTRES[group] + spread
        y = x @ self._tasks.T + _NOISE * torch.randn(
            count, len(NAMES), generator=generator, dtype=torch.float64
        )
        return list(zip(*(torch.split(tensor, lengths) for tensor in (x, y, group)), strict=True))

    def values(self, w: Tensor) -> Tensor:
        """[6]: the losses and metrics of the whole population at w [4]; differentiable."""
        shares = torch.tensor([1 - _SHARE, _SHARE], dtype=torch.float64)
        off = w - self._tasks
        means, spread = off @ _CENTRES.T, (off.square().sum(1) + _NOISE**2).sqrt()[:, None]  # of o - y_k
        losses = (means.square() + spread.square()) @ shares
        m, s = means[1], spread[1]
        folded = s * math.sqrt(2 / math.pi) * torch.exp(-0.5 * (m / s) ** 2) + m * (1 - 2 * _cdf(-m / s))
        m, s = means[0], spread[0]
        hits = _cdf((1 - m) / s) - _cdf((-1 - m) / s)
        nodes, weights = (torch.from_numpy(a) for a in np.polynomial.hermite_e.hermegauss(60))
        scores = (_CENTRES @ w)[:, None] + w.norm() * nodes
        rates = scores.sigmoid() @ weights / math.sqrt(2 * math.pi)
        gap = ((rates[0] - rates[1]) ** 2 + 1e-4).sqrt() - 1e-2
        return torch.stack([*losses, folded @ shares, hits @ shares, gap])

    def change(self, w: Tensor, to: Tensor) -> Tensor:
        """[6]: by how much they change."""
        return (self.values(to) - self.values(w)).detach()

    def response(self, w: Tensor, directions: Tensor) -> Tensor:
        """[6, k]: their derivatives along directions [k, 4]."""
        jacobian: Tensor = torch.autograd.functional.jacobian(self.values, w)  # type: ignore[no-untyped-call]
        return jacobian @ directions.T

    def differences(self, w: Tensor, direction: Tensor, step: float) -> Tensor:
        """[6]: their central differences."""
        return self.change(w - step * direction, w + step * direction) / (2 * step)


def _loader(batches: list[tuple[Tensor, ...]]) -> DataLoader[Any]:
    return DataLoader(batches, batch_size=None)  # type: ignore[arg-type]


def _cdf(z: Tensor) -> Tensor:
    probability: Tensor = torch.special.ndtr(z)
    return probability


def _squared_error(k: int) -> Callable[..., Tensor]:
    return lambda o, b: (o[:, 0] - b[1][:, k]).square().mean()


def _absolute_error(o: Tensor, batch: tuple[Tensor, ...]) -> Tensor:
    return (o[:, 0] - batch[1][:, 1]).abs().mean()


def _hits(o: Tensor, batch: tuple[Tensor, ...]) -> Tensor:
    return ((o[:, 0] - batch[1][:, 0]).abs() < 1).double().mean()


_METRICS = {
    "absolute error": pn.Metric(_absolute_error, higher_is_better=False),
    "hits": pn.Metric(_hits, higher_is_better=True),
    "gap": pn.Metric(pn.group_gap(lambda o, _: o[:, 0].sigmoid(), lambda b: b[2]), higher_is_better=False),
}
