"""Points are named and the navigation is given a title where they stand, and charts, tables and sentences have them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.cockpit.looking import heard, until
from tests.cockpit.page_states import points, state

expect = pytest.importorskip("playwright.sync_api").expect
pytestmark = pytest.mark.slow

HOSTILE = "<img src=x onerror=alert(1)>"
HEBREW = "\u05d4\u05d5\u05d2\u05df \u05de\u05db\u05d5\u05dc\u05dd"


def requests(page: Any, cmd: str) -> list[Any]:
    heard = [message for kind, message in page.controller.heard if kind == "request"]
    return [{"point": m.get("point"), "text": m["text"]} for m in heard if m["cmd"] == cmd]


def test_the_title_and_the_name_of_a_point_are_changed_where_they_stand(page_of: Any) -> None:
    page = page_of(state(), points())
    title = page.locator(".pn-session")
    title.get_by_role("button", name="Three tasks", exact=True).click()
    field = page.get_by_label("Title: Enter saves, Escape leaves", exact=True)
    expect(field).to_have_value("Three tasks")
    field.fill("Never")
    field.press("Escape")
    expect(title.get_by_role("button", name="Three tasks", exact=True)).to_be_focused()
    title.get_by_role("button").click()
    field.fill("  What  we  want ")
    field.press("Enter")
    expect(title.get_by_role("button", name="What we want", exact=True)).to_be_focused()
    until(page, lambda: requests(page, "title") == [{"point": None, "text": "What we want"}])
    page.get_by_role("button", name="name it", exact=True).click()
    field = page.get_by_label("Name of this point: Enter saves, Escape leaves", exact=True)
    field.press_sequentially("cheap r")  # whose letters are no shortcuts
    field.press("Tab")
    until(page, lambda: requests(page, "name") == [{"point": 3, "text": "cheap r"}])
    named = points(name=["", "", "", "cheap r"])
    page.controller.publish("points", named)
    expect(page.locator(".pn-point .pn-editable-button")).to_have_text("cheap r")


def test_what_is_refused_stands_as_it_was(page_of: Any) -> None:
    page = page_of(state(), points())
    page.get_by_role("button", name="name it", exact=True).click()
    field = page.get_by_label("Name of this point: Enter saves, Escape leaves", exact=True)
    field.fill("the fair one")
    field.press("Enter")
    asked = heard(page, "request", cmd="name")
    message = "point 1 is called 'the fair one' already"
    job = {
        "id": 9,
        "what": "name",
        "status": "failed",
        "by": asked["by"],
        "seq": asked["seq"],
        "message": message,
    }
    page.controller.publish("job", job)
    expect(page.get_by_role("alert").get_by_text(message)).to_be_visible()
    expect(page.get_by_role("button", name="name it", exact=True)).to_be_visible()


def test_names_are_read_wherever_points_are(page_of: Any) -> None:
    names = ["", "the fair one", HEBREW, HOSTILE]
    page = page_of(state(), points(name=names))
    expect(page.locator(".pn-point .pn-editable-button")).to_have_text(HOSTILE)
    page.get_by_role("tab", name="Tree", exact=True).click()
    expect(page.locator(".pn-tree-name:visible")).to_have_text(sorted(names[1:], key=names.index))
    row = page.locator(".pn-tree-row").nth(2)
    expect(row).to_have_attribute(
        "title", f"point 2 \u201c\u2068{HEBREW}\u2069\u201d (outperformed): improve age by 5%, from point 1"
    )
    page.get_by_role("tab", name="Table", exact=True).click()
    cells = page.locator(".pn-note-name")
    expect(cells).to_have_text(names)
    cells.nth(1).click()
    field = page.get_by_label("Name of point 1: Enter saves, Escape leaves", exact=True)
    expect(field).to_have_attribute("maxlength", "60")
    field.fill("fairer")
    field.press("Enter")
    until(page, lambda: requests(page, "name") == [{"point": 1, "text": "fairer"}])
    page.locator('[data-id="1"] input[type="checkbox"]').check()
    page.locator('[data-id="2"] input[type="checkbox"]').check()
    asked = heard(page, "request", cmd="compare", points=[1, 2])
    data = {"points": [1, 2], "rows": []}
    page.controller.publish(
        "answer", {"by": asked["by"], "seq": asked["seq"], "cmd": "compare", "data": data}
    )
    heads = page.locator(".pn-comparison thead th")
    expect(heads).to_have_text(
        ["Quantity", "point 1 \u201cthe fair one\u201d", f"point 2 \u201c\u2068{HEBREW}\u2069\u201d"]
    )
    page.get_by_role("tab", name="Map", exact=True).click()
    canvas = page.locator(".pn-sheet > canvas:visible")
    expect(canvas).to_have_attribute("aria-label", re.compile("^Map"))
    canvas.press("PageDown")
    expect(page.locator("img")).to_have_count(0)


def test_who_only_looks_reads_names_and_changes_none(page_of: Any) -> None:
    page = page_of(
        state(live=False, writable=False, why_not="This is a saved page."), points(name=["", "", "", "mine"])
    )
    expect(page.locator(".pn-editable-said:visible")).to_have_text(["Three tasks", "mine"])
    expect(page.locator(".pn-editable button:visible")).to_have_count(0)


def test_what_is_downloaded_says_of_which_point_it_is(page_of: Any) -> None:
    page = page_of(state(), points())
    page.get_by_text("Download", exact=True).click()
    model = page.get_by_role("link", name="Model of point 3 (safetensors)", exact=True)
    expect(model).to_have_attribute("href", "download/model/3")
    expect(model).to_have_attribute("title", re.compile("load_state_dict"))
    expect(page.get_by_role("link", name="Model card of point 3 (Markdown)", exact=True)).to_be_visible()
