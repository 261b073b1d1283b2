"""Objectives and metrics that are not means over examples, but functions of such means over all the data.

See docs/method.md#functions-of-means.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from paretonav.errors import ProblemError

_POWER = (
    20  # of the worst group's smooth maximum: a loss that is a twentieth smaller weighs about 1 / e as much
)


@dataclass(frozen=True)
class Aggregate:
    """``value(means)``, with the means taken over all the data: a rate of a group, a gap between two, the worst one.

    The value of a batch averaged over batches would be something else, and depends on the batch size. So full passes
    take the means over all the data first and apply ``value`` once; the gradient is that of this number, exactly.
    So is the curvature along the front, but for the means' own, which comes from the frozen curvature sample. What
    works on a part of the data alone cannot know the rest: a minibatch corrector sees the value on its minibatch, which
    is biased by about 1 / batch size. Where ``value`` is nan on such a part, because it holds no example of a group,
    say, that part counts as zero and pulls nowhere.

    Where what people want to see has a corner (an absolute value, a maximum), derivatives at the corner do not exist or
    mislead. Then ``value`` is a smooth stand-in that is steered by: gradients, curvature and weights are its.
    ``shown`` is the thing itself: every value and standard error that is reported is of it, wishes are about it, and
    what is predicted is how it changes, on the side of the corner where it is. The front is that of the stand-in;
    where that is an increasing function of what is shown, as with ``group_gap``, it is the same front.

    Args:
        means: ``(outputs, batch) -> [k]``, means over the examples of the batch. A rate in a group is a ratio of two:
            the mean of ``score * in_group`` and that of ``in_group``.
        value: ``[k] -> scalar``, by torch operations, twice differentiable almost everywhere. Means over all the data
            come as float64 on the CPU.
        shown: ``[k] -> scalar``, what is shown instead of ``value``. At a corner its derivative may be that of either
            side. None: the value itself.
        absolute: whether the size of ``shown`` is shown, whatever its sign, so that it has a corner at zero and what
            would lead beyond that is predicted to come back on the other side.

    Raises:
        ProblemError: ``absolute`` without ``shown``, whose size it would be.

    Example:
        >>> rate_given_group = Aggregate(
        ...     means=lambda outputs, batch: torch.stack([(outputs * batch[1]).mean(), batch[1].mean()]),
        ...     value=lambda means: means[0] / means[1],
        ... )
        >>> float(rate_given_group(torch.tensor([1.0, 0.0, 0.5]), (None, torch.tensor([1.0, 1.0, 0.0]))))
        0.5
    """

    means: Callable[[Any, Any], Tensor]
    value: Callable[[Tensor], Tensor]
    shown: Callable[[Tensor], Tensor] | None = field(default=None, kw_only=True)
    absolute: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        if self.absolute and self.shown is None:
            raise ProblemError("absolute=True needs shown=, the signed quantity whose size is to be shown")

    def __call__(self, outputs: Any, batch: Any) -> Tensor:
        """The value on one batch alone, which can be trained on; a stand-in where something else is shown."""
        return self.value(self.means(outputs, batch))


def group_rates(
    score: Callable[[Any, Any], Tensor], group: Callable[[Any], Tensor], groups: int
) -> Callable[[Any, Any], Tensor]:
    """The means from which ``rates_of`` gets each group's mean score.

    Args:
        score: ``(outputs, batch) -> [examples]``, such as a probability or a loss per example.
        group: ``batch -> [examples]``, integers below ``groups``; a negative one is in no group (for an
            equal-opportunity gap, the examples whose label is negative).
        groups: how many there are.

    Returns:
        ``(outputs, batch) -> [2 * groups]``: each group's part of the mean score, then each group's share. It raises
        a ProblemError unless scores and groups have one entry an example.
    """

    def means(outputs: Any, batch: Any) -> Tensor:
        scores, labels = score(outputs, batch), group(batch)
        if scores.ndim != 1 or scores.shape != labels.shape:
            raise ProblemError(
                f"scores of shape {list(scores.shape)} and groups of shape {list(labels.shape)} do not match; give "
                "both one entry an example, for example outputs.squeeze(1)"
            )
        if int(labels.max()) >= groups:
            raise ProblemError(
                f"there is a group {int(labels.max())}, but groups count from 0 to {groups - 1}"
            )
        if scores.dtype != torch.float64:  # decisions are integers, and half precision cannot count
            scores = scores.float()
        # A row for every group: the other way round each operation would run over a few numbers at a time.
        member = (labels == torch.arange(groups, device=labels.device)[:, None]).to(scores)
        return torch.cat([member @ scores, member.sum(1)]) / len(scores)

    return means


def rates_of(means: Tensor) -> Tensor:
    """[groups], each group's mean score from the means of ``group_rates``; nan for a group without examples."""
    sums, shares = means.chunk(2)
    return sums / shares


def group_gap(
    score: Callable[[Any, Any], Tensor], group: Callable[[Any], Tensor], *, smoothing: float = 1e-2
) -> Aggregate:
    """The gap between the mean scores of two groups: demographic parity, equal opportunity, a difference of losses.

    It is nan, which no objective may be, where the data hold no example of one of the two.

    Shown is the absolute gap itself. An absolute value has no second derivative at zero, and no first one either, so
    what is steered by is ``sqrt(gap^2 + smoothing^2) - smoothing``: the same but for a rounding of its corner. It is an
    increasing function of the absolute gap, so both have the same front. A gap that has closed is held closed by the
    rounding's curvature, 1 / smoothing, while other losses are traded.

    Args:
        score: ``(outputs, batch) -> [examples]``, differentiable to be an objective.
        group: ``batch -> [examples]``: 0, 1, or -1 for neither.
        smoothing: width of the rounding; 0 for none, as for a metric.

    Raises:
        ProblemError: ``smoothing`` is negative.

    Example:
        >>> gap = group_gap(lambda outputs, batch: outputs, lambda batch: batch[1], smoothing=0)
        >>> float(gap(torch.tensor([1.0, 0.5, 0.0]), (None, torch.tensor([0, 0, 1]))))
        0.75
    """
    if smoothing < 0:
        raise ProblemError(f"smoothing={smoothing!r} must not be negative; 0 is the plain absolute gap")

    def gap(means: Tensor) -> Tensor:
        first, second = rates_of(means)
        difference: Tensor = first - second
        return difference

    def value(means: Tensor) -> Tensor:
        signed = gap(means)
        return signed.abs() if smoothing == 0 else torch.sqrt(signed.square() + smoothing**2) - smoothing

    return Aggregate(group_rates(score, group, 2), value, shown=gap, absolute=True)


def worst_group(
    loss: Callable[[Any, Any], Tensor],
    group: Callable[[Any], Tensor],
    groups: int,
    *,
    temperature: float | None = None,
) -> Aggregate:
    """The largest mean loss of any group; groups of which the data hold no example do not count.

    Shown is that maximum. Training the worst group soon leaves two that are equally badly off, where lowering one may
    raise the other and the maximum has no derivative. So a smooth maximum is steered by, which lowers both together
    (its curvature holds their difference), and is as good as the maximum where one group is worst by far. By default
    it is the power mean ``mean(rates^20)^(1/20)``, whatever the unit of the loss; it takes losses that are not
    negative, and others are steered by the maximum itself unless there is a ``temperature``.

    Args:
        loss: ``(outputs, batch) -> [examples]``.
        group: ``batch -> [examples]``, integers below ``groups``, negative for none.
        groups: how many there are.
        temperature: t of the smooth maximum ``t log(mean(exp(rates / t)))`` instead, in units of the loss: groups that
            differ by well less count alike. It is below the maximum by at most ``t log(groups)``. 0: the maximum
            itself, as for a metric.

    Raises:
        ProblemError: ``temperature`` is negative.
    """
    if temperature is not None and not temperature >= 0:
        raise ProblemError(f"temperature={temperature!r} must not be negative; 0 is the maximum itself")

    def rates(means: Tensor) -> Tensor:
        sums, shares = means.chunk(2)
        there: Tensor = sums[shares > 0] / shares[shares > 0]
        return there if len(there) else means.new_full((1,), math.nan)

    def largest(means: Tensor) -> Tensor:
        each = rates(means)
        return each[each.argmax()]  # of equal ones the derivative of one, a side of the corner

    if temperature == 0:
        return Aggregate(group_rates(loss, group, groups), largest)

    def smooth(means: Tensor) -> Tensor:
        each = rates(means)
        if temperature is not None:
            value: Tensor = temperature * (torch.logsumexp(each / temperature, 0) - math.log(len(each)))
            return value
        unit = each.detach().max()  # the power mean is proportional to it, so that nothing overflows
        if not (each >= 0).all() or unit == 0:
            return largest(means)
        return unit * (each / unit).pow(_POWER).mean().pow(1 / _POWER)

    return Aggregate(group_rates(loss, group, groups), smooth, shown=largest)
