"""What the page says: which number is which, in which unit, and one word for one thing."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.cockpit.looking import drawn, heard, said, until
from tests.cockpit.page_states import NAMES, answer, points, row, since, state

expect = pytest.importorskip("playwright.sync_api").expect
pytestmark = pytest.mark.slow


def plain(text: str) -> str:
    return text.replace("\u202f", " ")


def shown(page: Any, place: str) -> list[str]:
    """The texts of all such elements at one moment."""
    return [plain(text) for text in page.locator(place).all_inner_texts()]


def asked(page: Any) -> dict[str, Any]:
    """Ask for an improvement of the first quantity, and have it answered; the steer."""
    page.get_by_label(f"What to ask of {NAMES[0]}", exact=True).select_option("improve")
    expect(page.locator(".pn-row[data-mode=improve]")).to_have_count(1)
    steer = heard(page, "steer")
    page.controller.publish("outlook", answer(steer))
    expect(page.locator(".pn-change").first).not_to_have_text(re.compile("^…?$"))
    return steer


def test_values_have_the_digits_of_their_errors_and_say_of_which_data_they_are(page_of: Any) -> None:
    page = page_of(state(), points())
    expect(page.locator(".pn-value")).to_have_text(
        [
            "1.416 ± 0.021",
            "1.214 ± 0.027",
            "1.546 ± 0.017",
            "0.459 ± 0.022",
            "0.584 ± 0.018",
            "0.400 ± 0.015",
        ]
    )
    expect(page.locator(".pn-head-now")).to_have_text("Now (validation data)")
    expect(page.locator(".pn-training").first).to_be_hidden()
    page.locator(".pn-standing > summary").click()
    expect(page.locator(".pn-training").first).to_have_text("training 1.316")
    expect(page.locator(".pn-training").first).to_be_visible()


def test_where_nothing_is_asked_the_bars_show_how_far_each_could_go(page_of: Any) -> None:
    page = page_of(state(), points())
    ends = [1.2744, 1.214, None, 0.5048, 0.7, 0.4]
    alone: list[Any] = [{"end": end, "reason": ""} for end in ends[:5]] + [None]
    nothing = answer({"by": None, "seq": None, "modes": {}, "point": 3}, exact=None, alone=alone)
    page.controller.publish("outlook", nothing)
    alones = page.locator(".pn-alone")
    expect(alones).to_have_text(
        [
            "by itself −10.0\u202f%, to 1.274",
            "as good as it gets from here",
            "no end in sight",
            "by itself +10.0\u202f%, to 0.505",
            "by itself +19.8\u202f%, to 0.700",
            "",
        ]
    )
    expect(page.locator(".pn-head-predicted")).to_contain_text("Within reach")
    drawn(page)
    wide = page.locator(".pn-bar-room").evaluate_all("all => all.map((e) => e.offsetWidth)")
    assert wide[0] == pytest.approx(wide[3], abs=1)
    assert wide[1] <= 2  # its end alone
    # A prediction takes its place, and the bar keeps the pale part behind it.
    steer = asked(page)
    page.controller.publish("outlook", answer(steer, alone=alone))
    expect(alones.first).to_be_empty()
    expect(page.locator(".pn-head-predicted")).to_contain_text("Predicted")
    until(page, lambda: page.locator(".pn-bar-room").first.evaluate("e => e.offsetWidth") > 0)


def test_one_switch_changes_the_unit_of_every_change(page_of: Any) -> None:
    page = page_of(state(), points())
    asked(page)

    def changes() -> list[str]:
        places = (".pn-change", ".pn-since:visible", ".pn-report tbody td:nth-child(3)")
        return [text for place in places for text in shown(page, place) if text]

    in_percent = until(page, changes)
    assert in_percent[:4] == ["−1.00 %", "+0.58 %", "+0.37 %", "+2.00 %"]
    assert all("%" in text for text in in_percent), in_percent
    page.get_by_label("Show changes in", exact=True).select_option("value")
    expect(page.locator(".pn-change").first).to_have_text("−0.01420")
    drawn(page)
    in_values = changes()
    assert len(in_values) == len(in_percent)
    assert not any("%" in text for text in in_values), in_values
    page.get_by_role("tab", name="Table", exact=True).click()
    page.get_by_label("Values", exact=True).select_option("change")
    cell = page.locator(".pn-list tbody tr").nth(1).locator("td[data-number]").first
    expect(cell).to_have_text("+0.0200 worse")
    page.get_by_label("Show changes in", exact=True).select_option("percent")
    expect(cell).to_have_text("+1.41\u202f% worse")


def test_a_bound_lies_where_worse_is(page_of: Any) -> None:
    page = page_of(state(), points())
    for name, way in ((NAMES[0], "up"), (NAMES[3], "down")):
        choice = page.get_by_label(f"What to ask of {name}", exact=True)
        choice.select_option(label=f"allow {way} to")
    said(page, f"{NAMES[0]} up to 1.558", f"{NAMES[3]} down to 0.413")
    expect(page.locator(".pn-reason:visible").first).to_have_text("10.0\u202f% worse than now.")


def test_a_way_of_ending_has_one_name(page_of: Any) -> None:
    page = page_of(state(), points())
    expect(page.locator(".pn-verdict strong")).to_have_text("Ended early")
    page.get_by_role("tab", name="Table", exact=True).click()
    expect(page.locator(".pn-list .pn-how", has_text="(ended early)")).to_have_count(1)
    page.get_by_role("tab", name="Tree", exact=True).click()
    expect(page.locator(".pn-tree-note", has_text="ended early")).to_have_count(1)
    expect(page.locator(".pn")).not_to_contain_text("shortened")


def test_less_than_predicted_is_not_called_worse_beside_a_gain(page_of: Any) -> None:
    page = page_of(state(), points())
    first = page.locator(".pn-report tbody tr:not(.pn-group)").first
    expect(first.locator("td").last).to_have_text("better, but less than predicted")
    expect(first.locator("td.pn-better")).to_have_count(1)
    lost = row(0, "validation", achieved=0.02)
    page = page_of(state(step=state()["step"] | {"rows": [lost]}), points())
    expect(page.locator(".pn-report td").last).to_have_text("worse than predicted")


def test_mathematics_is_behind_details(page_of: Any) -> None:
    page = page_of(state(), points())
    expect(page.locator(".pn-verdict")).to_be_visible()
    at_first = page.locator(".pn").inner_text()
    for jargon in ("Hessian", "gradient passes", "curvature", "local front", "training data"):
        assert jargon not in at_first
    page.locator(".pn-details > summary").click()
    page.locator(".pn-standing > summary").click()
    expect(page.get_by_text("110 Hessian products")).to_be_visible()
    expect(page.get_by_text("largest curvature")).to_be_visible()
    expect(page.get_by_text("Losses on training data")).to_be_visible()


def test_what_contradicts_the_prediction_is_as_large_as_it_and_has_its_error(page_of: Any) -> None:
    page = page_of(state(), points())
    steer = asked(page)
    about = {key: steer[key] for key in ("by", "seq", "point", "modes")}
    trial = {"shown": [0.03, 0.0, 0.006, 0.009, -0.003, -0.001], "errors": [0.0005, None, *[0.001] * 4]}
    page.controller.publish("trial", about | trial | {"seconds": 0.1})
    odd = page.locator(".pn-trial[data-odd]")
    expect(odd).to_have_text(
        [
            "measured +2.12\u202f% ± 0.04\u202f% – not as predicted",
            "measured 0\u202f% (error not known) – not as predicted",
        ]
    )
    size = page.locator(".pn-change").first.evaluate("e => getComputedStyle(e).fontSize")
    expect(odd.first).to_have_css("font-size", size)


def test_an_option_that_is_being_taken_is_not_called_untaken(page_of: Any) -> None:
    page = page_of(state(), points())
    page.get_by_role("tab", name="Options (1)", exact=True).click()
    take = page.get_by_role("button", name="Take: improve age", exact=True)
    take.focus()
    expect(page.locator(".pn-summary")).to_contain_text("An option, not yet taken.")
    job = {"id": 9, "what": "take", "status": "running", "by": None, "seq": None, "phase": "predict"}
    page.controller.publish("job", job | {"fraction": 0.1, "seconds": 0.1, "left": None, "losses": None})
    expect(page.locator(".pn-summary")).to_contain_text("An option that is being taken.")
    expect(page.locator(".pn-summary")).not_to_contain_text("not yet")


def test_names_that_are_read_from_the_right_are_whole(page_of: Any) -> None:
    given = state()
    name = "שגיאת גיל ארוכה"
    given["quantities"][0]["name"] = name
    given["quantities"][1]["start"] = since(5)
    page = page_of(given, points())
    page.get_by_label(f"What to ask of {name}", exact=True).select_option("hold")
    expect(page.locator(".pn-summary")).to_contain_text(f"Hold \u2068{name}\u2069.")
    first = page.locator(".pn-name").first
    expect(first).to_have_text(name)
    expect(first).to_have_css("direction", "rtl")
    until(page, "(e => e.scrollWidth <= e.clientWidth)(document.querySelector('.pn-name'))")


def test_a_saved_page_offers_only_what_it_can_do(page_of: Any) -> None:
    page = page_of(state(live=False, writable=False, why_not="This is a saved page."), points())
    modes = page.get_by_label(f"What to ask of {NAMES[0]}", exact=True).locator("option")
    expect(modes).to_have_text(["free", "improve by", "hold"])
    page.get_by_role("tab", name="Table", exact=True).click()
    expect(page.locator(".pn-list tbody tr")).to_have_count(4)
    expect(page.locator(".pn-list tbody button")).to_have_count(0)
    expect(page.locator(".pn-list .pn-starred", has_text="★")).to_have_count(1)
    page.get_by_role("tab", name="Options (1)", exact=True).click()
    expect(page.locator(".pn-option")).to_have_count(1)
    for name in ("Step", "Undo", "Start", "Take: improve age"):
        expect(page.get_by_role("button", name=name, exact=True)).to_have_count(0)
    page.get_by_role("button", name="Help", exact=True).click()
    expect(page.get_by_role("dialog")).to_contain_text("This is a saved copy")
    expect(page.get_by_text("Ctrl+Enter")).to_be_hidden()
