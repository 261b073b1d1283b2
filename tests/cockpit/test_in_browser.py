"""The whole cockpit in a browser, as a person uses it: real server, real controller, real view."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cockpit.looking import (
    ask,
    at_point,
    button,
    drawn,
    heard,
    measured,
    mode,
    number,
    read,
    said,
    slider,
    until,
    unusable,
    usable,
)
from tests.cockpit.watching import PATIENCE, Bowls

import paretonav as pn
from paretonav.cockpit.controller import Controller
from paretonav.cockpit.web import Server

expect = pytest.importorskip("playwright.sync_api").expect
pytestmark = pytest.mark.slow

NAMES = ("left", "right", "middle")
SHOTS = Path("build/screenshots")
"""Where the main states are drawn; CI may keep them."""


class Listening(Controller):
    """Writes down which commands it has taken."""

    taken: tuple[str, ...] = ()

    def request(self, message: Any) -> None:
        super().request(message)
        self.taken += (message["cmd"],)


class Cockpit:
    """A server with its problem, and pages on it, whose complaints are kept."""

    def __init__(self, browser: Any, problem: pn.Problem, title: str = "three bowls") -> None:
        self.problem = problem
        self.navigator = pn.Navigator(problem)
        self.controller = Listening(self.navigator, title)
        self.server = Server(self.controller)
        self.server.start()
        self.context = browser.new_context(viewport={"width": 1280, "height": 720})
        self.context.set_default_timeout(1000 * PATIENCE)
        self.complaints: list[str] = []

    def open(self) -> Any:
        page = self.context.new_page()
        page.on(
            "console", lambda m: self.complaints.append(m.text) if m.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(self.server.url)
        return page

    def close(self) -> None:
        if isinstance(self.problem, Bowls):
            self.problem.release()
        self.context.close()
        self.server.stop()
        self.controller.close()


Opener = Callable[..., Cockpit]


@pytest.fixture
def cockpit(browser: Any) -> Iterator[Opener]:
    opened: list[Cockpit] = []

    def open_one(
        problem: pn.Problem | None = None, title: str = "three bowls", *, start: bool = True
    ) -> Cockpit:
        one = Cockpit(browser, problem or Bowls(NAMES, n=12), title)
        opened.append(one)
        if start:
            one.navigator.start()
            one.controller.refresh()
        return one

    yield open_one
    for one in opened:
        one.close()
    assert [one.complaints for one in opened] == [[] for _ in opened]


def shoot(page: Any, name: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png")


def losses(cockpit: Cockpit) -> list[float]:
    return list(cockpit.navigator.here.losses.values())


def test_a_navigation_by_mouse(cockpit: Opener) -> None:
    here = cockpit(start=False)
    page = here.open()
    button(page, "Start").click()
    at_point(page, 0)
    before = losses(here)
    mode(page, "left").select_option("improve")
    thumb = slider(page, "left")
    measured(page, "left")  # after which nothing moves any more
    drawn(page)
    box = thumb.bounding_box()
    page.mouse.move(box["x"] + 3, box["y"] + box["height"] / 2)
    page.mouse.down()
    for share in (0.1, 0.2, 0.3):
        page.mouse.move(box["x"] + share * box["width"], box["y"] + box["height"] / 2)
    page.mouse.up()
    drawn(page)
    percent = float(number(page, "left").input_value())
    assert percent > 1  # which it has been before
    shoot(page, "steering")
    usable(page, "Step").click()
    at_point(page, 1)
    after = losses(here)
    assert after[0] == pytest.approx(before[0] * (1 - percent / 100), rel=1e-3)
    page.get_by_text("accepted", exact=False).first.wait_for()
    shoot(page, "stepped")
    usable(page, "Undo").click()
    at_point(page, 0)
    page.get_by_text("Now at point 0.").first.wait_for()
    assert losses(here) == before


def test_a_navigation_by_keyboard_alone(cockpit: Opener) -> None:
    here = cockpit()
    page = here.open()
    at_point(page, 0)
    before = losses(here)

    def tab_to(label: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.getAttribute('aria-label')") == label:
                return
        raise AssertionError(f"the tab key does not lead to {label!r}")

    tab_to("What to ask of right")
    page.keyboard.press("i")  # improve
    thumb = slider(page, "right")
    tab_to("right")
    first = float(thumb.input_value())
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    drawn(page)
    percent = float(number(page, "right").input_value())
    assert percent > first
    usable(page, "Step")
    page.keyboard.press("Control+Enter")
    at_point(page, 1)
    assert losses(here)[1] == pytest.approx(before[1] * (1 - percent / 100), rel=1e-3)
    usable(page, "Undo")
    page.keyboard.press("Control+z")
    at_point(page, 0)
    assert losses(here) == before


def asked(cockpit: Opener, problem: Bowls) -> tuple[Cockpit, Any]:
    """A page in which 3 % of left are asked for, and have been measured."""
    here = cockpit(problem)
    page = here.open()
    at_point(page, 0)
    ask(page, "left", 3)
    usable(page, "Step")
    measured(page, "left")
    return here, page


def step_held(page: Any, problem: Bowls) -> None:
    """Step, and be in the midst of it until the problem is released."""
    problem.hold()
    usable(page, "Step").click()
    problem.wait()


def test_cancel(cockpit: Opener) -> None:
    problem = Bowls(NAMES, n=12)
    here, page = asked(cockpit, problem)
    before = losses(here)
    step_held(page, problem)
    button(page, "Cancel").click()
    until(page, lambda: "cancel" in here.controller.taken)
    problem.release()
    page.get_by_text(re.compile("cancelled", re.I)).first.wait_for()
    shoot(page, "cancelled")
    assert losses(here) == before
    usable(page, "Step").click()
    at_point(page, 1)


def test_a_reload_in_the_middle_of_a_step_loses_nothing(cockpit: Opener) -> None:
    problem = Bowls(NAMES, n=12)
    _, page = asked(cockpit, problem)
    step_held(page, problem)
    page.reload()
    button(page, "Cancel").wait_for()
    expect(mode(page, "left")).to_have_value("improve")
    shoot(page, "running")
    problem.release()
    at_point(page, 1)


def test_two_tabs_show_the_same(cockpit: Opener) -> None:
    here = cockpit()
    one, two = here.open(), here.open()
    at_point(one, 0)
    at_point(two, 0)
    ask(one, "left", 3)
    until(two, lambda: slider(two, "left").input_value() == "3")
    usable(two, "Step").click()
    at_point(one, 1)
    at_point(two, 1)
    assert losses(here)[0] == pytest.approx(0.97 * here.navigator.records[0].losses["left"], rel=1e-3)


def test_an_error_in_a_persons_own_loss_is_shown_and_loses_nothing(cockpit: Opener) -> None:
    problem = Bowls(NAMES, n=12)
    _, page = asked(cockpit, problem)
    problem.broken = True
    usable(page, "Step").click()
    page.get_by_text("division by zero in my own loss").first.wait_for()
    shoot(page, "failed")
    problem.broken = False
    usable(page, "Step").click()
    at_point(page, 1)


def nothing_is_predicted(page: Any) -> None:
    until(page, lambda: set(page.locator(".pn-change").all_inner_texts()) == {""})


def test_what_is_typed_stays_and_what_is_possible_is_offered(cockpit: Opener) -> None:
    here = cockpit()
    page = here.open()
    at_point(page, 0)
    ask(page, "left", 95)
    sentence = said(page, "Not possible", "Within reach: left up to 80")
    assert sentence.startswith("Improve left by 95 %.")
    assert "Expected" not in sentence
    expect(number(page, "left")).to_have_value("95")
    nothing_is_predicted(page)
    read(page.locator(".pn-reason:visible"), "Asked for 95")
    unusable(page, "Step")
    shoot(page, "too-much")
    offer = page.get_by_role("button", name=re.compile("Ask for what is possible: improve left by 80"))
    offer.click()
    said(page, "Expected")
    until(page, lambda: number(page, "left").input_value().startswith("80."))
    offer.wait_for(state="hidden")
    usable(page, "Step").click()
    at_point(page, 1)


def test_less_than_nothing_is_not_made_nothing(cockpit: Opener) -> None:
    here = cockpit()
    page = here.open()
    at_point(page, 0)
    ask(page, "left", -5)
    sentence = said(page, "an improvement is 0% or more")
    assert sentence.startswith("Improve left by -5 %. Not possible.")
    expect(number(page, "left")).to_have_value("-5")
    unusable(page, "Step")


def test_a_bound_that_is_broken_already_has_no_outcome_and_an_offer(cockpit: Opener) -> None:
    here = cockpit()
    page = here.open()
    at_point(page, 0)
    ask(page, "left", 2)
    said(page, "Expected")
    mode(page, "right").select_option("limit")
    number(page, "right").fill("0.1")
    number(page, "right").press("Tab")
    sentence = said(page, "already beyond its bound of 0.1")
    assert "Expected" not in sentence
    assert "Within reach" not in sentence
    nothing_is_predicted(page)
    until(page, lambda: "Possible" not in "".join(page.locator(".pn-reason:visible").all_inner_texts()))
    shoot(page, "impossible-bound")
    page.get_by_role("button", name=re.compile("Ask for what is possible: .*allow right up to 0.2")).click()
    said(page, "Expected", "Improve left by 2 %")


def test_a_step_uses_a_wish_up(cockpit: Opener) -> None:
    here = cockpit()
    page, other = here.open(), here.open()
    at_point(page, 0)
    at_point(other, 0)
    mode(page, "right").select_option("hold")
    ask(page, "left", 3)
    usable(page, "Step").click()
    for each in (page, other):
        at_point(each, 1)
        until(each, lambda each=each: mode(each, "left").input_value() == "free")
        until(each, lambda each=each: mode(each, "right").input_value() == "hold")
        unusable(each, "Step")


@pytest.fixture
def told(browser: Any, make_controller: Any) -> Iterator[Callable[..., Any]]:
    """Opens a page that shows the state of a real point, and what a test changes in it."""
    navigator = pn.Navigator(Bowls(NAMES, n=12))
    navigator.start()
    navigator.step(pn.Improve({"left": 1.0}), 0.03)
    real = Controller(navigator)
    state = copy.deepcopy(real.values()["state"])
    points = real.values()["points"]
    real.close()
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    context.set_default_timeout(1000 * PATIENCE)
    opened: list[Any] = []

    def show(change: Callable[[Any], None]) -> Any:
        change(state)
        fake = make_controller(title="told")
        fake.now |= {"state": state, "points": points}
        server = Server(fake)
        server.start()
        opened.append(server)
        page = context.new_page()
        page.controller = fake
        page.goto(server.url)
        at_point(page, 1)
        page.locator(".pn-report").wait_for()
        return page

    yield show
    context.close()
    for server in opened:
        server.stop()


def test_where_a_step_surprised_there_is_a_way_back(told: Callable[..., Any]) -> None:
    def surprise(state: Any) -> None:
        state["step"]["rows"][1]["verdict"] = "worse than predicted"

    page = told(surprise)
    shoot(page, "surprised")
    page.get_by_text("worse than predicted", exact=True).wait_for()
    # That red is of changes for the worse.
    expect(page.locator("td.pn-worse", has_text="predicted")).to_have_count(0)
    page.get_by_role("button", name="Undo: back to point 0", exact=True).click()
    assert heard(page, "request")["cmd"] == "undo"


def test_where_none_did_there_is_no_more_than_the_button_on_top(told: Callable[..., Any]) -> None:
    page = told(lambda state: None)
    expect(page.get_by_role("button", name=re.compile("^Undo"))).to_have_count(1)
    expect(page.locator(".pn-caution")).to_be_hidden()


def test_what_may_disappoint_is_said_before_a_step(told: Callable[..., Any]) -> None:
    def doubts(state: Any) -> None:
        state["caution"] = "This model is not trained out."
        state["unsure"] = "There are no standard errors here."

    page = told(doubts)
    shoot(page, "cautious")
    expect(page.locator(".pn-caution")).to_have_text("This model is not trained out.")
    # Below the rows, and below the report.
    expect(page.get_by_text("There are no standard errors here.")).to_have_count(2)
    expect(page.locator(".pn-report td.pn-better, .pn-report td.pn-worse")).to_have_count(0)


def test_dust_is_no_change(told: Callable[..., Any]) -> None:
    def dusty(state: Any) -> None:
        state["step"]["rows"][1]["achieved"] = 5.6e-17
        state["step"]["rows"][2]["predicted"] = -7.4e-16

    page = told(dusty)
    expect(page.locator(".pn-report")).to_contain_text("predicted")
    expect(page.locator(".pn-report")).not_to_contain_text("10\u207b")


def test_measured_and_predicted_contradict_each_other_in_sight(told: Callable[..., Any]) -> None:
    page = told(lambda state: None)
    ask(page, "left", 3)
    steer = heard(page, "steer", settled=True, modes={"left": {"mode": "improve", "percent": 3}})
    about = {"by": steer["by"], "seq": steer["seq"], "point": 1, "modes": steer["modes"]}
    exact = {
        "shown": [-0.02, 0.01, 0.01],
        "train": [-0.02, 0.01, 0.01],
        "errors": [0.001] * 3,
        "weights": [0.3] * 3,
    }
    exact |= {"attainable": True, "trusted": True, "requested": [-0.02, None, None]}
    outlook = {
        "asked": "",
        "problem": "",
        "instead": None,
        "inputs": [0],
        "reach": [{"end": 5545.0, "reason": ""}, None, None],
    }
    page.controller.publish("outlook", about | outlook | {"map": None, "exact": exact})
    trial = {"shown": [0.009, 0.0105, 0.01], "errors": [0.001, 0.001, None], "seconds": 0.1}
    page.controller.publish("trial", about | trial)
    read(page.locator(".pn-trial[data-odd]"), "measured +1.51 % ± 0.17 % – not as predicted")
    read(page.locator(".pn-trial").nth(1), "±")
    sentence = said(page, "Within reach", "left without a known end")
    assert "5545" not in sentence
    assert sentence.startswith("Improve left by 3 %. Expected: left 3.4 % better")
    shoot(page, "contradicted")


def test_what_cannot_be_traded_is_said_so(told: Callable[..., Any]) -> None:
    page = told(lambda state: None)
    ask(page, "left", 3)
    steer = heard(page, "steer", settled=True, modes={"left": {"mode": "improve", "percent": 3}})
    outlook = {
        "by": steer["by"],
        "seq": steer["seq"],
        "point": 1,
        "modes": steer["modes"],
        "asked": "",
        "problem": "The bound is reached.",
    }
    outlook |= {
        "instead": None,
        "inputs": [0],
        "reach": [{"end": 0.0007, "reason": "The bound is reached."}, None, None],
    }
    page.controller.publish("outlook", outlook | {"map": None, "exact": None})
    said(page, "Within reach: nothing of left")
    page.locator(".pn-reason:visible", has_text="Nothing to trade here.").wait_for()


def moved(page: Any, to: int, after: str) -> None:
    """The point is another one, and of the job that has led there no more is heard than its end."""
    state = page.controller.now["state"]
    page.controller.publish("state", state | {"current": to, "parent": 1, "after": after, "version": 9})
    about = {"id": 7, "what": after, "status": "done", "by": None, "seq": None, "message": ""}
    page.controller.publish("job", about)
    at_point(page, to)


def test_a_step_uses_a_wish_up_though_its_beginning_was_skipped(told: Callable[..., Any]) -> None:
    page = told(lambda state: None)
    ask(page, "left", 3)
    moved(page, 0, "undo")
    expect(mode(page, "left")).to_have_value("improve")
    moved(page, 1, "step")
    until(page, lambda: mode(page, "left").input_value() == "free")


def test_where_one_has_come_back_to_is_said_whatever_led_there_first(told: Callable[..., Any]) -> None:
    page = told(lambda state: None)
    read(page.locator(".pn-status"), "Accepted")
    step = page.controller.now["state"]["step"]
    page.controller.now["state"] |= {"step": step | {"asked": "something else"}}
    page.evaluate(
        "() => { window.requestAnimationFrame = (draw) => setTimeout(draw, 500); }"
    )  # one for all news
    moved(page, 0, "undo")
    read(page.locator(".pn-status"), "Now at point 0.")


def test_an_answer_to_something_else_is_not_taken_for_ones_own(told: Callable[..., Any]) -> None:
    page = told(lambda state: None)
    ask(page, "left", 3)
    heard(page, "steer", settled=True, modes={"left": {"mode": "improve", "percent": 3}})
    other = {"left": {"mode": "improve", "percent": 3}, "right": {"mode": "hold"}}
    outlook = {"by": "other", "seq": 1, "point": 1, "modes": other, "asked": "", "problem": "", "inputs": [0]}
    outlook |= {
        "instead": None,
        "reach": [{"end": 7.0, "reason": ""}, None, None],
        "map": None,
        "exact": None,
    }
    page.controller.publish("outlook", outlook)
    job = {"id": 8, "what": "note", "status": "failed", "by": None, "seq": None, "message": "after that"}
    page.controller.publish("job", job)
    page.get_by_text("after that").first.wait_for()
    drawn(page)
    expect(page.locator(".pn-summary")).not_to_contain_text("reach")


def test_after_a_reload_a_step_has_used_its_wish_up_for_good(cockpit: Opener) -> None:
    problem = Bowls(NAMES, n=12)
    _, page = asked(cockpit, problem)
    step_held(page, problem)
    page.reload()
    button(page, "Cancel").wait_for()
    problem.release()
    at_point(page, 1)
    page.reload()
    at_point(page, 1)
    drawn(page)
    expect(mode(page, "left")).to_have_value("free")


HOSTILE = ('<img src=x onerror="window.hit=1">', "</script><script>window.hit=1</script>", "a\u202eb\u2028c")


def test_hostile_names_and_notes_are_text(cockpit: Opener, tmp_path: Path) -> None:
    here = cockpit(Bowls(HOSTILE, n=12), "<script>window.hit=1</script>")
    here.navigator.session.note(0, HOSTILE[0])
    here.controller.refresh()
    page = here.open()
    at_point(page, 0)
    mode(page, HOSTILE[0]).select_option("improve")
    said(page, "Expected")
    for tab in page.get_by_role("tab").all():
        tab.click()
        drawn(page)
        expect(page.locator("img")).to_have_count(0)
        expect(page.locator("script:not([src])")).to_have_count(0)
    assert page.evaluate("window.hit") is None
    from paretonav.cockpit.saved import save

    save(here.controller, tmp_path / "choice.html")
    page.goto((tmp_path / "choice.html").as_uri())
    at_point(page, 0)
    drawn(page)
    expect(page.locator("img")).to_have_count(0)
    expect(page.locator("script")).to_have_count(2)  # its own
    assert page.evaluate("window.hit") is None


def test_what_if_works_in_a_saved_page(cockpit: Opener, tmp_path: Path) -> None:
    from paretonav.cockpit.saved import save

    here = cockpit()
    save(here.controller, tmp_path / "choice.html")
    page = here.context.new_page()
    page.on("pageerror", lambda error: here.complaints.append(str(error)))
    page.goto((tmp_path / "choice.html").as_uri())
    at_point(page, 0)
    mode(page, "left").select_option("improve")
    slider(page, "left").press("ArrowRight")
    slider(page, "left").press("ArrowRight")
    said(page, "Expected")
    until(page, "/[0-9]/.test(document.querySelector('.pn-change').textContent)")
    expect(button(page, "Step")).to_have_count(0)
    shoot(page, "saved")


@pytest.mark.parametrize("m", [2, 20])
def test_few_and_many_objectives(cockpit: Opener, m: int) -> None:
    here = cockpit(pn.problems.quadratic(n=40, m=m), f"{m} objectives")
    page = here.open()
    at_point(page, 0)
    ask(page, "f1", 2)
    usable(page, "Step").click()
    at_point(page, 1)
    shoot(page, f"{m}-objectives")
    for width, scheme in ((820, "light"), (1280, "dark")):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 1100 if width < 1000 else 720})
        until(page, f"innerWidth === {width}")
        drawn(page)
        until(page, "document.documentElement.scrollWidth <= innerWidth")
        shoot(page, f"{m}-objectives-{width}-{scheme}")


def test_points_are_compared_starred_noted_and_gone_to(cockpit: Opener) -> None:
    here = cockpit()
    for name in ("left", "right"):
        here.navigator.step(pn.Improve({name: 1.0}), 0.03)
    here.controller.refresh()
    page = here.open()
    at_point(page, 2)
    page.get_by_role("tab", name="Table", exact=True).click()
    page.get_by_label("Compare point 0", exact=True).check()
    page.get_by_label("Compare point 2", exact=True).check()
    page.get_by_role("tab", name="Compare (2)", exact=True).wait_for()
    shoot(page, "compared")
    page.get_by_label("Star point 1", exact=True).click()
    page.get_by_label("Add a note to point 1", exact=True).click()
    note = page.get_by_label("Note of point 1: Enter saves, Escape leaves", exact=True)
    note.fill("balanced <i>enough</i>")
    note.press("Enter")
    kept = here.navigator.session
    until(page, lambda: kept[1].note == "balanced <i>enough</i>" and kept[1].star)
    page.get_by_label("Go to point 1", exact=True).click()
    at_point(page, 1)
    assert here.navigator.here.id == 1
    for chart in ("Map", "Lines", "Radar", "Tree"):
        page.get_by_role("tab", name=chart, exact=True).click()
        drawn(page)
        shoot(page, f"chart-{chart.lower()}")
        page.get_by_text("Download", exact=True).click()
        with page.expect_download() as saved:
            button(page, "Picture of the chart (PNG)").click()
        content = Path(saved.value.path()).read_bytes()
        assert content[:4] == b"\x89PNG"
        assert len(content) > 5_000


def test_the_page_saves_itself_and_offers_there_what_it_can_do(
    cockpit: Opener, browser: Any, tmp_path: Path
) -> None:
    page = cockpit(Bowls(NAMES[:2])).open()
    at_point(page, 0)
    ask(page, NAMES[0], 3)
    said(page, "Expected")
    page.get_by_text("Download", exact=True).click()
    with page.expect_download() as made:
        page.get_by_role("link", name="This page, to look at offline (HTML)", exact=True).click()
    assert made.value.suggested_filename.endswith(".html")
    path = tmp_path / "saved.html"
    made.value.save_as(path)
    offline = browser.new_context(offline=True)
    saved = offline.new_page()
    saved.goto(path.as_uri())
    assert "improve" in said(saved, "Expected").lower()
    saved.get_by_text("Download", exact=True).click()
    # A menu is filled when it opens.
    expect(saved.locator(".pn-header .pn-menu-panel > *")).to_have_text(["Picture of the chart (PNG)"])
    for name in ("Step", "Undo"):
        expect(saved.get_by_role("button", name=name, exact=True)).to_have_count(0)
    offline.close()


def test_the_point_is_dragged_to_an_aim(cockpit: Opener) -> None:
    here = cockpit(Bowls(NAMES[:2], n=12))
    page = here.open()
    at_point(page, 0)
    canvas = page.locator(".pn-plots canvas:visible").first
    # Tries places with a pointer until the map says that there is something to be dragged.
    search = """canvas => {
      const { left, top, width, height } = canvas.getBoundingClientRect();
      for (let x = 4; x < width; x += 8) {
        for (let y = 4; y < height; y += 8) {
          const place = { clientX: left + x, clientY: top + y, pointerType: "mouse" };
          canvas.dispatchEvent(new PointerEvent("pointermove", place));
          if (canvas.dataset.grip === "aim") return [left + x, top + y];
        }
      }
      return null;
    }"""

    def dragged() -> bool:
        """Whether it could be taken hold of, and has been dragged: the axes may have moved just now."""
        x, y = until(page, lambda: canvas.evaluate(search), "nowhere is there something to be dragged")
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x - 10, y + 6)
        took = canvas.get_attribute("data-grip") == "held"
        page.mouse.move(x - 20, y + 12)
        page.mouse.up()
        return took

    until(page, dragged)
    until(page, "document.querySelectorAll('.pn-row[data-mode=aim]').length === 2")
    shoot(page, "aimed")
