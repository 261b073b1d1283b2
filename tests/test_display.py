"""Values show themselves briefly: numbers, no tensors, and nothing that a page would run."""

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import torch

import paretonav as pn
from paretonav.display import Display, changes_shown
from paretonav.steering import Changes
from paretonav.steering.outcome import Outcome

MANY = 50
HOSTILE = "<script>alert('&')</script>\x1b[2J"
KINDS = (
    "not started",
    "navigator",
    "session",
    "point",
    "preview",
    "trial",
    "step",
    "option",
    "conflict",
    "record",
)


def shown(nav: pn.Navigator) -> dict[str, Any]:
    """One value of each kind that people look at."""
    started = nav.start()
    name = started.front.names[-1]
    wish = pn.Improve({name: 1.0})
    preview, trial = nav.preview(wish, 0.02), nav.trial(wish, 0.02)
    step = nav.step(wish, 0.02)
    nav.session.note(1, HOSTILE)
    return {
        "not started": pn.Navigator(pn.problems.quadratic(n=5, m=2)),
        "navigator": nav,
        "session": nav.session,
        "point": started,
        "preview": preview,
        "trial": trial,
        "step": step,
        "option": started.options()[0],
        "conflict": started.conflict[name],
        "record": nav.session[1],
        "outcome": step.predicted,
    }


@pytest.fixture(scope="module")
def many() -> dict[str, Any]:
    return shown(pn.Navigator(pn.problems.quadratic(n=2 * MANY, m=MANY)))


def a_hostile_problem() -> pn.FunctionProblem:
    return pn.FunctionProblem(
        lambda x: torch.stack([((x - i) ** 2).sum() + 0.1 for i in range(2)]),
        torch.tensor([0.3, 0.4], dtype=torch.float64),
        names=[HOSTILE, "plain"],
    )


class Tags(HTMLParser):
    """The names of all tags."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)


@pytest.mark.parametrize("kind", [*KINDS, "outcome"])
def test_of_fifty_objectives_a_value_is_a_few_lines(many: dict[str, Any], kind: str) -> None:
    text, html = repr(many[kind]), many[kind]._repr_html_()
    assert len(text.splitlines()) <= 15
    assert len(text) <= 1500
    assert len(html) <= 6000
    assert "tensor" not in text
    assert "array(" not in text


def test_what_was_asked_for_is_among_the_few(many: dict[str, Any]) -> None:
    last = many["point"].front.names[-1]
    for kind in ("preview", "step"):
        assert f"{last} " in repr(many[kind]), "though it comes after all others"
    assert "and 40 more" in repr(many["step"])


@pytest.mark.parametrize("kind", [*KINDS, "outcome"])
def test_no_name_and_no_note_is_markup_or_moves_the_cursor(kind: str) -> None:
    value = shown(pn.Navigator(a_hostile_problem()))[kind]
    parser = Tags()
    parser.feed(value._repr_html_())
    assert parser.tags <= {"div", "p", "table", "thead", "tbody", "tr", "th", "td"}
    assert "\x1b" not in repr(value) + value._repr_html_()


def test_the_numbers_are_those_of_the_value() -> None:
    nav = pn.Navigator(pn.problems.quadratic(n=10, m=3))
    nav.start()
    step = nav.step(pn.Improve({"f1": 1.0}, hold=["f2"]), 0.05)
    title, heads, *rows = repr(step).splitlines()
    assert title == "Step from point 0 to point 1, accepted: improve f1 by 5%, holding f2"
    assert heads.split() == ["requested", "predicted", "achieved"]
    first, second, third = (row.split() for row in rows)
    assert first[0] == "f1"
    assert float(first[3]) == pytest.approx(step.achieved.train["f1"], abs=1e-4)
    assert second[:2] == ["f2", "hold"]
    assert third[:2] == ["f3", "free"]
    assert (
        repr(step.point).splitlines()[0].startswith("Point 1, on the front, from point 0: improve f1 by 5%")
    )
    assert repr(nav).splitlines()[1:] == repr(nav.here).splitlines()[1:]


def test_a_step_that_was_taken_back_shows_what_was_measured() -> None:
    nav = pn.Navigator(pn.problems.quadratic(n=10, m=3))
    nav.start()
    step = nav.step(pn.Improve({"f1": 1.0}), 0.05)
    nothing = replace(step.achieved, train=Changes())
    gone = replace(step, status=pn.StepStatus.REJECTED, reason="f2 came out worse", achieved=nothing)
    assert repr(gone).splitlines()[0].startswith("Step from point 1, rejected: improve f1")
    assert "achieved" not in repr(gone)
    assert repr(gone).endswith("f2 came out worse")


def test_a_session_that_cannot_be_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert repr(pn.Session()) == "Session in memory, empty"
    session = pn.Session(tmp_path, write=True)

    def broken(_: pn.Session) -> None:
        raise pn.SessionError("point 3 is damaged")

    monkeypatch.setattr(pn.Session, "records", property(broken))
    assert "cannot be read\npoint 3 is damaged" in repr(session)


def test_long_names_lose_their_middle_and_dust_its_digits() -> None:
    said = str(Display("t", ["", "value"], [["a" * 40 + "z", "1"]]))
    assert "aaa...aaa" in said
    assert "z  " in said
    changes = changes_shown("t", {"change": {"a": -0.01, "b": 1e-17}}, {})
    assert changes.rows[1][1] == "0.000000"


def test_an_empty_outcome_is_false_and_says_so(many: dict[str, Any]) -> None:
    nothing = Outcome(Changes(), Changes(), Changes(), "train")
    assert not nothing
    assert repr(nothing) == "Outcome, empty"
    assert many["outcome"]
