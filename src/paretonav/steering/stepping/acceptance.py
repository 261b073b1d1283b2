"""Whether what was promised has come true: the one test behind every status, word and colour.

See docs/method.md#what-counts-as-come-true.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from paretonav.geometry import FrontModel
from paretonav.steering.measured import Measured
from paretonav.steering.outcome import Part
from paretonav.steering.planning.plan import Plan
from paretonav.steering.preferences import Fit

Array = NDArray[np.float64]

# What "come true" means. All but _NOISE were chosen, not measured: tighter, and steps are taken back that people would
# have kept; looser, and a promise means less.
# The first four are parts of the largest predicted change, by which a quantity may be worse than predicted.
_VALIDATION = 0.1  # a validation loss: it was measured at the size of a step
_OTHER = 0.25  # a training loss: its bend was measured on a sample
_BROUGHT = 0.4  # the training loss of what was brought, by alignment, to what was asked on validation data
_MOST = 0.5  # a metric, which goes by leaps; and the most that noise or several legs are an excuse for
_NAMED = 0.2  # of what was asked of a quantity, by which it may be off, either way
_NOISE = 2.0  # standard errors of a change that are forgiven: the usual 95 %
_SMALL = 0.05  # of the largest metric: one below it counts as that large, since most metrics are rates


@dataclass(frozen=True)
class Broken:
    """A promise that was not kept.

    Attributes:
        name: of the loss or metric.
        part: of the outcome: "train", "validation" or "metrics".
        predicted: its change.
        achieved: its change as it came.
        before: its value.
    """

    name: str
    part: Part
    predicted: float
    achieved: float
    before: float

    def __str__(self) -> str:
        on = {"train": " on training data", "validation": " on validation data", "metrics": ""}[self.part]
        came, was = self._change(self.achieved), self._change(self.predicted)
        return f"{self.name} came out {came}{on}, where {was} was predicted"

    def _change(self, change: float) -> str:
        if not np.isfinite(change):
            return "as no finite number"
        if not self.before:
            return f"{change:+.2g}"
        return f"{100 * change / abs(self.before):+.2g} %"


def broken(front: FrontModel, plan: Plan, measured: Measured, *, legs: int = 1) -> tuple[Broken, ...]:
    """The promises of a plan that were not kept, worst first.

    Every quantity that is shown counts, named or not. None may be worse than predicted by more than a tenth (on
    training data a quarter, of metrics a half) of the largest predicted change, all in parts of the quantities' own
    sizes; on validation data twice the standard error of the change is allowed: of a loss instead, up to half of the
    largest change, of a metric, which may be next to nothing but for noise, besides. What
    was asked for must be within that both ways, and within a fifth of its own change, unless the nearest outcome was
    all that was asked for. Anything else that is better than predicted is kept.

    Args:
        front: at the point that the plan starts from.
        plan: what was promised.
        measured: at the end; promises on data that were not measured are left out.
        legs: in how many it was gone. What was predicted for all of several legs was a guess, as far as the training
            losses go: there these may be worse by up to a half.
    """
    found = list(_broken(front, plan, measured, _OTHER if legs <= 1 else _MOST))
    found.sort(key=lambda pair: -pair[0])
    return tuple(each for _, each in found)


def _broken(
    front: FrontModel, plan: Plan, measured: Measured, other: float
) -> Iterator[tuple[float, Broken]]:
    """What was not kept, and how far beyond its tolerance; ``other`` is the tolerance of training losses."""
    m = front.m
    asked_on = front.asked if front.validation_losses is not None else "train"
    asked = _asked(plan)
    of_losses = {i: change for i, change in asked.items() if i < m}
    train = _Promised(
        "train",
        front.names,
        front.losses,
        plan.predicted.train,
        front.sizes_of(front.losses),
        np.ones(m),
        of_losses if asked_on == "train" else {},
    )
    largest = train.largest
    validation: _Promised | None = None
    if len(plan.predicted.validation) and front.validation_losses is not None:
        values = front.validation_losses.mean.numpy()
        validation = _Promised(
            "validation",
            front.names,
            values,
            plan.predicted.validation,
            front.sizes_of(values),
            np.ones(m),
            of_losses if asked_on == "validation" else {},
        )
        largest = max(largest, validation.largest)
    if measured.train is not None:
        tolerance = np.full(m, other * (train.largest if asked_on == "train" else largest))
        if asked_on == "validation":
            brought = list(of_losses)
            tolerance[brought] = np.maximum(tolerance[brought], _BROUGHT * largest)
        yield from train.worse(measured.train.mean.numpy() - train.before, tolerance)
    if measured.validation is None or front.validation_losses is None:
        return
    if validation is not None:
        difference, error = measured.validation.change_from(front.validation_losses)
        noise = np.zeros(m) if error is None else _NOISE * error.numpy() / validation.sizes
        most = _MOST * validation.largest
        tolerance = np.maximum(_VALIDATION * validation.largest, np.minimum(noise, most))
        yield from validation.worse(difference.numpy(), tolerance)
    if front.metric_names:
        change, error = measured.validation.metric_change_from(front.validation_losses)
        of_metrics = {i - m: change for i, change in asked.items() if i >= m}
        losses = largest if validation is None else validation.largest
        yield from _metrics(front, plan, of_metrics, losses, change.numpy(), error)


def _asked(plan: Plan) -> dict[int, float]:
    """Index -> change of what was asked for and is tested both ways: nothing where any nearest outcome will do."""
    wish = plan.wish
    if wish.fit is Fit.NEAREST or not plan.exact:
        return {}
    return dict(zip(wish.named.tolist(), wish.changes(plan.amount).tolist(), strict=True))


def _metrics(
    front: FrontModel,
    plan: Plan,
    asked: Mapping[int, float],
    losses: float,
    change: Array,
    error: Tensor | None,
) -> Iterator[tuple[float, Broken]]:
    """Of metrics those of which it is known which way is better, or that were asked for.

    They go by leaps, so they are judged by the largest relative change of all that is shown, that of the ``losses``
    included; and those that nobody has asked for by that and twice the standard error of their change.
    """
    sizes = np.abs(front.metric_values)
    sizes = np.maximum(sizes, max(_SMALL * float(sizes.max(initial=0.0)), 1e-290))
    promised = _Promised(
        "metrics",
        front.metric_names,
        front.metric_values,
        plan.predicted.metrics,
        sizes,
        front.metric_orientation,
        asked,
        _MOST,
    )
    largest = max(promised.largest, losses, plan.amount)
    tolerance = np.full(len(change), _MOST * largest)
    if error is not None:
        tolerance += _NOISE * error.numpy() / sizes
    unjudged = (front.metric_orientation == 0) & ~np.isin(np.arange(len(change)), list(asked))
    yield from promised.worse(change, np.where(unjudged, np.inf, tolerance))


@dataclass(frozen=True, eq=False)
class _Promised:
    """What was promised of the k quantities of one part of an outcome.

    Attributes:
        part: of the outcome.
        names: of the quantities.
        before: [k], their values.
        predicted: [k], their changes.
        sizes: [k], by which changes of different quantities are compared.
        sense: [k], 1 where lower is better, -1 where higher is, 0 where nobody has said.
        asked: index -> change of those that have to come as they were asked for, neither worse nor better.
        off: of what was asked of a quantity, by which it may be off.
    """

    part: Part
    names: tuple[str, ...]
    before: Array
    predicted: Array
    sizes: Array
    sense: Array
    asked: Mapping[int, float]
    off: float = _NAMED

    @property
    def largest(self) -> float:
        """The largest predicted change, in parts of the sizes."""
        return float(np.abs(self.predicted / self.sizes).max(initial=0.0))

    def worse(self, change: Array, tolerance: Array) -> Iterator[tuple[float, Broken]]:
        """What came out worse than promised, each with how many times its tolerance it is off.

        Args:
            change: [k], as it came.
            tolerance: [k], in parts of the sizes. What was asked of a quantity makes it smaller, however large the
                others' changes are.
        """
        for i, name in enumerate(self.names):
            target, allowed = self.predicted[i], tolerance[i]
            if i in self.asked:
                target = self.asked[i]
                own = max(self.off * abs(target) / self.sizes[i], _VALIDATION * self.largest * (not target))
                allowed = min(allowed, own)
            off = (change[i] - target) / self.sizes[i]
            excess = abs(off) if i in self.asked else self.sense[i] * off
            if not excess <= allowed + 1e-12:  # NaN is worse
                times = float(np.nan_to_num(excess / max(allowed, 1e-300), nan=np.inf))
                yield (
                    times,
                    Broken(name, self.part, float(target), float(change[i]), float(self.before[i])),
                )
