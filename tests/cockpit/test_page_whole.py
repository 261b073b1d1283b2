"""Models that are spread out, and places on the map that somebody chooses: what is asked, said and done."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.cockpit.canvases import listen, texts
from tests.cockpit.looking import at_point, button, drawn, heard, mode, number, read, until, usable
from tests.cockpit.page_states import NAMES, points, state
from tests.cockpit.watching import PATIENCE, Bowls

import paretonav as pn
from paretonav.cockpit.controller import Controller
from paretonav.cockpit.web import Server

expect = pytest.importorskip("playwright.sync_api").expect
pytestmark = pytest.mark.slow


def tab(page: Any, name: str | re.Pattern[str]) -> Any:
    return page.get_by_role("tab", name=name, exact=isinstance(name, str))


def spread(page: Any, status: str, ids: list[int], *words: str) -> None:
    told = {"status": status, "wanted": 4, "points": ids, "words": list(words)}
    page.controller.publish("spread", told)


def test_what_it_takes_is_said_before_and_each_model_is_seen_when_it_comes(page_of: Any) -> None:
    pace = {"seconds": 12.0, "words": "about 12 s (3 epochs)"}
    page = page_of(state(pace=pace), points(6))
    mode(page, NAMES[1]).select_option("hold")
    tab(page, "Spread").click()
    part = page.get_by_role("region", name="Models spread out")
    expect(part).to_contain_text("5 to 15 steps, each about 12 s (3 epochs): 60\u202fs to ")
    part.get_by_label("How many models", exact=True).fill("4")
    expect(part).to_contain_text("4 to 12 steps")
    expect(part).to_contain_text(f"none is worse than that. Hold {NAMES[1]}.")
    button(page, "Make them").click()
    asked = heard(page, "request", cmd="cover", count=4)
    assert asked["steer"]["modes"] == {NAMES[1]: {"mode": "hold"}}
    job = {"id": 9, "what": "cover", "status": "running", "by": asked["by"], "seq": asked["seq"]}
    job |= {"phase": "predict", "fraction": 0.1, "seconds": 1.0, "left": 3.0, "losses": None, "message": ""}
    page.controller.publish("job", job)
    spread(page, "running", [4])
    expect(part).to_contain_text("1 new model has come")
    expect(part.locator("tbody tr")).to_have_count(1)
    expect(tab(page, "Spread (1 new)")).to_be_visible()
    expect(button(page, "Make them")).to_be_hidden()
    button(page, "Stop").click()
    heard(page, "request", cmd="cancel")
    spread(page, "done", [4, 0, 1, 5], "4 models, 2 of them new.")
    page.controller.publish("job", job | {"status": "done"})
    expect(part.locator("tbody th")).to_have_text(["4", "0", "1 \u201cthe fair one\u201d", "5"])
    expect(part.locator("tbody tr").first.locator("td").first).to_have_text("1.446")
    expect(page.locator(".pn-status")).to_have_text("4 models, 2 of them new.")
    button(page, "Show only these").click()
    expect(page.locator(".pn-filter")).to_contain_text("4 of 6 points: spread out")
    button(page, "Compare them").click()
    assert heard(page, "request", cmd="compare")["points"] == [4, 0, 1, 5]
    tab(page, "Spread").click()
    page.get_by_role("button", name="Go to point 5", exact=True).locator("visible=true").click()
    heard(page, "request", cmd="go", point=5)


def flat(page: Any) -> Any:
    """The map in two dimensions, drawn."""
    tab(page, "Map").click()
    canvas = page.locator("canvas[aria-label^='Map']")
    expect(canvas).to_be_visible()
    texts(page, page.locator(".pn-sheet").filter(has=canvas), "better")
    drawn(page)
    return canvas


def test_a_place_that_is_pressed_says_what_is_there(page_of: Any) -> None:
    page = page_of(state(), points())
    listen(page)
    canvas = flat(page)
    before = canvas.evaluate("e => e.toDataURL()")
    box = canvas.bounding_box()
    page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + 0.8 * box["height"])
    asked = heard(page, "request", cmd="route")
    assert set(asked["target"]) == {NAMES[0], NAMES[1]}
    expect(tab(page, "Place")).to_have_attribute("aria-selected", "true")
    for name, goal in asked["target"].items():
        expect(page.get_by_label(f"{name} to come to", exact=True)).to_have_value(str(goal))
    shown = [1.40, 1.20, 1.55, 0.46, 0.58, 0.4]
    data = {"target": asked["target"], "problem": "", "start": 1, "attainable": True, "legs": 2}
    data |= {"train": [1.3, 1.1, 1.45], "shown": shown, "estimate": "about 12 s (3 epochs)"}
    answer = {"by": asked["by"], "seq": asked["seq"], "cmd": "route"}
    page.controller.publish("answer", answer | {"data": data})
    part = page.get_by_role("region", name="A place on the map")
    expect(part).to_contain_text("The way begins at point 1: 2 legs, each about 12 s (3 epochs).")
    expect(part.locator("tbody tr").first).to_have_text(re.compile(rf"^{NAMES[0]}1\.4161\.4001\.1.% better$"))
    until(page, lambda: canvas.evaluate("e => e.toDataURL()") != before)
    tab(page, "Lines").click()
    texts(page, page.locator(".pn-book"), "asked for")
    button(page, "Go there").click()
    assert heard(page, "request", cmd="visit")["target"] == asked["target"]
    page.controller.publish("job", {"id": 3, "what": "visit", "status": "done", "by": None, "seq": None})
    # Something else is asked for: the place is not looked at any more.
    mode(page, NAMES[0]).select_option("improve")
    expect(button(page, "Go there")).to_be_hidden()
    expect(part.locator("table")).to_have_count(0)


def test_where_no_way_leads_the_point_that_is_as_good_is_offered(page_of: Any) -> None:
    page = page_of(state(), points())
    tab(page, "Place").click()
    field = page.get_by_label(f"{NAMES[0]} to come to", exact=True)
    field.fill("1.5")
    field.press("Enter")
    asked = heard(page, "request", cmd="route", target={NAMES[0]: 1.5})
    data = {"target": asked["target"], "problem": "Point 1 is as good as that already; go to it.", "start": 1}
    answer = {"by": asked["by"], "seq": asked["seq"], "cmd": "route", "data": data}
    page.controller.publish("answer", answer | {"seq": asked["seq"] - 1, "data": data | {"problem": "old"}})
    page.controller.publish("answer", answer)
    read(page.locator(".pn-place-words"), "No way there.", "Point 1 is as good")
    expect(button(page, "Go there")).to_be_hidden()
    page.get_by_role("region", name="A place").get_by_role("button", name="Go to point 1", exact=True).click()
    heard(page, "request", cmd="go", point=1)
    button(page, "Forget it").click()
    expect(page.locator(".pn-place-words")).to_be_empty()


def test_a_saved_page_makes_no_models(page_of: Any) -> None:
    page = page_of(state(live=False, writable=False, why_not="Saved."), points())
    for name in ("Spread", "Place"):
        tab(page, name).click()
        expect(page.get_by_text("needs the running cockpit").locator("visible=true")).to_have_count(1)
    for name in ("Make them", "Look", "Go there"):
        expect(button(page, name)).to_be_hidden()
    listen(page)
    flat(page).click(position={"x": 200, "y": 100})
    drawn(page)
    expect(tab(page, "Place")).to_have_attribute("aria-selected", "true")
    assert [kind for kind, _ in page.controller.heard] == []


@pytest.fixture
def real(browser: Any) -> Iterator[Callable[..., Any]]:
    navigator = pn.Navigator(Bowls(("left", "right"), n=12))
    navigator.start()
    controller = Controller(navigator, "two bowls")
    server = Server(controller)
    server.start()
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    context.set_default_timeout(1000 * PATIENCE)
    page = context.new_page()
    page.goto(server.url)
    at_point(page, 0)
    yield page
    context.close()
    server.stop()
    controller.close()


def test_spread_look_and_go(real: Any) -> None:
    page = real
    tab(page, "Spread").click()
    page.get_by_label("How many models", exact=True).fill("4")
    usable(page, "Make them").click()
    rows = page.locator(".pn-spread tbody tr")
    expect(rows).to_have_count(4)
    expect(page.locator(".pn-spread-words")).to_contain_text("4 models")
    at_point(page, 0)
    ends = [float(rows.nth(k).locator("td").first.evaluate("e => e.innerText")) for k in (1, 2)]
    tab(page, "Place").click()
    page.get_by_label("left to come to", exact=True).fill(str(round(sum(ends) / 2, 4)))
    button(page, "Look").click()
    read(page.locator(".pn-place-words"), "The way begins at point", "about")
    usable(page, "Go there").click()
    page.locator(".pn-report").get_by_text("Accepted").or_(page.get_by_text("Ended early")).first.wait_for()
    until(page, lambda: number(page, "left").count() == 1)
    page.locator(".pn-point", has_text=re.compile(r"^point [4-9]")).wait_for()
