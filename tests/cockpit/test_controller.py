"""The controller: what it publishes, in which order, and what it refuses."""

from __future__ import annotations

import contextlib
import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.cockpit.watching import PATIENCE, Bowls, Watcher, improve

import paretonav as pn
from paretonav.cockpit import lookout
from paretonav.cockpit.controller import Controller
from paretonav.cockpit.saved import page
from paretonav.cockpit.saved_outlooks import key


@pytest.fixture
def navigator():
    return pn.Navigator(pn.problems.quadratic(n=12, m=3))


@pytest.fixture
def controller(navigator):
    controller = Controller(navigator, "three bowls")
    yield controller
    controller.close()


@pytest.fixture
def view(controller):
    view = Watcher(controller)
    assert view.do("start")["status"] == "done"
    return view


def state(view: Watcher) -> Any:
    return view.controller.values()["state"]


def test_before_the_start_there_is_nothing_but_the_offer(controller) -> None:
    values = controller.values()
    assert set(values) == set(Controller.TRAITS)
    assert values["state"]["current"] is None
    assert values["job"]["status"] == "idle"


def test_how_far_each_quantity_could_go_by_itself_is_told_at_every_point(view) -> None:
    def told(since: int = 0) -> Any:
        return view.wait(lambda trait, value: trait == "outlook" and value["alone"] is not None, since)

    first = told()
    front = view.controller.navigator.here.front
    assert first["point"] == 0
    for i, (name, alone) in enumerate(zip(front.steerable, first["alone"], strict=True)):
        value = float(front.values[i])
        reach = view.steer({name: improve(1)})["reach"][i]
        assert alone["end"] == pytest.approx(value - abs(value) * reach["end"] / 100, rel=1e-3)
    # It is of the point, whatever is asked for there, and another one at the next.
    since = len(view.seen)
    assert view.steer({"f1": improve(1)})["alone"] == first["alone"]
    assert view.do("step", steer={"point": 0, "modes": {"f1": improve(3)}})["status"] == "done"
    then = view.wait(
        lambda trait, value: trait == "outlook" and value["point"] == 1 and value["alone"] is not None, since
    )
    assert then["alone"] != first["alone"]


def test_a_step_leads_where_the_outlook_says(view) -> None:
    modes = {"f1": improve(3), "f2": {"mode": "hold"}}
    outlook = view.steer(modes)
    assert outlook["asked"] == "improve f1 by 3%; hold f2"
    assert outlook["problem"] == ""
    assert outlook["inputs"] == [0]
    assert outlook["reach"][0]["end"] > 3
    before = state(view)
    ended = view.do("step", steer={"point": 0, "modes": modes})
    assert (ended["status"], ended["message"]) == ("done", "")
    after = state(view)
    assert (after["current"], after["parent"]) == (1, 0)
    losses = [[q["train"] for q in s["quantities"]] for s in (before, after)]
    predicted = np.array(losses[0]) + outlook["exact"]["train"]
    np.testing.assert_allclose(losses[1], predicted, rtol=2e-3)
    assert losses[1][0] == pytest.approx(0.97 * losses[0][0], rel=1e-6)
    assert after["step"]["status"] == "accepted"
    assert [row["name"] for row in after["step"]["rows"]] == ["f1", "f2", "f3"]
    assert view.controller.values()["points"]["parent"] == [None, 0]


def test_the_map_gives_what_the_preview_gives(view) -> None:
    outlook = view.steer({"f1": improve(1), "f3": improve(0.5)})
    linear, bend = (np.array(outlook["map"]["shown"][part]) for part in ("linear", "bend"))
    x = np.array([1.0, 0.5])
    np.testing.assert_allclose(
        linear @ x + 0.5 * bend @ x @ x, outlook["exact"]["shown"], rtol=1e-3, atol=1e-6
    )


def test_an_aim_counts_from_the_present_value(view) -> None:
    value = state(view)["quantities"][0]["train"]
    outlook = view.steer({"f1": {"mode": "aim", "value": 0.98 * value}})
    assert outlook["map"]["base"] == [pytest.approx(value, rel=1e-6)]
    assert outlook["exact"]["attainable"] is True
    assert outlook["exact"]["train"][0] == pytest.approx(-0.02 * value)
    assert outlook["reach"][0]["end"] < 0.98 * value
    far = view.steer({"f1": {"mode": "aim", "value": -1.0}})
    assert far["exact"]["attainable"] is False


def test_what_is_impossible_is_said_in_words(view) -> None:
    outlook = view.steer({"f1": improve(90)})
    assert outlook["exact"] is None
    assert outlook["problem"].endswith(".")
    assert outlook["reach"][0]["end"] < 90
    assert view.do("step", steer={"point": 0, "modes": {"f1": improve(90)}})["status"] == "failed"
    assert state(view)["current"] == 0
    assert view.do("step", steer={"point": 0, "modes": {}})["message"].startswith("nothing is asked for")


def test_a_broken_bound_never_has_the_reach_of_the_bound_before_it(view) -> None:
    value = state(view)["quantities"][1]["train"]
    broken = {"f1": improve(1), "f2": {"mode": "limit", "value": 0.9 * value}}
    ends = []
    for _ in range(2):
        kept = view.steer({"f1": improve(1), "f2": {"mode": "limit", "value": 1.2 * value}})
        assert kept["problem"] == ""
        assert kept["reach"][0]["end"] > 1
        told = view.steer(broken)
        assert told["problem"]
        ends.append(told["reach"])
    fresh = Watcher(view.controller, by="another").steer(broken)["reach"]
    assert ends == [fresh, fresh]


def test_an_answer_says_what_it_answers_and_a_point_how_it_was_reached(view, navigator) -> None:
    modes = {"f1": improve(2), "f2": {"mode": "limit", "value": 10.0}, "f3": {"mode": "hold"}}
    assert state(view)["after"] == "start"
    assert view.steer(modes, settled=True)["modes"] == modes
    assert view.wait(lambda trait, value: trait == "trial" and value is not None)["modes"] == modes
    for cmd, more in (
        ("step", {"steer": {"point": 0, "modes": {"f1": improve(2)}}}),
        ("undo", {}),
        ("go", {"point": 1}),
        ("take", {"option": 0}),
    ):
        assert view.do(cmd, **more)["status"] == "done"
        assert state(view)["after"] == cmd
        view.controller.refresh()
        assert state(view)["after"] == cmd
    navigator.go_to(0)
    view.controller.refresh()
    assert state(view)["after"] == ""


def test_a_step_has_ended_before_what_comes_next_is_known(view, monkeypatch) -> None:
    """Who sees the new point may leave it at once, however long its reaches take."""
    view.wait(lambda trait, value: trait == "outlook" and value["alone"] is not None)
    go_on, reaches_of = threading.Event(), lookout.reaches_of

    def slow(*args: Any) -> Any:
        assert go_on.wait(PATIENCE)
        return reaches_of(*args)

    monkeypatch.setattr(lookout, "reaches_of", slow)
    try:
        assert view.do("step", steer={"point": 0, "modes": {"f1": improve(2)}})["status"] == "done"
        assert state(view)["current"] == 1
    finally:
        go_on.set()
    view.wait(lambda trait, value: trait == "outlook" and value["point"] == 1)


def test_what_is_wanted_at_a_new_point_is_measured_however_soon_it_is_said(view) -> None:
    said = {"by": "quick", "seq": 1, "point": 1, "modes": {"f2": improve(1)}, "settled": True}

    def answer_at_once(trait: str, value: Any, _: str | None) -> None:
        if trait == "state" and value["current"] == 1:
            view.controller.steer(said)

    view.controller.subscribe(answer_at_once)
    view.do("step", steer={"point": 0, "modes": {"f1": improve(2)}})
    trial = view.wait(lambda trait, value: trait == "trial" and value is not None)
    assert (trial["by"], trial["point"]) == ("quick", 1)


def test_a_limit_at_the_present_value_holds_it(view) -> None:
    value = state(view)["quantities"][1]["train"]
    for bound in (value, round(value, 4), value * (1 - 5e-4)):
        outlook = view.steer({"f1": improve(1), "f2": {"mode": "limit", "value": bound}})
        assert outlook["problem"] == ""
        assert outlook["exact"]["train"][1] <= 1e-3 * value
    outlook = view.steer({"f1": improve(1), "f2": {"mode": "limit", "value": 0.9 * value}})
    assert "beyond its bound" in outlook["problem"]


def test_a_released_slider_is_measured(view) -> None:
    outlook = view.steer({"f1": improve(2)}, settled=True)
    trial = view.wait(lambda trait, value: trait == "trial" and value is not None)
    assert (trial["seq"], trial["point"]) == (outlook["seq"], 0)
    np.testing.assert_allclose(trial["shown"], outlook["exact"]["shown"], rtol=0.05, atol=1e-4)
    assert len(view.controller.navigator.records) == 1


def test_undo_go_star_note_compare(view) -> None:
    view.do("step", steer={"point": 0, "modes": {"f1": improve(2)}})
    view.do("step", steer={"point": 1, "modes": {"f2": improve(2)}})
    assert view.do("undo")["status"] == "done"
    assert state(view)["current"] == 1
    assert view.do("go", point=2)["status"] == "done"
    assert state(view)["current"] == 2
    assert "no point 7" in view.do("go", point=7)["message"]
    view.ask("star", point=1)
    view.ask("note", point=1, text="<b>this</b>")
    view.wait(
        lambda trait, value: trait == "points" and value["note"][1:2] == ["<b>this</b>"] and value["star"][1]
    )
    view.ask("name", point=1, text="the fair one")
    view.wait(lambda trait, value: trait == "points" and value["name"] == ["", "the fair one", ""])
    view.ask("name", point=2, text="The fair one")
    refused = view.wait(lambda trait, value: trait == "job" and value["what"] == "name" and value["message"])
    assert (refused["status"], "is called" in refused["message"]) == ("failed", True)
    view.ask("title", text="Two bowls")
    view.wait(lambda trait, value: trait == "state" and value["title"] == "Two bowls")
    assert view.controller.navigator.session.title == "Two bowls"
    rows = view.answer("compare", points=[0, 2])["data"]["rows"]
    expected = (
        view.controller.navigator.records[2].losses["f1"] - view.controller.navigator.records[0].losses["f1"]
    )
    assert rows[0]["changes"] == [None, pytest.approx(expected)]


def test_one_per_cent_more_beside_a_bound(view) -> None:
    bound = 1.02 * state(view)["quantities"][1]["value"]
    for percent in (1.0, 2.0):
        modes = {"f1": improve(percent), "f2": {"mode": "limit", "value": bound}}
        now = view.steer(modes)
        after = view.steer(modes | {"f1": improve(percent + 1)})
        further = now["further"]
        assert further["asked"] == 0
        expected = np.subtract(after["exact"]["shown"], now["exact"]["shown"])
        np.testing.assert_allclose(further["shown"], expected, rtol=1e-6)
        assert further["errors"] == [None] * 3
    end = now["reach"][0]["end"]
    assert view.steer({"f1": improve(end - 0.5), "f2": {"mode": "limit", "value": bound}})["further"] is None
    assert view.steer({"f1": improve(1)})["further"] is None  # a view has the map for that


def kept_wish(point: int, percent: float, **more: object) -> dict[str, object]:
    wish = {
        "point": point,
        "modes": {"f1": {"mode": "improve", "percent": percent}},
        "title": "f1",
        "sure": True,
    }
    return (
        wish
        | {"train": [-1.0] * 3, "shown": [-1.0] * 3, "errors": [0.1, None, 0.2], "noise": [False] * 3}
        | more
    )


def test_wishes_are_kept_for_all_views_until_they_are_dropped(view) -> None:
    def kept() -> list[float]:
        return [one["modes"]["f1"]["percent"] for one in view.controller.values()["kept"]]

    for percent in range(1, 11):
        view.ask("keep", wish=kept_wish(0, percent))
    view.ask("keep", wish=kept_wish(1, 1))
    view.ask("keep", wish=kept_wish(0, 5, title="again", errors=None))
    view.ask("drop", wish={"point": 0, "modes": {"f1": {"mode": "improve", "percent": 4}}})
    for nonsense in (
        kept_wish(0, 30, shown=[1.0]),
        kept_wish(0, 30, train=[]),
        kept_wish(0, 30, noise=[1, 0, 0]),
        kept_wish(0, 30, errors=["x", None, None]),
        kept_wish(0, 30, title="x" * 2000),
        kept_wish(0, 30, modes={"nobody": {"mode": "hold"}}),
        kept_wish(0, 30, modes={"f1": {"mode": "improve"}}),
        {"point": 0},
    ):
        view.ask("keep", wish=nonsense)
    view.ask("keep", wish=kept_wish(2, 2))
    view.wait(lambda trait, value: trait == "kept" and value and value[-1]["point"] == 2)
    assert kept() == [3, 5, 6, 7, 8, 9, 10, 1, 2]  # of ten at a point the oldest two have made room
    assert next(one for one in view.controller.values()["kept"] if one["title"] == "again")["errors"] is None
    assert len(view.controller.navigator.records) == 1


def test_an_option_is_taken(view) -> None:
    option = state(view)["options"][0]
    assert view.do("take", option=0)["status"] == "done"
    now = state(view)
    moved = [a["train"] for a in now["quantities"]]
    before = [column[0] for column in view.controller.values()["points"]["train"]]
    np.testing.assert_allclose(np.subtract(moved, before), option["train"], rtol=0.05, atol=1e-3)
    assert view.do("take", option=99)["status"] == "failed"


def test_what_was_meant_for_another_point_is_refused(view) -> None:
    other = Watcher(view.controller, "other")
    view.do("step", steer={"point": 0, "modes": {"f1": improve(2)}})
    ended = other.do("step", steer={"point": 0, "modes": {"f1": improve(2)}}, expected_current=0)
    assert ended["status"] == "refused"
    assert "moved on to point 1" in ended["message"]
    assert state(view)["current"] == 1


@pytest.fixture
def slow():
    problem = Bowls()
    controller = Controller(pn.Navigator(problem))
    view = Watcher(controller)
    view.do("start")
    yield problem, view
    problem.release()
    controller.close()


def test_while_a_step_runs_one_can_look_ahead_and_note_but_not_step(slow) -> None:
    problem, view = slow
    problem.hold()
    seq = view.ask("step", expected_current=0, steer={"point": 0, "modes": {"f1": improve(3)}})
    problem.wait()
    assert view.steer({"f2": improve(2)})["exact"] is not None
    view.ask("note", point=0, text="meanwhile")
    view.wait(lambda trait, value: trait == "points" and value["note"][0] == "meanwhile")
    second = view.ask("step", expected_current=0, steer={"point": 0, "modes": {"f1": improve(3)}})
    refused = view.wait(lambda trait, value: trait == "job" and value["seq"] == second)
    assert refused["status"] == "refused"
    running = view.controller.values()["job"]
    assert (running["seq"], running["status"]) == (seq, "running")  # still to be seen by who looks now
    problem.release()
    view.wait(lambda trait, value: trait == "job" and value["seq"] == seq and value["status"] == "done")


def test_cancel_leaves_everything_as_it_was(slow) -> None:
    problem, view = slow
    theta = problem.parameters()
    problem.hold()
    seq = view.ask("step", expected_current=0, steer={"point": 0, "modes": {"f1": improve(3)}})
    problem.wait()
    view.ask("cancel")
    problem.release()
    ended = view.wait(
        lambda trait, value: trait == "job" and value["seq"] == seq and value["status"] != "running"
    )
    assert ended["status"] == "cancelled"
    assert torch.equal(problem.parameters(), theta)
    assert state(view)["current"] == 0
    assert view.do("step", steer={"point": 0, "modes": {"f1": improve(3)}})["status"] == "done"


def test_an_error_in_the_persons_own_loss_is_told_and_loses_nothing(slow) -> None:
    problem, view = slow
    problem.broken = True
    ended = view.do("step", steer={"point": 0, "modes": {"f1": improve(3)}})
    assert ended["status"] == "failed"
    assert "division by zero in my own loss" in ended["message"]
    problem.broken = False
    assert view.do("step", steer={"point": 0, "modes": {"f1": improve(3)}})["status"] == "done"


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit("enough")])
def test_a_loss_that_exits_is_a_failed_step(slow, error) -> None:
    problem, view = slow
    problem.broken, problem.error = True, error
    ended = view.do("step", steer={"point": 0, "modes": {"f1": improve(3)}})
    assert ended["status"] == "failed"
    assert type(error).__name__ in ended["message"]
    problem.broken = False
    assert view.do("step", steer={"point": 0, "modes": {"f1": improve(3)}})["status"] == "done"


def test_what_cannot_be_answered_is_a_failed_request(view, navigator, monkeypatch) -> None:
    def exits(*_: object) -> None:
        raise SystemExit(3)

    monkeypatch.setattr(navigator.session, "compare", exits)
    assert view.do("compare", points=[0, 0])["status"] == "failed"
    monkeypatch.setattr("paretonav.cockpit.controller.download", exits)
    assert view.do("download", what="model", point=0)["status"] == "failed"
    with pytest.raises(pn.NavigationError, match="SystemExit"):
        view.controller.download("model", 0)


@pytest.mark.parametrize("error", [SystemExit(3), ZeroDivisionError("in my own metric")])
def test_a_preview_that_breaks_is_told(view, navigator, monkeypatch, error) -> None:
    def breaks(*_: object) -> None:
        raise error

    monkeypatch.setattr(navigator, "preview", breaks)
    assert type(error).__name__ in view.steer({"f1": improve(2)})["problem"]
    monkeypatch.undo()
    assert view.steer({"f1": improve(2)})["problem"] == ""


def test_only_what_was_understood_of_a_steer_is_passed_on(view) -> None:
    deep: Any = float("inf")
    for _ in range(600):
        deep = [deep]
    view.steer({"f1": improve(2) | {"more": deep}, "f2": {"mode": "hold", "percent": deep}})
    view.controller.steer({"by": "other", "seq": 1, "point": 0, "modes": {}, "more": deep})
    told = view.controller.values()["steer"]
    assert told == {"by": "other", "seq": 1, "point": 0, "modes": {}, "active": None, "settled": False}
    told = next(value for trait, value in view.seen if trait == "steer")
    assert told["modes"] == {"f1": improve(2), "f2": {"mode": "hold"}}


@pytest.mark.parametrize("number", [10**400, -(10**400), 2**60, float("inf"), float("nan")])
def test_numbers_that_are_none(view, number) -> None:
    view.controller.steer({"by": "me", "seq": number, "point": 0, "modes": {}})
    view.controller.request({"by": "me", "seq": 1, "cmd": "go", "point": number})
    view.controller.request({"by": "me", "seq": 1, "cmd": "compare", "points": [number]})
    if abs(number) != 2**60:
        view.controller.steer({"point": 0, "modes": {"f1": {"mode": "aim", "value": number}}})
        view.controller.steer({"point": 0, "modes": {"f1": improve(number)}})
    assert view.controller.values()["steer"] is None
    assert view.jobs()[-1]["what"] == "start"
    assert view.steer({"f1": improve(2)})["exact"] is not None


def test_nonsense_is_remarked_upon_once(view, caplog) -> None:
    for _ in range(1000):
        view.controller.steer({"modes": 3})
        view.controller.request({"cmd": "no such"})
    assert len(caplog.records) == 2


def test_a_preview_does_not_solve_beside_a_step(slow, monkeypatch) -> None:
    problem, view = slow
    navigator = view.controller.navigator
    needs_tangent = pn.ppe()["predictor"]
    monkeypatch.setattr(navigator, "method", replace(navigator.method, predictor=needs_tangent))
    kept = navigator._journal.tangent
    problem.hold()
    seq = view.ask("step", expected_current=0, steer={"point": 0, "modes": {"f1": improve(3)}})
    problem.wait()
    asked: list[str] = []

    def forgotten(point: int) -> Any:
        here = threading.current_thread().name
        asked.append(here)
        return None if here == "paretonav-desk" else kept(point)

    monkeypatch.setattr(navigator._journal, "tangent", forgotten)
    told = view.steer({"f1": improve(2)})
    assert told["problem"].startswith("What this comes to can be said once")
    assert "paretonav-desk" in asked
    monkeypatch.setattr(navigator._journal, "tangent", kept)
    problem.release()
    view.wait(lambda trait, value: trait == "job" and value["seq"] == seq and value["status"] == "done")
    fractions = [job["fraction"] for job in view.jobs() if job["seq"] == seq and job["status"] == "running"]
    assert fractions == sorted(fractions)


def test_closing_cancels_what_runs(slow) -> None:
    problem, view = slow
    problem.hold()
    view.ask("step", expected_current=0, steer={"point": 0, "modes": {"f1": improve(3)}})
    problem.wait()
    closing = threading.Thread(target=view.controller.close)
    closing.start()
    while not view.controller._cancel.is_set():
        closing.join(0.01)
    problem.release()
    closing.join()
    assert view.jobs()[-1]["status"] == "cancelled"
    view.ask("undo")  # and nobody minds what comes afterwards
    view.controller.steer({"modes": {}})
    view.controller.refresh()


def test_what_other_code_does_is_shown_on_refresh(view, navigator) -> None:
    navigator.step(pn.Improve({"f1": 1.0}), 0.02)
    assert state(view)["current"] == 0
    view.controller.refresh()
    assert state(view)["current"] == 1


def test_everything_that_is_published_is_json(view) -> None:
    view.steer({"f1": improve(2), "f2": {"mode": "limit", "value": 10.0}}, settled=True)
    view.do("step", steer={"point": 0, "modes": {"f1": improve(2)}})
    for _, value in view.seen:
        json.dumps(value, allow_nan=False)


def test_a_session_that_is_resumed_shows_how_it_got_there(tmp_path: Path) -> None:
    problem = pn.problems.quadratic(n=12, m=3)
    with pn.Session(tmp_path / "s", write=True) as session:
        navigator = pn.Navigator(problem, session=session)
        navigator.start()
        navigator.step(pn.Improve({"f1": 1.0}), 0.02)
    with pn.Session(tmp_path / "s", write=True) as session:
        controller = Controller(pn.Navigator(problem, session=session))
        shown: Any = controller.values()["state"]
        controller.close()
    assert shown["current"] == 1
    assert shown["step"]["asked"] == "improve f1 by 2%"
    assert shown["step"]["words"] == []


def test_a_second_process_only_looks(tmp_path: Path) -> None:
    problem = pn.problems.quadratic(n=12, m=3)
    with pn.Session(tmp_path / "s", write=True) as session:
        navigator = pn.Navigator(problem, session=session)
        navigator.start()
        controller = Controller(pn.Navigator(problem, session=pn.Session(tmp_path / "s")))
        view = Watcher(controller)
        assert state(view)["writable"] is False
        assert state(view)["why_not"]
        assert view.do("step", steer={"point": 0, "modes": {"f1": improve(2)}})["status"] == "failed"
        controller.close()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "cmd",
                        "modes",
                        "steer",
                        "point",
                        "points",
                        "by",
                        "seq",
                        "what",
                        "f1",
                        "mode",
                        "percent",
                        "on",
                    ]
                ),
                inner | st.sampled_from(["step", "go", "improve", "aim", "download", "model", "compare"]),
                max_size=6,
            )
        ),
        max_leaves=12,
    )
)
def test_nonsense_is_no_command(message: object) -> None:
    from paretonav.cockpit.messages import MessageError, request_of, steer_of

    for read in (request_of, steer_of):
        with contextlib.suppress(MessageError):  # and nothing else comes out
            read(message, ("f1", "f2"))


def test_files_to_take_away(view) -> None:
    from safetensors.torch import load

    with view.controller.download("model", 0) as content:
        loaded = load(content.read())
    assert torch.equal(loaded["x"], view.controller.navigator.session.point(0).parameters)
    made = view.controller.download("csv")
    assert made.name == "three-bowls.csv"
    with made as content:
        assert b"train loss: f1" in content.read()
    with pytest.raises(pn.ParetonavError, match="no point 9"):
        view.controller.download("card", 9)
    view.wait(
        lambda trait, value: trait == "outlook" and value["alone"] is not None
    )  # else it may come in between
    whole = view.controller.download("page")
    assert whole.name == "three-bowls.html"
    with whole as content:
        text = content.read().decode()
    assert text == page(view.controller)
    assert '"live":false' in text
    answer = view.answer("download", what="card", point=0)["data"]
    assert answer["name"] == "three-bowls-point-0.md"


def test_saved_outlooks_are_those_of_a_live_view(view) -> None:
    saved = view.controller.outlooks()
    live = view.steer({"f1": improve(1), "f2": {"mode": "hold"}})
    from paretonav.cockpit.messages import Mode

    there = saved[key({"f1": Mode("improve", 1), "f2": Mode("hold")})]
    assert there["map"] == live["map"]
    assert there["reach"][0]["end"] == pytest.approx(live["reach"][0]["end"], rel=1e-3)
