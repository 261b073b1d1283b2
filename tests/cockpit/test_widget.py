"""The widget's Python side: what goes down, what goes up, and in which thread."""

import asyncio
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import comm
import pytest
from comm.base_comm import BaseComm
from tests.cockpit.watching import PATIENCE

import paretonav as pn
from paretonav.errors import ParetonavError

pytest.importorskip("anywidget")
pytestmark = pytest.mark.usefixtures("no_loop")


class Line(BaseComm):
    """A line to a browser that writes down what is sent."""

    def publish_msg(self, msg_type: str, data: Any = None, **keys: Any) -> None:
        sent.append((msg_type, data or {}, threading.get_ident()))


sent: list[tuple[str, dict[str, Any], int]] = []


@pytest.fixture(autouse=True)
def line(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(comm, "create_comm", Line)
    sent.clear()
    yield
    from ipywidgets import Widget

    Widget.close_all()


def make(controller: Any) -> Any:
    from paretonav.cockpit.widget import Widget

    return Widget(controller)


def say(widget: Any, **traits: object) -> None:
    """What a browser's ``save_changes`` does."""
    message = {"content": {"data": {"method": "update", "state": traits}}, "buffers": []}
    widget.comm.handle_msg(message)


def updates(method: str = "update") -> list[dict[str, Any]]:
    return [data["state"] for kind, data, _ in sent if kind == "comm_msg" and data["method"] == method]


def in_thread(work: Any) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


@pytest.mark.usefixtures("small_view")
def test_it_opens_with_the_view_and_the_present_values(controller: Any) -> None:
    widget = make(controller)
    kind, data, _ = sent[-1]  # behind that of its layout
    assert kind == "comm_open"
    assert "export default" in data["state"]["_esm"]
    assert "rgb(1, 2, 3)" in data["state"]["_css"]
    assert data["state"]["state"] == controller.now["state"]
    assert widget.state is controller.now["state"]


@pytest.mark.usefixtures("small_view")
def test_what_another_thread_publishes_is_sent_by_the_loop(controller: Any) -> None:
    async def main() -> None:
        make(controller)
        in_thread(lambda: controller.publish("state", {"version": 2}))
        assert not updates()
        await asyncio.sleep(0.01)

    asyncio.run(main())
    assert updates() == [{"state": {"version": 2}}]
    assert sent[-1][2] == threading.get_ident()


@pytest.mark.usefixtures("small_view")
def test_answers_go_where_the_browser_speaks_from(controller: Any) -> None:
    async def main() -> None:
        widget = make(controller)

        async def subshell() -> None:
            say(widget, steer={"by": "x", "seq": 1})
            there.append(threading.get_ident())
            while not done.is_set():
                await asyncio.sleep(0.001)

        there: list[int] = []
        done = threading.Event()
        thread = threading.Thread(target=lambda: asyncio.run(subshell()))
        thread.start()
        while not there:
            await asyncio.sleep(0.001)
        controller.publish("outlook", {"seq": 1})
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while not updates():  # this loop is busy: a cell runs
            assert asyncio.get_running_loop().time() < deadline
        done.set()
        thread.join()
        assert sent[-1][2] == there[0]

    asyncio.run(main())


@pytest.mark.usefixtures("small_view")
def test_steers_and_requests_go_to_the_controller_once(controller: Any) -> None:
    widget = make(controller)
    steer = {"by": "x", "seq": 1, "point": 0, "modes": {}, "settled": True}
    say(widget, steer=steer)
    say(widget, request={"by": "x", "seq": 2, "cmd": "undo"})
    say(widget, steer=["nonsense"])
    assert controller.heard == [
        ("steer", steer),
        ("request", {"by": "x", "seq": 2, "cmd": "undo"}),
        ("steer", ["nonsense"]),
    ]


@pytest.mark.usefixtures("small_view")
def test_echoes(controller: Any) -> None:
    widget = make(controller)
    mine = {"by": "x", "seq": 1, "modes": {}}
    say(widget, steer=mine)
    say(widget, request={"by": "x", "seq": 2, "cmd": "undo"})
    # To the kernel's other browsers by ipywidgets; nobody else is concerned by a request.
    assert updates("echo_update") == [{"steer": mine}]
    controller.publish("steer", mine, by="x")
    assert updates() == []  # the one who said so knows, and may have said more since
    others = {"by": "web", "seq": 7, "modes": {"a": {"mode": "hold"}}}
    controller.publish("steer", others, by="web")
    assert updates() == [{"steer": others}]
    assert [kind for kind, _ in controller.heard] == [
        "steer",
        "request",
    ]  # what came down does not go up again


@pytest.mark.usefixtures("small_view")
def test_what_is_published_while_a_message_is_taken_comes_after_it(
    controller: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    widget = make(controller)
    monkeypatch.setattr(
        controller, "request", lambda _: controller.publish("job", {"id": 1, "status": "refused"})
    )
    say(widget, request={"by": "x", "seq": 1, "cmd": "undo"})
    assert updates() == [{"job": {"id": 1, "status": "refused"}}]
    assert widget.job == {"id": 1, "status": "refused"}


@pytest.mark.usefixtures("small_view")
def test_nothing_is_lost_between_the_first_values_and_the_first_change(
    controller: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = controller.values

    def late() -> dict[str, object]:
        found = values()
        in_thread(lambda: controller.publish("state", {"version": 2}))
        return dict(found)

    monkeypatch.setattr(controller, "values", late)
    assert make(controller).state == {"version": 2}


@pytest.mark.usefixtures("small_view")
def test_closed_it_hears_nothing_and_the_controller_goes_on(controller: Any) -> None:
    widget = make(controller)
    widget.close()
    assert controller.listeners == []
    assert controller.closed == 0
    controller.publish("state", {"version": 2})
    assert updates() == []
    widget.close()


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, make_controller: Any) -> list[Any]:
    """The controllers that a cockpit makes."""
    made: list[Any] = []

    def make(navigator: Any, title: str = "") -> Any:
        made.append(make_controller(navigator, title))
        return made[-1]

    monkeypatch.setitem(sys.modules, "paretonav.cockpit.controller", SimpleNamespace(Controller=make))
    return made


@pytest.mark.usefixtures("small_view")
def test_a_cockpit_has_one_controller_however_often_it_is_shown(made: list[Any]) -> None:
    nav = pn.Navigator(pn.problems.quadratic(n=10, m=2))
    cockpit = pn.Cockpit(nav, title="first")
    assert made == []
    shown, _ = cockpit._repr_mimebundle_()
    again, _ = cockpit._repr_mimebundle_(include=None, exclude=None)
    assert shown == again
    assert "application/vnd.jupyter.widget-view+json" in shown
    assert shown["text/html"].startswith(
        "<table>"
    )  # for where there are no widgets, as in an exported notebook
    assert len(made) == 1
    assert (made[0].title, made[0].refreshed) == ("first", 1)
    cockpit.title = "second"
    assert made[0].title == "second"
    widget = cockpit.widget
    widget.close()
    assert cockpit._display_() is cockpit.widget is not widget
    cockpit.widget.comm.close()  # what marimo does when the cell runs again
    assert cockpit._display_() is cockpit.widget
    assert len(made) == 1
    cockpit.close()
    cockpit.close()
    assert made[0].closed == 1
    assert made[0].listeners == []
    cockpit._display_()
    assert len(made) == 2


@pytest.mark.usefixtures("small_view")
def test_what_a_cell_has_done_is_shown_when_it_has_ended(
    made: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[Any] = []
    events = SimpleNamespace(register=lambda _, f: ended.append(f), unregister=lambda _, f: ended.remove(f))
    shell = SimpleNamespace(events=events)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    nav = pn.Navigator(pn.problems.quadratic(n=10, m=2))
    nav.start()
    cockpit = pn.Cockpit(nav)
    cockpit._display_()
    cockpit._display_()
    (tell,) = ended
    before = made[0].refreshed
    tell(None)
    assert made[0].refreshed == before
    nav.step(pn.Improve({"f1": 1.0}))
    tell(None)
    assert made[0].refreshed == before + 1
    cockpit.close()
    assert ended == []
    tell(None)


def test_without_anywidget_it_says_what_to_install(made: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "paretonav.cockpit.widget", None)
    cockpit = pn.Cockpit(pn.Navigator(pn.problems.quadratic(n=10, m=2)))
    with pytest.raises(ParetonavError, match=r'pip install "paretonav\[notebook\]"'):
        _ = cockpit.widget
    assert "paretonav[notebook]" in cockpit._repr_mimebundle_()["text/plain"]
    assert made == []


def test_without_the_libraries_of_the_page_it_says_what_to_install(
    made: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    cockpit = pn.Cockpit(pn.Navigator(pn.problems.quadratic(n=10, m=2)))
    monkeypatch.setitem(sys.modules, "paretonav.cockpit.web", None)
    with pytest.raises(ParetonavError, match=r'pip install "paretonav\[web\]"'):
        cockpit.serve()
    monkeypatch.setitem(
        sys.modules, "paretonav.cockpit.web", SimpleNamespace(serve=lambda *args, **options: (args, options))
    )
    assert cockpit.serve(port=1) == ((made[0],), {"port": 1})


@pytest.mark.usefixtures("small_view", "made")
def test_saving_refreshes_first(made: list[Any], tmp_path: Path) -> None:
    cockpit = pn.Cockpit(pn.Navigator(pn.problems.quadratic(n=10, m=2)))
    cockpit.save(tmp_path / "choice.html")
    assert made[0].refreshed == 1
    assert (tmp_path / "choice.html").stat().st_size > 1000


@pytest.mark.usefixtures("small_view")
def test_with_the_real_controller() -> None:
    nav = pn.Navigator(pn.problems.quadratic(n=10, m=2))
    cockpit = pn.Cockpit(nav)
    threads = threading.active_count()
    widget = cockpit.widget
    assert widget.state["current"] is None
    try:
        nav.start()
        cockpit._display_()
        assert cockpit.widget is widget
        assert widget.state["current"] == 0
        running = {thread.name for thread in threading.enumerate()}
        cockpit._display_()
        assert {thread.name for thread in threading.enumerate()} == running
        asked = {"modes": {"f1": {"mode": "improve", "percent": 5}}, "active": None, "settled": True}
        say(
            widget,
            request={
                "by": "x",
                "seq": 1,
                "cmd": "step",
                "expected_current": 0,
                "steer": asked | {"point": 0},
            },
        )
        deadline = time.monotonic() + PATIENCE
        while widget.job["status"] != "done":
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert widget.state["current"] == nav.here.id == 1
    finally:
        cockpit.close()
    assert threading.active_count() <= threads
