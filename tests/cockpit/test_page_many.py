"""Very many points: the page keeps in its document what is seen, however many there are."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.cockpit.looking import drawn, heard, until
from tests.cockpit.page_states import points, state

expect = pytest.importorskip("playwright.sync_api").expect
pytestmark = pytest.mark.slow

MOST = 4000  # elements: a table of a hundred rows has most of them


def branching(count: int) -> Any:
    """A tree of points that branches all over."""
    return points(count, parent=[None, *((7 * i) % (i + 1) for i in range(count - 1))])


@pytest.mark.parametrize("count", [300, 10_000])
def test_no_chart_makes_an_element_for_each_point(page_of: Any, count: int) -> None:
    page = page_of(state(current=count - 1, parent=count - 2), branching(count))
    for name in ("Lines", "Map", "Radar", "Steps", "Tree", "Table"):
        page.get_by_role("tab", name=name, exact=True).click()
        drawn(page)
        until(page, f"document.querySelectorAll('*').length < {MOST}", name)
    rows = page.locator(".pn-list tbody tr")
    expect(page.locator(".pn-list tr[data-here] th").first).to_have_text(re.compile(rf"^{count - 1}"))
    expect(rows).to_have_count(100)
    page.get_by_role("button", name="Earlier rows", exact=True).click()
    expect(rows.last.locator("th")).to_have_text(re.compile(rf"^{count - 101}"))
    page.get_by_label(f"Go to point {count - 101}", exact=True).click()
    heard(page, "request", cmd="go", point=count - 101)


def test_a_point_that_arrives_among_many_is_seen(page_of: Any) -> None:
    count = 10_000
    page = page_of(state(current=count - 1, parent=count - 2), branching(count))
    page.get_by_role("tab", name="Tree", exact=True).click()
    expect(page.locator(".pn-tree-row[aria-current], .pn-tree-row[data-here]").first).to_be_visible()
    page.controller.publish("points", branching(count + 1))
    page.controller.publish("state", state(current=count, parent=count - 1, version=5))
    page.get_by_role("tab", name="Table", exact=True).click()
    expect(page.locator(".pn-list tr[data-here] th").first).to_have_text(re.compile(rf"^{count}"))
    until(page, f"document.querySelectorAll('*').length < {MOST}")
