"""The points as a table, where there is no cockpit."""

from __future__ import annotations

from html.parser import HTMLParser

from tests.cockpit.page_states import NAMES, points, state

import paretonav as pn
from paretonav.cockpit.controller import Controller
from paretonav.cockpit.still import table


class Cells(HTMLParser):
    """The texts of rows, and which elements there are."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.tags: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("th", "td"):
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


def test_every_point_with_all_that_is_shown_of_it() -> None:
    cells = Cells(table({"state": state(), "points": points()}))
    head, *rows = cells.rows
    assert head[:3] == ["Point", "Reached by", f"{NAMES[0]} on validation data"]
    assert head[5:] == [*NAMES[3:], "Note"]
    assert [row[0] for row in rows] == ["0", "1 the fair one", "2", "3 (now)"]
    assert rows[1][1:3] == ["improve age by 5%", "1.436"]
    assert rows[1][-1] == "balanced"


def test_names_and_notes_are_text() -> None:
    hostile = "<script>alert(1)</script>"
    given = state(title=hostile)
    given["quantities"][0]["name"] = hostile
    html = table({"state": given, "points": points(note=[hostile] * 4)})
    assert Cells(html).tags == {"table", "caption", "thead", "tbody", "tr", "th", "td"}


def test_of_a_real_navigation_before_and_after_its_start() -> None:
    nav = pn.Navigator(pn.problems.quadratic(n=10, m=2))
    controller = Controller(nav, "two")
    try:
        assert "not started" in table(controller.values())
        nav.start()
        controller.refresh()
        rows = Cells(table(controller.values())).rows
    finally:
        controller.close()
    assert rows[0] == ["Point", "Reached by", "f1", "f2", "Note"]
    assert rows[1][2] == f"{nav.here.losses['f1']:.4g}"
