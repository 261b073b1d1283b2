"""What there is to log of a start or a step: numbers, words, the model card, pictures."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from paretonav.navigation import News
from paretonav.plotting.save import CHARTS, Kind
from paretonav.session import Session
from paretonav.steering import StepStatus
from paretonav.steering.outcome import Outcome

if TYPE_CHECKING:
    from PIL.Image import Image

_OF_COSTS = {
    "seconds": "seconds",
    "forward passes": "forward_passes",
    "gradient passes": "gradient_passes",
    "Hessian products": "hessian_products",
}


class Key(NamedTuple):
    """What a number is: of which kind, as in a session's table, and of which name."""

    kind: str
    name: str


@dataclass(frozen=True)
class Entry:
    """What is logged of one start or step.

    Attributes:
        point: where the navigation is, which is the place on the axis of points.
        accepted: whether that is a new point. Of a step that was rejected only words are logged.
        status: "start", "accepted", "shortened" or "rejected".
        numbers: losses and metrics, predicted and achieved changes, with their standard errors, and what it took.
        words: what was asked, expected, and happened.
        card: the model card of the point, in Markdown; empty of a rejected step.
        pictures: kind of chart -> the chart.
    """

    point: int
    accepted: bool
    status: str
    numbers: Mapping[Key, float]
    words: str
    card: str
    pictures: Mapping[str, Image]

    @classmethod
    def of(cls, news: News, kinds: Sequence[Kind]) -> Entry:
        """From what is told."""
        step, point = news.step, news.point
        accepted = step is None or step.status is not StepStatus.REJECTED
        return cls(
            point=point.id,
            accepted=accepted,
            status="start" if step is None else step.status.value,
            numbers={key: x for key, x in _numbers(news) if math.isfinite(x)} if accepted else {},
            words=f"It began at point {point.id}." if step is None else step.explain(),
            card=news.session.card(point.id) if accepted else "",
            pictures=_pictures(news.session, point.id, kinds) if accepted else {},
        )


def _numbers(news: News) -> Iterator[tuple[Key, float]]:
    point, step = news.point, news.step
    yield from _of("{} loss", point.values)
    if step is not None:
        yield from _of("predicted {} change", step.predicted)
        yield from _of("achieved {} change", step.achieved)
        for name, change in step.requested.shown.items():
            yield Key("requested change", name), change
        yield Key("step", "amount"), point.amount or 0.0
        yield Key("step", "legs"), step.legs
    if point.parent is not None:
        yield Key("step", "from point"), point.parent
    if point.anchor is None:
        yield Key("front", "joint gain"), point.joint_gain
        for name, weight in point.weights.items():
            yield Key("weight", name), weight
    else:
        yield Key("front", "pull"), point.anchor.part
    if news.epochs is not None:
        yield Key("cost", "epochs"), news.epochs
    for name, field in _OF_COSTS.items():
        yield Key("cost", name), float(getattr(news.cost, field))


def _of(kind: str, outcome: Outcome) -> Iterator[tuple[Key, float]]:  # type: ignore[type-arg]
    """Numbers on each part of the data, and their standard errors."""
    for part, values in outcome.parts("validation"):
        word = {"metrics": "metric"}.get(part, part)
        named = word if kind == "{} loss" and part == "metrics" else kind.format(word)
        for name, value in values.items():
            yield Key(named, name), value
        for name, error in values.standard_errors.items():
            yield Key(f"{named} s.e.", name), error


def _pictures(session: Session, point_id: int, kinds: Sequence[Kind]) -> dict[str, Image]:
    """The charts that there can be: none of steps at a first point."""
    if not kinds:
        return {}
    from PIL import Image

    from paretonav.plotting.picture import picture, written

    found: dict[str, Image.Image] = {}
    for kind in kinds:
        if kind in ("steps", "trajectory") and session[point_id].parent is None:
            continue
        chosen = None if kind in ("parallel", "radar") else [point_id]
        content = written(picture(CHARTS[kind](session, chosen, None)), "png")
        found[kind] = Image.open(io.BytesIO(content)).convert("RGB")
    return found
