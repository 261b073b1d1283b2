"""Wishes that are kept beside each other before one of them is taken."""

from __future__ import annotations

from typing import Any

import pytest
from tests.cockpit.looking import button, heard, mode, number, said, until
from tests.cockpit.page_states import NAMES, answer, points, state

expect = pytest.importorskip("playwright.sync_api").expect
pytestmark = pytest.mark.slow


def steers(page: Any) -> list[Any]:
    return [message for kind, message in page.controller.heard if kind == "steer"]


def keep(page: Any, name: str, percent: int, shown: list[float]) -> str:
    """Ask for an improvement, have it answered, keep it; its title."""
    mode(page, name).select_option("improve")
    number(page, name).fill(str(percent))
    number(page, name).press("Tab")

    def asked() -> Any:
        found = steers(page)
        wish = found and found[-1]["modes"].get(name)
        return found[-1] if wish and wish.get("percent") == percent else None

    steer = until(page, asked)
    expect(button(page, "Keep beside")).to_have_attribute("aria-disabled", "true")  # of what was asked before
    told = answer(steer)
    told["exact"] |= {"shown": shown, "train": shown[:3]}
    page.controller.publish("outlook", told)
    expect(button(page, "Keep beside")).not_to_have_attribute("aria-disabled", "true")
    button(page, "Keep beside").click()
    return f"Improve {name} by {percent}\u202f%"


def columns(page: Any) -> Any:
    return page.locator(".pn-kept-table thead .pn-button")


def test_wishes_stand_beside_each_other_until_one_is_taken(page_of: Any) -> None:
    page = page_of(state(), points())
    expect(button(page, "Keep beside")).to_be_hidden()
    first = keep(page, NAMES[0], 3, [-0.04248, 0.03, 0.0, 0.02, 0.0, 0.0])
    expect(page.get_by_role("tab", name="Kept (1)", exact=True)).to_have_attribute("aria-selected", "true")
    page.get_by_role("button", name="Clear", exact=True).click()
    second = keep(page, NAMES[1], 2, [0.05, -0.02428, 0.0, -0.02, 0.0, 0.0])
    expect(columns(page)).to_have_text([first, second])
    row = page.locator(".pn-kept-table tbody tr").filter(has_text=NAMES[0]).first
    expect(row.locator("td").nth(0)).to_have_text("1.416")
    expect(row.locator("td").nth(1)).to_contain_text("better")
    expect(row.locator("td").nth(2)).to_contain_text("worse")
    # The same wish is kept once.
    button(page, "Keep beside").click()
    expect(columns(page)).to_have_count(2)
    # What is looked at is seen in the rows.
    row.locator("td").nth(1).hover()
    assert "Kept beside: Improve" in said(page, "Kept beside", NAMES[0])
    page.mouse.move(5, 5)
    said(page, f"Improve {NAMES[1]} by 2")
    columns(page).nth(0).click()
    expect(mode(page, NAMES[0])).to_have_value("improve")
    expect(mode(page, NAMES[1])).to_have_value("free")
    page.get_by_role("button", name=f"Drop: {second}", exact=True).click()
    expect(columns(page)).to_have_text([first])
    page.get_by_role("button", name=f"Take: {first}", exact=True).click()
    step = heard(page, "request", cmd="step")
    assert step["steer"]["modes"] == {NAMES[0]: {"mode": "improve", "percent": 3}}


def test_what_is_kept_is_there_again_when_the_page_is_loaded_anew(page_of: Any) -> None:
    page = page_of(state(), points())
    title = keep(page, NAMES[0], 3, [-0.04, 0.03, 0.0, 0.02, 0.0, 0.0])
    asked = heard(page, "request", cmd="keep")
    assert asked["wish"]["modes"] == {NAMES[0]: {"mode": "improve", "percent": 3}}
    other = asked["wish"] | {
        "title": "Another view's",
        "modes": {NAMES[1]: {"mode": "improve", "percent": 1}},
    }
    page.controller.publish("kept", [asked["wish"], other])
    expect(columns(page)).to_have_text([title, "Another view's"])
    page.reload()
    page.locator(".pn-row:visible").first.wait_for()
    page.get_by_role("tab", name="Kept (2)", exact=True).click()
    expect(columns(page)).to_have_text([title, "Another view's"])
    page.get_by_role("button", name=f"Drop: {title}", exact=True).click()
    expect(columns(page)).to_have_text(["Another view's"])
    assert heard(page, "request", cmd="drop")["wish"] == {"point": 3, "modes": asked["wish"]["modes"]}


def test_what_is_kept_belongs_to_its_point(page_of: Any) -> None:
    page = page_of(state(), points())
    title = keep(page, NAMES[0], 3, [-0.04, 0.03, 0.0, 0.02, 0.0, 0.0])
    expect(columns(page)).to_have_text([title])
    page.controller.publish("state", state(version=5, current=2, parent=1, after="undo"))
    expect(page.get_by_text("1 more is kept at other points")).to_be_visible()
    expect(columns(page)).to_have_count(0)
    expect(page.get_by_role("tab", name="Kept", exact=True)).to_be_visible()
    page.controller.publish("state", state(version=6, current=3, parent=2, after="go"))
    expect(columns(page)).to_have_text([title])


def test_what_is_not_known_yet_is_not_kept(page_of: Any) -> None:
    page = page_of(state(), points())
    mode(page, NAMES[0]).select_option("improve")
    expect(button(page, "Keep beside")).to_have_attribute("aria-disabled", "true")
    steer = until(page, lambda: steers(page))[-1]
    page.controller.publish("outlook", answer(steer, exact=None, problem="Nothing of it is possible."))
    said(page, "Nothing of it is possible")
    expect(button(page, "Keep beside")).to_have_attribute("aria-disabled", "true")
