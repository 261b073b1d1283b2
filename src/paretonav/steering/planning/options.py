"""Options: a few distinct things that can be asked for at a point, each with what it would bring.

They are for people who do not know what to ask for, and show what there is to trade.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paretonav.display import Display, Shown, changes_shown
from paretonav.errors import InfeasiblePreferenceError, PreferenceError
from paretonav.geometry import FrontModel
from paretonav.steering.changes import Changes
from paretonav.steering.outcome import Outcome
from paretonav.steering.planning.along import along_the_front
from paretonav.steering.planning.plan import Plan, plan
from paretonav.steering.planning.predictions import predictions
from paretonav.steering.preferences import Direction, Improve, Prefer, Preference
from paretonav.steering.preferences.checks import names
from paretonav.steering.preferences.ends import ends, rays
from paretonav.steering.preferences.situation import situation
from paretonav.steering.preferences.wording import describe
from paretonav.text import listed

Array = NDArray[np.float64]

# All chosen by what people can take in, not measured: more options, or ones that are more alike, are harder to choose
# between; fewer leave something out.
_MOST = 6  # options: as many as can be compared at a glance
_DISTINCT = 0.15  # of the longer of two changes: two that are nearer to each other are one option
_WORTH = 0.1  # of the amount: what reaches less far is no option
_UNEVEN = 0.1  # of the ranges: a point that is nearer to the middle needs no balance
_BARGAINS = 3  # objectives that are tried as what gains in an exchange, each a plan of its own


@dataclass(frozen=True, repr=False)
class Option(Shown):
    """One thing to ask for, to be taken with ``nav.step(option.preference, option.amount)``.

    Attributes:
        title: what it does, in a few words.
        preference: what to ask for.
        amount: how much of it; less than was wanted where the front ends before.
        predicted: the predicted changes of losses and metrics.
    """

    title: str
    preference: Preference
    amount: float
    predicted: Outcome[Changes]

    def _display(self) -> Display:
        shown = self.predicted.shown
        title = f"Option: {self.title} ({describe(self.preference, self.amount)})"
        return changes_shown(title, {"predicted": shown}, shown.standard_errors)


def options(front: FrontModel, amount: float, hold: Sequence[str] = ()) -> tuple[Option, ...]:
    """Distinct options at the point of ``front``, none of which is better than another in every loss.

    They are: each objective improved in turn, all of them made more even, and the exchange of two that brings most for
    what it costs; of many the six most distinct. All from the front model, without a pass over data.

    Args:
        front: at the point.
        amount: how much is improved, relative to the present value.
        hold: names of what shall not move.
    """
    hold = names(hold, "hold")
    situation(front).require_known(hold)
    singles = [
        (f"improve {name}", Improve({name: 1.0}, hold=hold)) for name in _different_objectives(front, hold)
    ]
    candidates = [
        _Candidate.of(front, title, preference, amount)
        for title, preference in [*singles, *_more_even(front, hold), *_exchange(front, amount, hold)]
    ]
    chosen = _distinct(_not_dominated([candidate for candidate in candidates if candidate is not None]))
    order = {name: place for place, (name, _) in enumerate(singles)}
    chosen.sort(key=lambda candidate: order.get(candidate.title, len(order)))
    return tuple(Option(p.title, p.preference, p.plan.amount, predictions(front, p.plan)) for p in chosen)


@dataclass(frozen=True, eq=False)
class _Candidate:
    """What may become an option.

    Attributes:
        title: what it does, in a few words.
        preference: what is asked for.
        plan: how far that goes.
        relative: [m], the predicted changes in parts of the losses.
    """

    title: str
    preference: Preference
    plan: Plan
    relative: Array

    @classmethod
    def of(cls, front: FrontModel, title: str, preference: Preference, amount: float) -> _Candidate | None:
        """As much of a preference as the front allows; None if that is next to nothing."""
        try:
            wish = preference.wish(situation(front))
            try:
                made = plan(front, wish, amount)
                made = made.share(front, made.modelled)  # no option is a guess
            except InfeasiblePreferenceError as refused:
                if refused.reach < _WORTH * amount:
                    return None
                made = plan(front, wish, 0.95 * refused.reach)
        except PreferenceError:
            return None
        relative = made.changes[: front.m] / _sizes(front)
        return None if relative.min() > -_WORTH * amount else cls(title, preference, made, relative)


def _sizes(front: FrontModel) -> Array:
    """[m], by which changes of different losses are compared: their values, a thousandth of the largest at least."""
    sizes = np.abs(front.asked_losses)
    return np.asarray(np.maximum(sizes, 1e-3 * sizes.max(initial=1e-300)))


def _different_objectives(front: FrontModel, hold: Sequence[str]) -> list[str]:
    """The names of the objectives whose improvement does the most different things, to first order."""
    changes = -rays(front) @ front.asked_response.T / _sizes(front)
    lengths = np.linalg.norm(changes, axis=1, keepdims=True)
    directions = changes / np.maximum(lengths, 1e-300)
    free = [i for i, name in enumerate(front.names) if name not in hold]
    chosen = free[:1]
    while len(chosen) < min(_MOST, len(free)):
        distances = {
            i: np.linalg.norm(directions[i] - directions[chosen], axis=1).min()
            for i in free
            if i not in chosen
        }
        chosen.append(max(distances, key=distances.__getitem__))
    return [front.names[i] for i in sorted(chosen)]


def _more_even(front: FrontModel, hold: Sequence[str]) -> Iterator[tuple[str, Preference]]:
    """Towards where every objective is as far from its best as the others, in parts of its range here.

    Best and range are guessed from where the cheapest way to improve each objective ends.
    """
    outcomes = np.vstack([front.values, ends(front)])[:, : front.m]
    best, worst = outcomes.min(axis=0), outcomes.max(axis=0)
    ranges = np.maximum(worst - best, 1e-300)
    position = (front.asked_losses - best) / ranges
    if np.ptp(position) < _UNEVEN:
        return
    wanted = front.asked_losses - (position - position.mean()) * ranges
    better, worse = (dict(zip(front.names, x.tolist(), strict=True)) for x in (wanted, front.asked_losses))
    try:
        wish = along_the_front(front, Prefer(better, worse, hold=hold).wish(situation(front)))
    except PreferenceError:
        return
    sizes = np.abs(front.values)
    relative = (sizes[wish.named] > 0).all()  # else nothing but the losses' own units will do
    direction = wish.direction[wish.named] / (sizes[wish.named] if relative else 1.0)
    largest = np.nanmax(np.abs(direction))
    changes = {
        front.names[i]: round(float(change / largest), 3)
        for i, change in zip(wish.named, direction, strict=True)
    }
    gaining = [name for name, change in changes.items() if change < -0.1]
    yield (
        f"more even: {listed(gaining[:3]) or 'all'} gain{'s' if len(gaining) == 1 else ''}",
        Direction(changes, units="relative" if relative else "absolute"),
    )


def _exchange(front: FrontModel, amount: float, hold: Sequence[str]) -> Iterator[tuple[str, Preference]]:
    """The exchange of two objectives, all others held, that brings most for what it costs, relative to the losses."""
    if front.m < 3:
        return
    prices = front.normal * _sizes(front)
    free = np.array([name not in hold for name in front.names])
    payer, cheapest = int(np.where(free, prices, -np.inf).argmax()), np.flatnonzero(free)
    cheapest = cheapest[np.argsort(prices[cheapest])]
    best: tuple[float, str, Preference] | None = None
    for i in cheapest[cheapest != payer][:_BARGAINS]:
        others = [name for k, name in enumerate(front.names) if k not in (i, payer)]
        held = tuple(dict.fromkeys([*others, *hold]))
        title = f"most for least: {front.names[i]}, paid by {front.names[payer]}"
        found = _Candidate.of(front, title, Improve({front.names[i]: 1.0}, hold=held), amount)
        if found is None or not found.relative[payer] > 0:
            continue
        ratio = float(-found.relative[i] / found.relative[payer])
        if best is None or ratio > best[0]:
            best = ratio, title, found.preference
    if best is not None:
        yield best[1:]


def _not_dominated(candidates: list[_Candidate]) -> list[_Candidate]:
    """Those than which no other is better in a loss and as good in all."""
    changes = np.array([candidate.relative for candidate in candidates])
    return [
        candidate
        for candidate, own in zip(candidates, changes, strict=True)
        if not ((changes <= own).all(axis=1) & (changes < own - 1e-9).any(axis=1)).any()
    ]


def _distinct(candidates: list[_Candidate]) -> list[_Candidate]:
    """Of those that are alike the first; of too many always the one that is least like those chosen."""
    left: list[_Candidate] = []
    for candidate in candidates:
        if all(_difference(candidate, other) >= _DISTINCT for other in left):
            left.append(candidate)
    chosen = left[-1:]  # what is no mere improvement of one objective comes last
    left = left[:-1]
    while left and len(chosen) < _MOST:
        furthest = int(np.argmax([min(_difference(a, b) for b in chosen) for a in left]))
        chosen.append(left.pop(furthest))
    return chosen


def _difference(a: _Candidate, b: _Candidate) -> float:
    """How unlike two are: the difference of their relative changes, in parts of the longer; 0 if they do the same."""
    longer = max(float(np.linalg.norm(a.relative)), float(np.linalg.norm(b.relative)), 1e-300)
    return float(np.linalg.norm(a.relative - b.relative)) / longer
