"""Models spread along the front, and the way to a place on it, as a view asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.cockpit.watching import Bowls, Watcher, improve

import paretonav as pn
from paretonav.cockpit.controller import Controller

NAMES = ("left", "right")


@pytest.fixture
def problem() -> Bowls:
    return Bowls(NAMES, n=12)


@pytest.fixture
def view(problem: Bowls) -> Iterator[Watcher]:
    controller = Controller(pn.Navigator(problem), "two bowls")
    view = Watcher(controller)
    assert view.do("start")["status"] == "done"
    yield view
    problem.release()
    controller.close()


def now(view: Watcher, trait: str) -> Any:
    return view.controller.values()[trait]


def test_models_arrive_one_by_one_and_one_is_where_one_was(view: Watcher) -> None:
    since = len(view.seen)
    ended = view.do("cover", count=5)
    assert (ended["what"], ended["status"]) == ("cover", "done")
    news = [value for trait, value in view.seen[since:] if trait == "spread"]
    assert [one["status"] for one in news[:-1]] == ["running"] * (len(news) - 1)
    growing = [len(one["points"]) for one in news[:-1]]
    assert growing == sorted(growing)
    assert growing[0] == 0
    assert growing[-1] > 1  # seen before it was all over
    last = news[-1]
    assert (last["status"], last["wanted"], len(last["points"])) == ("done", 5, 5)
    assert last["words"][0].startswith("5 models, ")
    points = now(view, "points")
    assert len(points["parent"]) == len(view.controller.navigator.session)
    left = [points["train"][0][i] for i in last["points"]]
    assert left == sorted(left)  # in the order in which they lie
    assert (now(view, "state")["current"], now(view, "state")["after"]) == (0, "cover")
    again = view.do("cover", count=5)
    assert again["status"] == "done"
    assert "by 0 steps" in now(view, "spread")["words"][0]


def test_no_model_is_beyond_what_is_held_or_bounded(view: Watcher) -> None:
    value = now(view, "state")["quantities"][1]["value"]
    steer = {"point": 0, "modes": {"left": improve(5), "right": {"mode": "limit", "value": 1.2 * value}}}
    assert view.do("cover", count=4, steer=steer)["status"] == "done"
    found = now(view, "spread")
    right = [now(view, "points")["train"][1][i] for i in found["points"]]
    assert len(right) == 4
    assert max(right) <= 1.2 * value * (1 + 1e-6)
    assert any(words.startswith("The worst that counts is right ") for words in found["words"])
    assert (
        view.do("cover", count=3, steer={"point": 0, "modes": {"right": {"mode": "hold"}}})["status"]
        == "done"
    )
    right = [now(view, "points")["train"][1][i] for i in now(view, "spread")["points"]]
    assert max(right) <= value * (1 + 1e-6)


def test_what_was_made_until_it_was_stopped_stays(view: Watcher, problem: Bowls) -> None:
    view.ask("cover", count=9, expected_current=0)
    view.wait(lambda trait, value: trait == "spread" and len(value["points"]) >= 2)
    problem.hold()
    problem.wait()
    view.ask("cancel")
    problem.release()
    ended = view.wait(lambda trait, value: trait == "job" and value["status"] == "cancelled")
    assert ended["what"] == "cover"
    found = now(view, "spread")
    assert found["status"] == "cancelled"
    assert len(found["points"]) >= 2
    assert "stay" in found["words"][0]
    assert now(view, "state")["current"] == 0
    before = len(view.controller.navigator.session)
    assert view.do("cover", count=9)["status"] == "done"
    assert len(now(view, "spread")["points"]) == 9
    assert len(view.controller.navigator.session) < before + 9  # those that stayed count


def test_what_makes_no_sense_is_said(view: Watcher) -> None:
    assert "positive" in view.do("cover", count=0)["message"]
    assert now(view, "spread")["status"] == "failed"
    since = len(view.seen)
    for nonsense in ({"count": 10**6}, {"count": "many"}, {}, {"count": 2, "steer": {"modes": {"x": {}}}}):
        view.ask("cover", expected_current=0, **nonsense)
    view.ask("route", target={"nobody": 1.0}, expected_current=0)
    view.ask("route", target={"left": "low"}, expected_current=0)
    view.ask("note", point=0, text="heard")
    view.wait(lambda trait, value: trait == "points" and value["note"][0] == "heard", since)
    assert [value for trait, value in view.seen[since:] if trait == "job"] == []


def test_a_place_says_what_is_there_and_what_it_takes_and_can_be_gone_to(view: Watcher) -> None:
    view.do("cover", count=5)
    session = view.controller.navigator.session
    at = now(view, "spread")["points"][1:3]
    middle = {name: sum(session[i].losses[name] for i in at) / 2 for name in NAMES}
    target = {"left": middle["left"]}
    told = view.answer("route", target=target, expected_current=0)["data"]
    assert told["problem"] == ""
    assert told["start"] in at
    assert told["shown"][0] == pytest.approx(middle["left"], rel=1e-3)
    assert told["train"] == pytest.approx(told["shown"])
    assert told["estimate"].startswith("about ")
    assert told["legs"] >= 1
    assert view.do("visit", target=target)["status"] == "done"
    state = now(view, "state")
    assert state["after"] == "visit"
    assert state["parent"] == told["start"]
    assert state["quantities"][0]["value"] == pytest.approx(middle["left"], rel=1e-2)
    assert state["pace"]["words"].startswith("about ")


def test_where_no_way_leads_that_is_said(view: Watcher) -> None:
    record = view.controller.navigator.records[0]
    told = view.answer(
        "route", target={name: 1.1 * record.losses[name] for name in NAMES}, expected_current=0
    )
    assert "as good as that already" in told["data"]["problem"]
    assert told["data"]["start"] == 0
    assert view.do("visit", target={name: 1.1 * record.losses[name] for name in NAMES})["status"] == "failed"


def test_a_way_that_is_taken_back_from_elsewhere_is_told_and_leaves_the_model_where_it_was(
    view: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    view.do("cover", count=3)
    navigator, end = view.controller.navigator, now(view, "spread")["points"][0]
    target = {"left": 1.05 * navigator.session[end].losses["left"] + 1e-3}
    route = navigator.map().preview(target)
    assert route.start != 0
    taken = navigator.step

    def rejected(*args: Any, **more: Any) -> Any:
        from dataclasses import replace

        step = taken(*args, **more)
        navigator.go_to(0)
        return replace(step, status=pn.StepStatus.REJECTED, reason="right came out worse")

    monkeypatch.setattr(navigator, "step", rejected)
    ended = view.do("visit", target=target)
    assert ended["status"] == "failed"
    assert f"the way from point {route.start} was taken back: right came out worse" in ended["message"]
    assert now(view, "state")["current"] == 0


def test_places_wait_while_models_are_made(view: Watcher, problem: Bowls) -> None:
    problem.hold()
    view.ask("cover", count=4, expected_current=0)
    problem.wait()
    refused = view.do("route", target={"left": 0.1}, expected_current=0)
    assert (refused["status"], "being made" in refused["message"]) == ("refused", True)
    problem.release()
    view.wait(lambda trait, value: trait == "spread" and value["status"] == "done")


def test_what_a_step_takes_is_found_out_where_somebody_asks(
    view: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert now(view, "state")["pace"] is None
    view.ask("pace", expected_current=0)  # of a function nobody knows before a step
    found = pn.Estimate(12.0, 3.0, "about 12 s (3 epochs)")
    monkeypatch.setattr(view.controller.navigator, "estimate", lambda what: found if what == "step" else None)
    view.ask("pace", expected_current=0)
    told = view.wait(lambda trait, value: trait == "state" and value["pace"])
    assert told["pace"] == {"seconds": 12.0, "words": "about 12 s (3 epochs)"}
    assert [value for trait, value in view.seen if trait == "job" and value["what"] == "pace"] == []
