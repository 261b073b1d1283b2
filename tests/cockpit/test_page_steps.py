"""The chart over steps: what each was predicted to come to beside what came, for who looks and for who listens."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.cockpit.canvases import listen, texts
from tests.cockpit.looking import drawn, heard, mode, until
from tests.cockpit.page_states import NAMES, answer, points, state, way

expect = pytest.importorskip("playwright.sync_api").expect
pytestmark = pytest.mark.slow


def opened(page_of: Any, **more: Any) -> tuple[Any, Any, Any]:
    page = page_of(state(**more), points())
    listen(page)
    page.get_by_role("tab", name="Steps", exact=True).click()
    chart = page.get_by_role("tabpanel", name="Steps")
    return page, chart, chart.locator("canvas")


def test_every_quantity_says_which_way_is_better(page_of: Any) -> None:
    page, chart, canvas = opened(page_of)
    shown = [
        one.text for one in texts(page, chart, "predicted", "came to", "± 2 standard errors", "age accuracy")
    ]
    assert sum(text == "\u2193 better" for text in shown) == 3
    assert sum(text == "\u2191 better" for text in shown) == 3
    assert sum(text == "3" for text in shown) == 6  # the number of the last point, below each
    expect(canvas).to_have_attribute(
        "aria-label",
        re.compile(
            r"^Steps: 6 quantities over 3 steps to point 3, what was predicted beside .*, Enter goes there\.$"
        ),
    )
    chart.get_by_label("Which quantities", exact=True).select_option("metrics")
    until(page, lambda: not any(one.text == "age" for one in texts(page, chart, "age accuracy")))
    until(page, lambda: sum("better" in one.text for one in texts(page, chart, "hit rate")) == 3)
    chart.get_by_label("Which quantities", exact=True).select_option(label="age (validation)")
    until(page, lambda: sum("better" in one.text for one in texts(page, chart, "age")) == 1)


def test_keys_tell_what_was_predicted_and_what_came(page_of: Any) -> None:
    page, chart, canvas = opened(page_of)
    texts(page, chart, "predicted")
    canvas.press("ArrowRight")
    says = chart.get_by_role("status")
    expect(says).to_have_text(
        "Point 3 (now): age (validation) predicted 1.4260 \u22122.06\u202f% ± 0.14\u202f%, "
        "came to 1.4260 \u22122.06\u202f% ± 0.27\u202f%."
    )
    canvas.press("ArrowLeft")
    expect(says).to_contain_text("Point 2 (outperformed): age (validation) predicted 1.4760")
    canvas.press("ArrowDown")
    expect(says).to_contain_text("Point 2 (outperformed): income (validation)")
    tip = chart.locator(".pn-tip")
    expect(tip).to_contain_text("came to")
    canvas.press("Enter")
    heard(page, "request", cmd="go", point=2)
    canvas.press("Escape")
    expect(tip).to_be_hidden()


def test_what_is_asked_for_is_the_next_place(page_of: Any) -> None:
    page, chart, canvas = opened(page_of)
    texts(page, chart, "predicted")
    mode(page, NAMES[0]).select_option("improve")
    page.controller.publish("outlook", answer(heard(page, "steer")))
    expect(page.get_by_text("Expected:").first).to_be_visible()
    drawn(page)
    canvas.press("ArrowRight")
    canvas.press("ArrowRight")
    expect(chart.get_by_role("status")).to_contain_text("Asked for now: age (validation) predicted")


def test_before_the_first_step_it_says_what_will_be_here(page_of: Any) -> None:
    page, chart, _ = opened(page_of, current=0, parent=None, step=None, way=way(1))
    expect(chart.get_by_text("Once there has been a step")).to_be_visible()
    page.controller.publish("state", state(version=5))
    expect(chart.get_by_text("Once there has been a step")).to_be_hidden()
    texts(page, chart, "came to")


def test_many_quantities_are_chosen_among(page_of: Any) -> None:
    quantities = state()["quantities"]
    many = [{**quantities[k % 3], "name": f"loss {k}"} for k in range(20)]
    columns = points()
    columns["validation"] = columns["train"] = [columns["validation"][k % 3] for k in range(20)]
    told = way()
    for key in ("values", "errors", "predicted", "predicted_errors"):
        told[key] = [told[key][k % 3] for k in range(20)]
    page = page_of(state(quantities=many, objectives=20, way=told, options=[]), columns | {"metrics": []})
    listen(page)
    page.get_by_role("tab", name="Steps", exact=True).click()
    chart = page.get_by_role("tabpanel", name="Steps")
    expect(chart.get_by_text("8 more: choose one")).to_be_visible()
    until(page, lambda: sum("better" in one.text for one in texts(page, chart, "loss 11")) == 12)
