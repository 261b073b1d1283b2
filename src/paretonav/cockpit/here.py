"""The current point as a view shows it."""

from __future__ import annotations

from collections.abc import Sequence

from paretonav.cockpit.messages import Mode
from paretonav.cockpit.outlook import reaches_of
from paretonav.cockpit.plain import array, in_order, plain
from paretonav.cockpit.report import SIDES, step_report
from paretonav.errors import PreferenceError
from paretonav.geometry.local_front import local_front
from paretonav.session import Session
from paretonav.session.compare import Difference
from paretonav.session.way import way_through
from paretonav.session.wording import caution, price_sentence, standing, unsure
from paretonav.steering import Estimate, Option, Point, Step, TrainingGain
from paretonav.text import sentence

Json = dict[str, object]

_LATEST = 60  # points of the way: more are no longer told apart
_OFFERS = 3  # prices that are named
_FAR = 1e-3  # parts of a loss: if it can improve by so much, there is something to trade


def state_of(
    session: Session,
    here: Point,
    step: Step | None,
    options: Sequence[Option],
    title: str,
    version: int,
    gain: TrainingGain | None = None,
    after: str = "",
    pace: Estimate | None = None,
) -> Json:
    """All that a view shows of where it is.

    Args:
        session: of the point.
        here: the point.
        step: the last one that was asked for, if it has not become this point's record: one that was taken back.
        options: what is proposed.
        title: of the navigation.
        version: of what is known; it grows.
        gain: what training on would bring here, if it has been measured.
        after: the command that has led here, if a view has asked for one.
        pace: what a step is expected to take, if that is known.
    """
    record, start = session[here.id], session[0]
    front = here.front
    shown = record.values.shown
    since = {
        key: {} if other is None else _differences(session, other, here.id)
        for key, other in (("start", start.id if here.id else None), ("last", here.parent))
    }
    conflict = here.conflict
    quantities = [
        {
            "name": name,
            "kind": "loss" if i < front.m else "metric",
            "better": SIDES[float(front.orientation[i])],
            "value": plain(shown[name]),
            "error": plain(shown.error(name)),
            "train": plain(here.losses[name] if i < front.m else here.metrics[name]),
            "start": since["start"].get(name),
            "last": since["last"].get(name),
            "weight": plain(here.weights[name]) if i < front.m else None,
            "conflict": f"{conflict[name].reason}." if name in conflict else "",
            "price": price_sentence(here, name, _OFFERS, reach=_reach(here, i)) if i < front.m else "",
        }
        for i, name in enumerate(front.steerable)
    ]
    patch = local_front(front)
    return {
        **_frame(session, title, version),
        "current": here.id,
        "parent": here.parent,
        "after": after,
        "split": "validation" if here.validation else "training",
        "objectives": front.m,
        "quantities": quantities,
        "caution": caution(here, gain),
        "unsure": unsure(here),
        "standing": standing(here) + ("" if gain is None else f" {sentence(gain.words)}"),
        "front": None
        if patch is None
        else {"outcomes": array(patch.outcomes), "lines": [line.tolist() for line in patch.lines]},
        "step": step_report(session, record, here, step),
        "way": _way(session, here.id),
        "pace": pace_of(pace),
        "options": [_option(option, here) for option in options],
    }


def pace_of(estimate: Estimate | None) -> Json | None:
    """What a step is expected to take; None where that is not known."""
    return None if estimate is None else {"seconds": plain(estimate.seconds), "words": estimate.words}


def not_started(session: Session, names: Sequence[str], title: str, version: int) -> Json:
    """What a view shows before there is a point."""
    return {
        **_frame(session, title, version),
        "current": None,
        "parent": None,
        "after": "",
        "split": "training",
        "objectives": len(names),
        "quantities": [],
        "caution": "",
        "unsure": "",
        "standing": "",
        "front": None,
        "step": None,
        "way": None,
        "pace": None,
        "options": [],
    }


def _way(session: Session, point_id: int) -> Json:
    """The last steps that lead to a point, each with what was predicted."""
    way = way_through(session.path_to(point_id)[-_LATEST:])
    return {
        "points": [record.id for record in way.records],
        "values": array(way.values),
        "errors": array(way.errors),
        "predicted": array(way.predicted),
        "predicted_errors": array(way.predicted_errors),
    }


def options_of(here: Point, amount: float = 0.05) -> tuple[Option, ...]:
    """What to propose at a point; nothing where nothing can be."""
    try:
        return here.options(amount)
    except PreferenceError:
        return ()


def _frame(session: Session, title: str, version: int) -> Json:
    """What does not depend on where one is."""
    why_not = ""
    if not session.writable:
        who = f"{session.owner} writes to it" if session.owner else "it was opened so"
        why_not = f"This navigation can only be looked at: {who}."
    return {
        "version": version,
        "title": title,
        "live": True,
        "writable": session.writable,
        "why_not": why_not,
    }


def _reach(here: Point, i: int) -> float | None:
    """How far a loss alone can improve, in parts of it, as far as that is of interest; None if nobody knows."""
    name, value = here.front.steerable[i], abs(float(here.front.values[i]))
    reach = reaches_of(here.front, {name: Mode("improve")}, most=_FAR).get(i)
    return abs(reach.change) / value if reach is not None and value else None


def _differences(session: Session, before: int, now: int) -> dict[str, Json]:
    """Name -> the change of what is shown between two points."""
    found: dict[str, Json] = {}
    for d in session.compare(before, now):  # of a loss first on training data, then on validation data
        found[d.name] = _difference(d)
    return found


def _difference(d: Difference) -> Json:
    return {"change": plain(d.change), "error": plain(d.standard_error), "noise": d.noise}


def _option(option: Option, here: Point) -> Json:
    shown = option.predicted.shown
    return {
        "title": option.title,
        "train": in_order(here.front.names, option.predicted.train),
        "shown": in_order(here.front.steerable, shown),
        "errors": in_order(here.front.steerable, shown.standard_errors),
    }
