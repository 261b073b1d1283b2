"""The charts of the page: what is seen first, which way is better, and that no text lies on another."""

from __future__ import annotations

import re
from itertools import combinations
from typing import Any

import pytest
from tests.cockpit.canvases import listen, texts
from tests.cockpit.looking import drawn, until
from tests.cockpit.page_states import NAMES, points, state

expect = pytest.importorskip("playwright.sync_api").expect
pytestmark = pytest.mark.slow


def tab(page: Any, name: str) -> Any:
    return page.get_by_role("tab", name=name, exact=True)


def two(m: int = 2) -> tuple[Any, Any]:
    """State and points of as many losses, and one metric."""
    given, visited = state(), points()
    kept = [*range(m), 3]
    given |= {
        "objectives": m,
        "quantities": [given["quantities"][i] for i in kept],
        "options": [],
        "step": None,
    }
    for split in ("train", "validation"):
        visited[split] = visited[split][:m]
    visited["metrics"] = visited["metrics"][:1]
    return given, visited


def chart(page: Any, name: str) -> Any:
    """The panel of a chart, once it is seen, with or without a tab."""
    drawn(page)  # by when it is known which charts have a tab
    if tab(page, name).is_visible():
        tab(page, name).click()
    found = page.locator(".pn-book .pn-tab-box").filter(has=page.locator(".pn-tab-heading", has_text=name))
    expect(found).to_be_visible()
    return found


def test_what_is_read_at_once_comes_first_and_what_was_chosen_comes_again(page_of: Any) -> None:
    page = page_of(state(), points())
    expect(tab(page, "Lines")).to_have_attribute("aria-selected", "true")
    tab(page, "Map").click()
    view = page.get_by_label("View", exact=True)
    expect(view).to_have_value("flat")
    view.select_option("space-shown")
    tab(page, "Radar").click()
    tab(page, "Map").click()
    expect(view).to_have_value("space-shown")
    page.reload()
    page.locator(".pn-row:visible").first.wait_for()
    expect(tab(page, "Map")).to_have_attribute("aria-selected", "true")
    expect(view).to_have_value("space-shown")


def test_of_two_losses_the_front_comes_first(page_of: Any) -> None:
    page = page_of(*two())
    expect(tab(page, "Map")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_label("View", exact=True)).to_be_hidden()


def test_a_large_screen_has_two_charts_and_two_reports(page_of: Any) -> None:
    page = page_of(state(), points(), viewport={"width": 1920, "height": 1080})
    for name in ("Lines", "Map"):
        expect(page.locator(f"canvas[aria-label^='{name}']")).to_be_visible()
    for name in ("Map", "Last step"):
        expect(tab(page, name)).to_be_hidden()
        expect(page.get_by_role("region", name=name, exact=True)).to_be_visible()
        expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
    expect(page.get_by_text("Ended early from point 2")).to_be_visible()
    expect(page.get_by_role("button", name="Take: improve age")).to_be_visible()
    inner = "(e => e.scrollWidth <= e.clientWidth)(document.querySelector('.pn-report').parentElement)"
    until(page, inner)  # the last column is not cut off
    # Arrow keys go past what has no tab.
    tab(page, "Lines").focus()
    page.keyboard.press("ArrowRight")
    expect(tab(page, "Radar")).to_have_attribute("aria-selected", "true")
    page.set_viewport_size({"width": 1366, "height": 768})
    for name in ("Map", "Last step"):
        expect(tab(page, name)).to_be_visible()
        expect(page.get_by_role("region", name=name, exact=True)).to_have_count(0)
    expect(page.locator("canvas[aria-label^='Map']")).to_be_hidden()
    expect(tab(page, "Radar")).to_have_attribute("aria-selected", "true")


def test_every_chart_says_which_way_is_better(page_of: Any) -> None:
    page = page_of(state(), points())
    listen(page)
    lines = [one for one in texts(page, chart(page, "Lines"), "better") if "better" in one.text]
    assert len(lines) == 1
    assert lines[0].arrow == pytest.approx((0, 1))

    radar = chart(page, "Radar")
    (inwards,) = [one for one in texts(page, radar, "better") if "better" in one.text]
    names = {one.text: one.middle for one in texts(page, radar) if one.text in NAMES}
    middle = [sum(place[k] for place in names.values()) / len(names) for k in (0, 1)]
    away = [inwards.middle[k] - middle[k] for k in (0, 1)]
    assert sum(a * b for a, b in zip(inwards.arrow, away, strict=True)) < 0

    flat = chart(page, "Map")
    across, up = (one for one in texts(page, flat, "better") if "better" in one.text)
    assert (across.arrow, up.arrow) == (pytest.approx((-1, 0)), pytest.approx((0, 1)))
    page.get_by_label("Across", exact=True).select_option("shown:3")
    page.get_by_label("Up", exact=True).select_option("shown:4")
    across, up = (one for one in texts(page, flat, NAMES[3], NAMES[4]) if "better" in one.text)
    assert (across.arrow, up.arrow) == (pytest.approx((1, 0)), pytest.approx((0, -1)))
    page.get_by_label("View", exact=True).select_option("space-shown")
    until(page, lambda: sum("better" in one.text for one in texts(page, flat, "(validation)")) == 3)

    for sign, number in (("↓", 3), ("↑", 3)):
        expect(page.locator(".pn-kind", has_text=f"{sign} better")).to_have_count(number)


def test_points_can_be_coloured_by_a_quantity(page_of: Any) -> None:
    page = page_of(state(), points())
    listen(page)
    flat = chart(page, "Map")
    canvas = flat.locator("canvas")
    texts(page, flat, "better")
    expect(canvas).not_to_have_attribute("aria-label", re.compile("Coloured"))
    before = canvas.evaluate("e => e.toDataURL()")
    page.get_by_label("Colour", exact=True).select_option("shown:3")
    found = texts(page, flat, NAMES[3])
    values = points()["metrics"][0]
    assert f"{max(values):.3f} better" in {one.text for one in found}  # of an accuracy, the highest is best
    expect(canvas).to_have_attribute("aria-label", re.compile(re.escape(f"Coloured by {NAMES[3]}.")))
    until(page, lambda: canvas.evaluate("e => e.toDataURL()") != before)
    page.get_by_label("Colour", exact=True).select_option("shown:0")
    best = min(points()["validation"][0])
    texts(page, flat, f"{best:.2f} better")
    page.get_by_label("View", exact=True).select_option("space-shown")
    texts(page, flat, f"{best:.2f} better", "(validation)")


def test_the_marks_of_the_tree_are_explained(page_of: Any) -> None:
    page = page_of(state(), points())
    listen(page)
    tree = chart(page, "Tree")
    assert {one.text for one in texts(page, tree, "the way here")} == {
        "now",
        "start",
        "starred",
        "outperformed",
        "the way here",
    }


def test_a_comparison_says_better_and_worse_and_what_its_colours_are(page_of: Any) -> None:
    page = page_of(state(live=False, writable=False, why_not="Saved."), points())
    tab(page, "Table").click()
    for number in (0, 1):
        page.get_by_label(f"Compare point {number}", exact=True).check()
    cells = page.locator(".pn-comparison tbody td:nth-child(3)")
    expect(cells.first).to_contain_text("worse")
    expect(cells).to_have_text([re.compile("(better|worse)$")] * len(NAMES))
    expect(page.locator(".pn-comparison")).not_to_have_text(re.compile("[▴▾]"))
    key = page.locator(".pn-comparison .pn-key")
    expect(key).to_contain_text("than point 0")
    for sense in ("better", "worse"):
        colour = key.get_by_text(sense, exact=True).evaluate("e => getComputedStyle(e).color")
        expect(page.locator(f".pn-comparison td.pn-{sense}").first).to_have_css("color", colour)


@pytest.mark.parametrize("size", [(1920, 1080), (1366, 768), (390, 844)])
def test_no_name_lies_on_a_number_of_the_box(page_of: Any, size: tuple[int, int]) -> None:
    page = page_of(state(), points(), viewport={"width": size[0], "height": size[1]})
    listen(page)
    space = chart(page, "Map")
    page.get_by_label("View", exact=True).select_option("space-shown")
    canvas = space.locator("canvas")
    until(page, lambda: sum("better" in one.text for one in texts(page, space)) == 3)
    for turn in range(8):
        drawn(page)
        found = [one for one in texts(page, space, "better", "(validation)") if not one.text.isdigit()]
        box = canvas.bounding_box()
        for one, other in combinations(found, 2):
            assert not one.touches(other), (turn, one, other)
        for one in found:
            assert one.box[0] >= 0, one
            assert one.box[2] <= box["width"], one
        canvas.focus()
        for _ in range(7):
            page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowUp" if turn % 2 else "ArrowDown")
