"""Points that lie evenly along the front, made one after the other from those that are there."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from paretonav.atlas.chart import Chart
from paretonav.atlas.cover import Cover, Unreached
from paretonav.atlas.curve import Curve
from paretonav.atlas.ranking import ranked
from paretonav.atlas.region import Region
from paretonav.atlas.spread import Missing, Spread, along_the_curve, farthest
from paretonav.errors import NonFiniteError, PreferenceError
from paretonav.navigation.measuring import Spending
from paretonav.objectives import Problem
from paretonav.session import Record
from paretonav.steering.planning.plan import plan
from paretonav.steering.preferences import Aim, On
from paretonav.steering.preferences.situation import situation
from paretonav.steering.reporting.point import Step, StepStatus

logger = logging.getLogger(__name__)

Array = NDArray[np.float64]

_BEYOND = 10.0  # sizes: an aim so far below a loss is at its least value, wherever that is
# Of a loss on data: what a step towards its least value asks for, so that little is lost if it is broken off; and
# how little where that is rejected.
_FALLS_ON_DATA = 1 / 3, 1 / 10
_BEST = 0.01  # of a loss's unit: what an end that has been gone to may be worse than the best that is there
_GAIN = 1e-3  # of a loss's unit: an end of which the model promises less has been reached
_FALLS = 0.02  # of a loss's unit: what is to fall by less is not named, where others are left free
# Of a loss's size: a change that is less is lost in what a step to an aim is precise to.
_LEAST, _LEAST_ON_DATA = 1e-6, 5e-3
_ARRIVED = 0.5  # of the way to a target: a step that leaves more of it has shown that there is nothing there
_CREPT = 0.1  # of the way: a point that is nearer to where the step began is no better place to begin at
_SAME = 0.05  # of the way of each named loss: an aim that differs by less is the same
_AGAIN = 0.25  # of the way: a target that has moved by less is the same
# At most, for each point that is wanted: where models are good it takes one, and none is fruitless.
_STEPS_EACH, _FRUITLESS_EACH = 3, 1.5


@dataclass
class Notes:
    """What a navigation has found out about a front in vain, which no point tells.

    Attributes:
        tried: (point, target) of steps: a second one would lead where the first has led.
        failed: (target, how far around it there is nothing), of which the point where a step has led instead is known.
        broken: pairs of neighbours between which no walk leads.
        outside: points from where there was no step into the bounds.
        ends: (point, objective) from where there was no step that improves that objective.
        unreached: in words.
        aims: (point, target) of the same steps as they were asked for.
        enough: how many were wanted -> how many points there were when enough had been tried.
        recalled: how many points have been asked what they tell.
    """

    tried: list[tuple[int, Array]] = field(default_factory=list)
    failed: list[tuple[Array, float]] = field(default_factory=list)
    broken: set[tuple[int, int]] = field(default_factory=set)
    outside: set[int] = field(default_factory=set)
    ends: set[tuple[int, int]] = field(default_factory=set)
    unreached: list[Unreached] = field(default_factory=list)
    aims: list[tuple[int, dict[str, float]]] = field(default_factory=list)
    enough: dict[int, int] = field(default_factory=dict)
    recalled: int = 0


@dataclass
class Covering:
    """The making of a cover.

    It looks at nothing but the points that there are, so it goes on wherever it was broken off.

    Attributes:
        problem: what is steered.
        region: the part of the front that is covered.
        wanted: how many points.
        on: the data whose losses are meant, as preferences say it.
        holds: whether the model is held where it is.
        charts: gives those of all points.
        records: gives the records of all points.
        take: takes a step from a point, and keeps what it leads to.
        notes: what is known from before.
        steps: how many have been taken.
        fruitless: how many of them led nowhere near where they were to lead.
        gone: how far it is, in [0, 1).
    """

    problem: Problem
    region: Region
    wanted: int
    on: On | None
    holds: bool
    charts: Callable[[], Sequence[Chart]]
    records: Callable[[], Sequence[Record]]
    take: Callable[[int, Aim], Step]
    notes: Notes
    steps: int = 0
    fruitless: int = 0
    gone: float = 0.0

    def made(self, current: int) -> Cover:
        """Take steps until there are as many points as are wanted, or nothing is left to be tried.

        Args:
            current: the point where one is, which is all of a cover of one.
        """
        spending = Spending(self.problem)
        self._recall()
        spread = self._alone(current) if self.wanted == 1 else Spread((), (), (), 0)
        if self.wanted > 1 and self._come_inside():
            spread = self._filled()
        return Cover(
            points=tuple(chart.point for chart in spread.chosen),
            losses=tuple(self._named(chart.outcome) for chart in spread.chosen),
            wanted=self.wanted,
            spacing=spread.spacing,
            units=self.region.units,
            allow=dict(self.region.allow),
            gaps=self._gaps(),
            unreached=() if len(spread.chosen) >= self.wanted else tuple(self.notes.unreached),
            steps=self.steps,
            cost=spending.cost(),
        )

    def _filled(self) -> Spread:
        """What there is once nothing is missing, or enough was tried."""
        spread = self._spread()
        most, fruitless = self.steps + _STEPS_EACH * self.wanted, _FRUITLESS_EACH * self.wanted
        if self.notes.enough.get(self.wanted) == len(self.records()):
            return spread
        while spread.missing and self.steps < most and self.fruitless < fruitless:
            if not any(self._attempt(missing) for missing in spread.missing) and not self._give_up(spread):
                break
            spread = self._spread()
        self.notes.enough[self.wanted] = len(self.records())
        return spread

    def _recall(self) -> None:
        """What the steps of earlier covers have found out: they aimed at all losses, and came elsewhere."""
        scale = self.region.scale(self._counted())
        charts = {chart.point: chart for chart in self.charts()}
        records = self.records()
        for record in records[self.notes.recalled :]:
            aim, start = record.preference, charts.get(-1 if record.parent is None else record.parent)
            if (
                isinstance(aim, Aim)
                and start is not None
                and record.id in charts
                and set(aim.target) == set(self.problem.names)
                and self._is_on_these_terms(aim)
            ):
                target = np.array([aim.target[name] for name in self.problem.names])
                self.notes.tried.append((start.point, target))
                self._judge(start, target, charts[record.id], scale)
        self.notes.recalled = len(records)

    def _alone(self, current: int) -> Spread:
        return Spread((self._chart(current),), (), (), 0)

    def _come_inside(self) -> bool:
        """Whether there is a point within the bounds; if there is none, after a step towards them."""
        if self._counted():
            return True
        charts = [chart for chart in self.charts() if chart.whole]
        beyond = self.region.beyond(np.stack([chart.front.values for chart in charts]))
        nearest = charts[int(np.maximum(beyond, 0).sum(axis=1).argmin())]
        if nearest.point in self.notes.outside:
            return False
        self.notes.outside.add(nearest.point)
        lacking = self.region.beyond(nearest.front.values[None])[0] > 0
        target = {
            name: worst for (name, worst), out in zip(self.region.allow.items(), lacking, strict=True) if out
        }
        step, reason = self._step(nearest, self._aim(nearest, target))
        if not self._counted():
            reason = reason or (step.reason if step is not None else "") or "the bounds were not reached"
            self.notes.unreached.append(Unreached(target, nearest.point, reason))
        return bool(self._counted())

    def _end(self, i: int) -> int:
        """The point that is best in objective i, after steps towards its least value as long as they gain something."""
        while True:
            counted = self._counted()
            scale = self.region.scale(counted)
            whole = [chart for chart in counted if chart.whole]
            best = min(whole or counted, key=lambda chart: float(chart.outcome[i]))
            if (
                not whole
                or (best.point, i) in self.notes.ends
                or self._is_known_end(i, best, float(scale[i]))
            ):
                return best.point
            if not self._has_improved(best, i, float(scale[i])):
                self.notes.ends.add((best.point, i))
                return best.point

    def _has_improved(self, best: Chart, i: int, unit: float) -> bool:
        """Whether a step from the best point in objective i makes a better one."""
        size, before = float(best.front.sizes_of(best.outcome)[i]), float(best.outcome[i])
        for fall in _FALLS_ON_DATA if self.problem.stochastic else (_BEYOND,):
            aim = self._aim(best, {self.problem.names[i]: before - fall * size})
            known = not self.problem.stochastic and self.problem.bounds is None  # so well that a plan says it
            if known and self._promised(best, aim, i) <= _GAIN * unit:
                return False
            step, _ = self._step(best, aim)
            if step is not None:
                return bool(self._chart(step.point.id).outcome[i] < before)
        return False

    def _is_known_end(self, i: int, best: Chart, unit: float) -> bool:
        """Whether somebody has gone for the least value of objective i before, and no point is better by much."""
        name = self.problem.names[i]
        return any(
            record.status is StepStatus.SHORTENED
            and isinstance(record.preference, Aim)
            and set(record.preference.target) == {name}
            and self._is_on_these_terms(record.preference)
            and record.values.on(best.front.asked)[name] <= best.outcome[i] + _BEST * unit
            for record in self.records()
        )

    def _is_on_these_terms(self, aim: Aim) -> bool:
        """Whether it was asked for within the bounds of the region, and on the same data."""
        mine = {name: worst for name, worst in self.region.allow.items() if name not in aim.target}
        return (
            aim.on == self.on
            and aim.allow.keys() == mine.keys()
            and all(np.isclose(aim.allow[name], worst, rtol=1e-9) for name, worst in mine.items())
        )

    def _promised(self, chart: Chart, aim: Aim, i: int) -> float:
        """By how much the model at a point says that objective i can fall."""
        try:
            wish = aim.wish(situation(chart.front))
            return -float(plan(chart.front, wish, 1.0).changes[i])
        except PreferenceError:
            return 0.0

    def _spread(self) -> Spread:
        """What there is and what is missing, once the ends are known."""
        ends = [self._end(i) for i in range(self.problem.m)]
        counted = self._counted()
        scale = self.region.scale(counted)
        if self.problem.m > 2:
            best = [chart for chart in counted if chart.point in ends]
            return farthest(counted, self.region, self.wanted, best, self.notes.failed)
        curve = Curve.through(counted, scale, self.notes.broken)
        if curve.length > 0:
            return along_the_curve(curve, self.wanted)
        unbroken = Curve.through(counted, scale)
        if unbroken.length > 0:  # gaps all over: what is there is all that there can be
            return replace(along_the_curve(unbroken, self.wanted), missing=(), count=0)
        return Spread(curve.charts[:1], (), (), 0)

    def _attempt(self, missing: Missing) -> bool:
        """Try to go to where a point should be; False if that was tried from everywhere."""
        scale = self.region.scale(self._counted())
        for chart in self._places_to_start(missing, scale):
            if not chart.whole or self._was_tried(chart, missing.outcome, scale):
                continue
            aim = self._aim_at(chart, missing.outcome, scale)
            if aim is None or self._was_asked(chart, aim):
                continue
            step, reason = self._step(chart, aim)
            self.notes.tried.append((chart.point, missing.outcome))
            self.notes.aims.append((chart.point, dict(aim.target)))
            if step is None or not self._judge(chart, missing.outcome, self._chart(step.point.id), scale):
                reason = reason or (step.reason if step is not None else "") or "it led elsewhere"
                self.notes.unreached.append(Unreached(self._named(missing.outcome), chart.point, reason))
                self.fruitless += 1
            return True
        return False

    def _places_to_start(self, missing: Missing, scale: Array) -> Sequence[Chart]:
        """Where a step to an outcome may begin, the best place first.

        With two objectives, on either side of it. With more, where it was predicted; and where the plans lead nearest.
        """
        if self.problem.m == 2:
            return missing.near
        whole = [chart for chart in self._counted() if chart.whole]
        units = dict(zip(self.problem.names, scale.tolist(), strict=True))
        target = self._named(missing.outcome)
        try:
            found = ranked(whole, lambda chart: self._aim(chart, target), target, units, self._visited())
        except PreferenceError:
            found = []
        best = [candidate.chart for candidate in found if candidate.chart.point != missing.near[0].point]
        return (*missing.near, *best[:1])

    def _aim_at(self, chart: Chart, outcome: Array, scale: Array) -> Aim | None:
        """What to ask for at a point so as to come to an outcome; None if nothing of it is better than there.

        On a front everything is named, so the step comes to just this outcome. Around a model that is held there are
        more ways than that: there what is to fall is named, and what pays is left to pay as little as it can.
        """
        least = _LEAST_ON_DATA if self.problem.stochastic else _LEAST
        falls = chart.outcome - outcome > least * chart.front.sizes_of(chart.outcome)
        if self.holds:
            falls &= (chart.outcome - outcome) / scale > _FALLS
        if not falls.any():
            return None
        target = self._named(outcome)
        if self.holds:
            target = {
                name: target[name] for name, fall in zip(self.problem.names, falls, strict=True) if fall
            }
        return self._aim(chart, target)

    def _aim(self, chart: Chart, target: Mapping[str, float]) -> Aim:
        """An aim from a point, within the bounds; what is beyond one at the point may stay so."""
        names, sense, values = chart.front.steerable, chart.front.orientation, chart.front.values
        allow = {}
        for name, worst in self.region.allow.items():
            i = names.index(name)
            if name not in target:
                allow[name] = worst if sense[i] * (values[i] - worst) <= 0 else float(values[i])
        return Aim(target, allow=allow, on=self.on, units="range")

    def _step(self, chart: Chart, aim: Aim) -> tuple[Step | None, str]:
        """A step, and why it was none: then it is None."""
        self.steps += 1
        left = max(2.0, self.wanted - self.steps + 1)
        self.gone += (1 - self.gone) / left
        with self.problem.watch.part(self.gone):
            try:
                step = self.take(chart.point, aim)
            except (PreferenceError, NonFiniteError) as refused:
                logger.info("no step from point %d: %s", chart.point, refused)
                return None, str(refused)
        return (None, step.reason) if step.status is StepStatus.REJECTED else (step, "")

    def _judge(self, start: Chart, target: Array, came: Chart, scale: Array) -> bool:
        """Whether a step has come to its target, more or less; if it has hardly moved, that is noted."""
        way = float(np.linalg.norm((target - start.outcome) / scale))
        if np.linalg.norm((came.outcome - start.outcome) / scale) <= _CREPT * way:
            self.notes.tried.append((came.point, target))
        return bool(np.linalg.norm((target - came.outcome) / scale) <= _ARRIVED * way)

    def _was_tried(self, chart: Chart, target: Array, scale: Array) -> bool:
        way = float(np.linalg.norm((target - chart.outcome) / scale))
        return any(
            point == chart.point and np.linalg.norm((target - other) / scale) <= _AGAIN * way
            for point, other in self.notes.tried
        )

    def _was_asked(self, chart: Chart, aim: Aim) -> bool:
        """Whether much the same was asked for there, be it for the sake of another outcome."""
        values = dict(zip(chart.front.steerable, chart.front.values.tolist(), strict=True))
        return any(
            point == chart.point
            and target.keys() == aim.target.keys()
            and all(
                abs(goal - target[name]) <= _SAME * abs(goal - values[name])
                for name, goal in aim.target.items()
            )
            for point, target in self.notes.aims
        )

    def _give_up(self, spread: Spread) -> bool:
        """Take note that what is missing cannot be reached from anywhere; False where that was known, or is enough."""
        if self.problem.m > 2:
            missing = spread.missing[0]
            self.notes.failed.append((missing.outcome, _ARRIVED * missing.distance))
            return len(self.notes.failed) <= _STEPS_EACH * self.wanted
        pairs = {
            (a.point, b.point)
            for missing in spread.missing
            for a, b in [sorted(missing.near, key=lambda chart: float(chart.outcome[0]))]
        }
        new = pairs - self.notes.broken
        self.notes.broken |= new
        return bool(new)

    def _gaps(self) -> tuple[tuple[int, int], ...]:
        """Pairs of neighbours between which no walk leads, where nothing has been found since."""
        if self.problem.m > 2 or not self._counted():
            return ()
        counted = self._counted()
        curve = Curve.through(counted, self.region.scale(counted))
        pairs = pairwise(chart.point for chart in curve.charts)
        return tuple(pair for pair in pairs if pair in self.notes.broken)

    def _counted(self) -> list[Chart]:
        return self.region.counted(self.charts())

    def _chart(self, point_id: int) -> Chart:
        return next(chart for chart in self.charts() if chart.point == point_id)

    def _visited(self) -> list[dict[str, float]]:
        return [dict(zip(c.front.steerable, c.front.values.tolist(), strict=True)) for c in self.charts()]

    def _named(self, outcome: Array) -> dict[str, float]:
        return dict(zip(self.problem.names, outcome.tolist(), strict=True))
