"""Looking at some of the points: filters of the table, brushes on the axes of the lines, and what charts point at."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.cockpit.looking import drawn, until
from tests.cockpit.page_states import NAMES, points, state

expect = pytest.importorskip("playwright.sync_api").expect
pytestmark = pytest.mark.slow


def tab(page: Any, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()


def rows(page: Any) -> list[str]:
    return [text.split()[0] for text in page.locator(".pn-list tbody th").all_inner_texts()]


def shows(page: Any, *ids: int) -> None:
    """Wait until the table has the rows of these points, in this order."""
    until(page, lambda: rows(page) == [str(i) for i in ids], ids)


def test_the_table_shows_what_it_is_asked_for(page_of: Any) -> None:
    page = page_of(state(), points())  # the second point is starred, the third outperformed
    tab(page, "Table")
    shows(page, 0, 1, 2, 3)
    page.get_by_label("not outperformed", exact=True).check()
    shows(page, 0, 1, 3)
    bar = page.locator(".pn-filter")
    expect(bar).to_contain_text("3 of 4 points: not outperformed")
    page.get_by_label("starred", exact=True).check()
    shows(page, 1)
    page.get_by_role("button", name="Show all", exact=True).click()
    shows(page, 0, 1, 2, 3)
    expect(bar).to_be_hidden()
    expect(page.get_by_label("starred", exact=True)).not_to_be_checked()
    # The first loss is 1.416, 1.436, 1.456, 1.426.
    page.get_by_text("Columns", exact=True).click()
    page.get_by_label(f"{NAMES[0]} (validation), to", exact=True).fill("1.43")
    page.keyboard.press("Tab")
    shows(page, 0, 3)
    expect(bar).to_contain_text(f"{NAMES[0]} (validation) to 1.430")
    # Sorting sorts what is left; the other charts look at the same points.
    page.keyboard.press("Escape")
    page.get_by_role("button", name=f"{NAMES[0]} (validation)").click()
    page.get_by_role("button", name=f"{NAMES[0]} (validation)").click()
    shows(page, 3, 0)
    tab(page, "Lines")
    expect(bar).to_contain_text("2 of 4 points")


def test_columns_can_be_left_out(page_of: Any) -> None:
    page = page_of(state(), points())
    tab(page, "Table")
    heads = page.locator(".pn-list thead th")
    before = until(page, heads.count)
    page.get_by_text("Columns", exact=True).click()
    for name in (f"{NAMES[1]} (validation)", "Note"):
        page.locator(".pn-narrow").get_by_label(name, exact=True).uncheck()
    expect(heads).to_have_count(before - 2)
    left_out = re.compile(f"^({re.escape(NAMES[1])}|Note)$")
    expect(heads.filter(has_text=left_out)).to_have_count(0)
    cells = page.locator(".pn-list tbody tr").first.locator("th, td")
    expect(cells).to_have_count(before - 2)
    page.locator(".pn-narrow").get_by_label("Note", exact=True).check()
    expect(heads).to_have_count(before - 1)


def test_a_brush_on_an_axis_is_the_same_filter(page_of: Any) -> None:
    page = page_of(state(), points())
    canvas = page.locator("canvas[aria-label^='Lines']")
    drawn(page)
    box = canvas.bounding_box()
    # The first of six axes; there is more of a margin at the left than at the right.
    x = box["x"] + 16 + (box["width"] - 16) / 12
    page.mouse.move(x, box["y"] + 0.99 * box["height"])
    page.mouse.down()
    page.mouse.move(x, box["y"] + 0.6 * box["height"])
    page.mouse.move(x, box["y"] + 0.5 * box["height"])
    page.mouse.up()
    bar = page.locator(".pn-filter")
    expect(bar).to_contain_text(f"2 of 4 points: {NAMES[0]} (validation) to 1.4")
    tab(page, "Table")
    shows(page, 0, 3)
    tab(page, "Lines")
    # A press on it takes it away, and chooses no point.
    drawn(page)
    box = canvas.bounding_box()
    page.mouse.click(x, box["y"] + 0.7 * box["height"])
    expect(bar).to_be_hidden()
    expect(page.get_by_role("tab", name="Compare", exact=True)).to_be_visible()
    tab(page, "Table")
    shows(page, 0, 1, 2, 3)


def test_what_one_chart_points_at_is_seen_in_the_others(page_of: Any) -> None:
    page = page_of(state(), points(), viewport={"width": 1920, "height": 1080})
    tab(page, "Table")
    shows(page, 0, 1, 2, 3)
    page.locator("canvas[aria-label^='Map']").focus()
    page.keyboard.press("PageUp")  # the current point
    linked = page.locator(".pn-list tr[data-linked]")
    expect(linked).to_have_attribute("data-id", "3")
    page.keyboard.press("PageUp")
    expect(linked).to_have_attribute("data-id", "2")
    page.locator("canvas[aria-label^='Map']").blur()
    expect(linked).to_have_count(0)
    # And the other way: the map draws a mark that is larger.
    drawn(page)
    picture = "e => e.toDataURL()"
    before = page.locator("canvas[aria-label^='Map']").evaluate(picture)
    page.locator(".pn-list tbody tr").nth(1).hover()
    until(page, lambda: page.locator("canvas[aria-label^='Map']").evaluate(picture) != before)
    page.mouse.move(5, 5)
    until(page, lambda: page.locator("canvas[aria-label^='Map']").evaluate(picture) == before)


def test_a_point_that_is_pointed_at_is_seen_in_every_chart(page_of: Any) -> None:
    page = page_of(state(), points(), viewport={"width": 1920, "height": 1080})
    chart = page.locator("canvas[aria-label^='Map']")
    picture = "e => e.toDataURL()"
    for name in ("Lines", "Radar", "Steps"):
        tab(page, name)
        other = page.locator(f"canvas[aria-label^='{name}']")
        expect(other).to_be_visible()
        drawn(page)
        before = other.evaluate(picture)
        chart.focus()
        page.keyboard.press("PageUp")  # the current point
        page.keyboard.press("PageUp")
        until(page, lambda other=other, before=before: other.evaluate(picture) != before, name)
        chart.blur()
        until(page, lambda other=other, before=before: other.evaluate(picture) == before, name)
    tab(page, "Tree")
    linked = page.locator(".pn-tree-row[data-linked]")
    chart.focus()
    page.keyboard.press("PageUp")  # the current point
    expect(linked).to_contain_text("point 3")
    chart.blur()
    expect(linked).to_have_count(0)
    drawn(page)
    alone = chart.evaluate(picture)
    page.locator(".pn-tree-row").nth(1).hover()
    until(page, lambda: chart.evaluate(picture) != alone)
    expect(linked).to_contain_text("point 1")
    page.mouse.move(5, 5)
    until(page, lambda: chart.evaluate(picture) == alone)


def test_a_model_that_was_spread_out_is_seen_in_the_charts(page_of: Any) -> None:
    page = page_of(state(), points(), viewport={"width": 1920, "height": 1080})
    told = {"status": "done", "wanted": 2, "points": [2, 1], "words": ["2 models."]}
    page.controller.publish("spread", told)
    tab(page, "Spread")
    tab(page, "Table")
    shows(page, 0, 1, 2, 3)
    page.locator(".pn-spread tbody tr").first.hover()
    expect(page.locator(".pn-list tr[data-linked]")).to_have_attribute("data-id", "2")
    page.mouse.move(5, 5)
    expect(page.locator(".pn-list tr[data-linked]")).to_have_count(0)
