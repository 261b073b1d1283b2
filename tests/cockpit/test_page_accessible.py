"""axe-core has nothing to complain of, in any main state of the page."""

from __future__ import annotations

from typing import Any

import pytest
from tests.cockpit.page_states import NAMES, points, state

expect = pytest.importorskip("playwright.sync_api").expect
pytestmark = pytest.mark.slow

RULES = {name: {"enabled": True} for name in ("label-content-name-mismatch", "target-size")}
"""What axe leaves out unless it is asked."""


def complaints(page: Any) -> list[Any]:
    # Where the header stays in sight, it lies on whatever happens to be below it.
    page.evaluate("document.querySelector('.pn-frame').scrollTop = 0")
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    found = axe.Axe().run(page, options={"resultTypes": ["violations"], "rules": RULES})
    return [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found.response["violations"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1366, 390])
def test_of_what_is_asked_and_shown(page_of: Any, scheme: str, width: int) -> None:
    page = page_of(state(), points(), viewport={"width": width, "height": 844}, color_scheme=scheme)
    assert complaints(page) == []
    for name, mode in zip(NAMES, ("improve", "limit", "aim"), strict=False):
        page.get_by_label(f"What to ask of {name}", exact=True).select_option(mode)
    expect(page.locator(".pn-slider:visible")).to_have_count(3)
    for summary in (".pn-details > summary", ".pn-standing > summary"):
        page.locator(summary).click()
    assert complaints(page) == []
    for chart in ("Lines", "Radar", "Steps", "Tree", "Table"):
        page.get_by_role("tab", name=chart, exact=True).click()
        assert complaints(page) == [], chart
    page.get_by_label("not outperformed", exact=True).check()
    page.get_by_text("Columns", exact=True).click()
    expect(page.locator(".pn-narrow")).to_be_visible()
    assert complaints(page) == []
    page.keyboard.press("Escape")
    for field in (".pn-session button", ".pn-point button", ".pn-note-name >> nth=0"):
        page.locator(field).click()
        assert complaints(page) == [], field
        page.keyboard.press("Escape")
    told = {"status": "done", "wanted": 2, "points": [0, 1], "words": ["2 models, 1 of them new."]}
    page.controller.publish("spread", told)
    for tab in ("Options (1)", "Kept", "Compare", "Spread", "Place"):
        page.get_by_role("tab", name=tab, exact=True).click()
        if tab == "Spread":
            expect(page.locator(".pn-spread tbody tr")).to_have_count(2)
        assert complaints(page) == [], tab
    page.get_by_role("button", name="Help", exact=True).click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert complaints(page) == []


def test_of_a_saved_page_and_of_the_start(page_of: Any) -> None:
    saved = page_of(state(live=False, writable=False, why_not="This is a saved page."), points())
    saved.get_by_role("tab", name="Table", exact=True).click()
    assert complaints(saved) == []
    before = {"current": None, "parent": None, "quantities": [], "step": None, "options": []}
    start = page_of(state(**before), points(0))
    expect(start.get_by_role("button", name="Start", exact=True)).to_be_visible()
    assert complaints(start) == []


def test_a_chart_that_takes_keys_is_no_picture(page_of: Any) -> None:
    page = page_of(state(), points())
    canvas = page.locator(".pn-sheet > canvas:visible")
    expect(canvas).to_have_attribute("role", "application")
    expect(canvas).to_have_attribute("tabindex", "0")
