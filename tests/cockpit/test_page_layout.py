"""The page on the screens that people have: nothing is cut off, overlaps, or is too small for a finger."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.cockpit.looking import drawn, until
from tests.cockpit.page_states import NAMES, points, state

expect = pytest.importorskip("playwright.sync_api").expect
pytestmark = pytest.mark.slow

SHOTS = Path("build/screenshots")
SIZES = [(1920, 1080), (1366, 768), (768, 1024), (683, 384), (390, 844)]
"""The last but one is 1366 x 768 at 200 %."""


def everything_asked(page: Any) -> None:
    """A row of each kind."""
    for name, mode in zip(NAMES, ("improve", "limit", "aim", "limit", "hold"), strict=False):
        page.get_by_label(f"What to ask of {name}", exact=True).select_option(mode)
    expect(page.locator(".pn-slider:visible")).to_have_count(4)
    expect(page.locator(".pn-change")).to_have_text(["…"] * len(NAMES))  # nobody answers
    drawn(page)


def shoot(page: Any, name: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png")


@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_cut_off_or_lies_on_something_else(page_of: Any, size: tuple[int, int]) -> None:
    page = page_of(state(), points(), viewport={"width": size[0], "height": size[1]})
    everything_asked(page)
    shoot(page, f"page-{size[0]}")
    until(page, "document.documentElement.scrollWidth <= innerWidth")
    boxes = page.evaluate(
        """() => [...document.querySelectorAll('.pn-row')].map((row) =>
             [...row.querySelectorAll('select, input, .pn-bar, .pn-name, .pn-value')]
               .filter((e) => e.offsetParent !== null)
               .map((e) => [e.className, e.getBoundingClientRect()])
               .map(([name, b]) => [name, b.left, b.top, b.right, b.bottom]))"""
    )
    for row in boxes:
        for i, (one, left, top, right, bottom) in enumerate(row):
            assert left >= 0, one
            assert right <= size[0], one
            for other, x, y, x2, y2 in row[i + 1 :]:
                assert min(right, x2) - max(left, x) < 1 or min(bottom, y2) - max(top, y) < 1, (one, other)
    narrow = page.evaluate(
        """() => Math.min(...[...document.querySelectorAll('.pn-number')]
             .filter((e) => e.offsetParent).map((e) => e.clientWidth))"""
    )
    assert narrow >= 50
    # A choice is as wide as what is chosen in it, with room for its arrow.
    cut = page.evaluate(
        """() => {
             const brush = document.createElement('canvas').getContext('2d');
             return [...document.querySelectorAll('.pn-mode, .pn-units')].filter((e) => e.offsetParent).filter((e) => {
               const style = getComputedStyle(e);
               brush.font = `${style.fontSize} ${style.fontFamily}`;
               const room = e.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight) - 18;
               return brush.measureText(e.selectedOptions[0].text).width > room;
             }).map((e) => e.selectedOptions[0].text);
           }"""
    )
    assert cut == []


def test_six_rows_fit_on_a_small_laptop(page_of: Any) -> None:
    page = page_of(state(), points(), viewport={"width": 1366, "height": 768})
    everything_asked(page)
    until(page, "(e => e.scrollHeight <= e.clientHeight)(document.querySelector('.pn-rows'))")


def test_a_large_screen_is_used(page_of: Any) -> None:
    page = page_of(state(), points(), viewport={"width": 1920, "height": 1080})
    parts = page.evaluate(
        """() => ['.pn-steer', '.pn-plots', '.pn-about']
             .map((e) => document.querySelector(e).getBoundingClientRect().toJSON())"""
    )
    steer, plots, about = parts
    assert steer["right"] <= plots["left"] + 1
    assert plots["bottom"] <= about["top"] + 1
    assert steer["bottom"] == about["bottom"] == 1080
    assert plots["right"] == about["right"] == 1920
    # Six rows share most of the height.
    rows = page.locator(".pn-row").evaluate_all("rows => rows.map((e) => e.getBoundingClientRect().height)")
    assert sum(rows) > 0.55 * 1080


def test_a_finger_meets_what_it_is_meant_for(page_of: Any) -> None:
    page = page_of(state(), points(), viewport={"width": 390, "height": 844}, has_touch=True)
    everything_asked(page)
    page.get_by_role("tab", name="Table", exact=True).click()
    expect(page.locator(".pn-list tbody tr")).to_have_count(4)
    drawn(page)
    small = page.evaluate(
        """() => [...document.querySelectorAll('button, select, input, summary, label.pn-cell-pick')]
             .filter((e) => e.offsetParent !== null && e.type !== 'checkbox')
             .map((e) => [e.className, e.getBoundingClientRect()])
             .filter(([, b]) => b.width < 23.5 || b.height < 23.5).map(([name, b]) => [name, b.width, b.height])"""
    )
    assert small == []


def test_long_names_are_told_apart(page_of: Any) -> None:
    given = state()
    names = [f"hit rate of task number {k} of six" for k in range(6)]
    for quantity, name in zip(given["quantities"], names, strict=True):
        quantity["name"] = name
    page = page_of(given, points(), viewport={"width": 1366, "height": 768})
    for k in range(6):
        shown = page.locator(".pn-name").nth(k)
        expect(shown).to_have_text(names[k])
        until(page, lambda shown=shown: shown.evaluate("e => e.scrollHeight <= e.clientHeight + 1"))
    page.get_by_role("tab", name="Table", exact=True).click()
    expect(page.locator(".pn-list tbody tr")).to_have_count(4)
    heads = page.locator(".pn-list thead [data-number] .pn-sort span")
    expect(heads).to_have_count(7)  # and that of the point that it was reached from
    whole = "all => all.slice(0, 6).every((e) => e.scrollWidth <= e.clientWidth + 1)"
    until(page, lambda: heads.evaluate_all(whole))
    shoot(page, "page-long-names")


def test_sorting_begins_at_the_top(page_of: Any) -> None:
    page = page_of(state(current=99, parent=98), points(100))
    page.get_by_role("tab", name="Table", exact=True).click()
    expect(page.locator(".pn-list tbody tr")).to_have_count(100)
    scrolled = "document.querySelector('.pn-list').scrollTop"
    page.locator(".pn-list tr[data-here]").scroll_into_view_if_needed()
    until(page, f"{scrolled} > 0")
    page.get_by_role("button", name=f"{NAMES[0]} (validation)").click()
    expect(page.locator(".pn-list th[aria-sort]")).to_contain_text(NAMES[0])
    until(page, f"{scrolled} === 0")


def test_a_cell_is_no_higher_than_the_start_needs(page_of: Any) -> None:
    before = state() | {"current": None, "parent": None, "quantities": [], "step": None, "options": []}
    page = page_of(before, points(0))
    start = page.get_by_role("button", name="Start", exact=True)
    expect(start).to_be_visible()
    page.evaluate("document.querySelector('.pn').classList.remove('pn-page')")  # as in a notebook
    until(page, "document.querySelector('.pn').offsetHeight < 350")
