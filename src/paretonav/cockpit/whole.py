"""The whole front as a view shows it: models spread along it, and the way to a place that somebody chose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from paretonav.atlas import Cover, Route
from paretonav.cockpit.plain import in_order, plain
from paretonav.errors import NavigationError, ParetonavError, ReachedError
from paretonav.navigation import Navigator
from paretonav.steering import Step, StepStatus
from paretonav.text import listed, number, printable, seconds, sentence, value

Json = dict[str, object]

_REASONS = 3  # why there are fewer than were wanted, that are told
_UNEVEN = 1.5  # times the mean: from here on the largest distance is worth a word


@dataclass(frozen=True)
class Spreading:
    """Models that are being spread, as a view shows them while they arrive.

    Attributes:
        wanted: how many.
        allow: name -> the worst value that counts.
        before: how many points there were when it began.
    """

    wanted: int
    allow: Mapping[str, float]
    before: int

    def running(self, count: int) -> Json:
        """While it goes on, and there are so many points by now."""
        return self._told("running", self._made(count), ())

    def ended(self, status: str, count: int, why: str = "") -> Json:
        """Where it was stopped, or failed."""
        made = self._made(count)
        many = "1 model that was made stays" if len(made) == 1 else f"{len(made)} models that were made stay"
        words = [sentence(why)] if why else []
        words += [f"The {many}."] if made else []
        return self._told(status, made, [*words, "Asked for again, it goes on from here."])

    def done(self, cover: Cover) -> Json:
        """Once it is complete, or nothing else can be tried."""
        new = sum(point >= self.before for point in cover.points)
        many = f"{len(cover.points)}" if cover.complete else f"{len(cover.points)} of {cover.wanted}"
        words = [
            f"{many} models, {new} of them new, by {cover.steps} steps in {seconds(cover.cost.seconds)}."
        ]
        if len(cover.spacing) > 1 and cover.unevenness > _UNEVEN:
            words.append(
                f"The largest distance between neighbours is {number(round(cover.unevenness, 1))} times the average."
            )
        words += [
            f"Between point {a} and point {b} there is a gap that no step crosses." for a, b in cover.gaps
        ]
        if not cover.complete:
            reasons = list(dict.fromkeys(each.reason for each in cover.unreached))[-_REASONS:]
            words += [f"Not reached: {sentence(reason)}" for reason in reasons]
        return self._told("done", cover.points, words, cover.allow)

    def _made(self, count: int) -> list[int]:
        return list(range(self.before, count))

    def _told(
        self,
        status: str,
        points: Sequence[int],
        words: Sequence[str],
        allow: Mapping[str, float] | None = None,
    ) -> Json:
        bounds = self.allow if allow is None else allow
        worst = listed(f"{printable(name)} {value(limit, limit)}" for name, limit in bounds.items())
        return {
            "status": status,
            "wanted": self.wanted,
            "points": list(points),
            "words": [*words, *([f"The worst that counts is {worst}."] if bounds else [])],
        }


def way_to(navigator: Navigator, target: Mapping[str, float]) -> Json:
    """Where the way to some values begins, where it would lead, and what it takes; or why there is none."""
    told: Json = {"target": dict(target), "problem": "", "start": None}
    try:
        route = navigator.map().preview(target)
    except ReachedError as error:
        return told | {"problem": sentence(str(error)), "start": error.point}
    except ParetonavError as error:
        return told | {"problem": sentence(str(error))}
    front = navigator.here.front
    record = navigator.session[route.start]
    changes = route.preview.predicted.train
    return told | {
        "start": route.start,
        "train": [plain(record.losses[name] + changes[name]) for name in front.names],
        "shown": in_order(front.steerable, route.outcome),
        "attainable": route.attainable,
        "legs": route.legs,
        "estimate": "" if route.estimate is None else route.estimate.words,
    }


def gone(route: Route, step: Step, current: int) -> Step:
    """The step along a route, where it is one of the current point.

    Raises:
        NavigationError: it was taken back, and began elsewhere: of that the current point has nothing to tell.
    """
    if step.status is StepStatus.REJECTED and route.start != current:
        why = step.reason or "what was predicted did not come true"
        raise NavigationError(
            f"the way from point {route.start} was taken back: {why}; the model is where it was, at point {current}"
        )
    return step
