"""Points have names and sessions a title: short lines of somebody's, which stay what they are."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open

import paretonav as pn
from paretonav.session.naming import LONGEST_NAME, LONGEST_TITLE


def session_of(path: Path | None = None) -> pn.Session:
    nav = pn.Navigator(pn.problems.quadratic(n=4, m=2), session=path)
    nav.start()
    nav.step(pn.Improve({"f1": 1.0}), 0.01)
    return nav.session


@pytest.fixture(scope="module")
def session() -> pn.Session:
    return session_of()


def test_they_are_kept(tmp_path: Path) -> None:
    with session_of(tmp_path / "s") as session:
        assert (session.title, session[1].name) == ("", "")
        session.title = "  Two goals\n of ours "
        session.name(1, "the  fair one")
        session.note(1, "a note")
        session.star(1)
        assert session.id_of("The Fair ONE") == 1
        reader = pn.Session(tmp_path / "s")
        assert (reader.title, reader[1].name) == ("Two goals of ours", "the fair one")
        session.name(0, "where it began")
        assert reader[0].name == "where it began"
        session.copy(tmp_path / "copy")
    for folder in ("s", "copy"):
        again = pn.Session(tmp_path / folder)
        assert again.title == "Two goals of ours"
        assert [(r.name, r.note, r.star) for r in again] == [
            ("where it began", "", False),
            ("the fair one", "a note", True),
        ]
        assert "'the fair one'" in repr(again[1])
        assert "Two goals of ours" in repr(again)
    for say in (lambda: reader.name(0, "x"), lambda: setattr(reader, "title", "x")):
        with pytest.raises(pn.SessionError, match="for reading only"):
            say()
    with pn.Session(tmp_path / "s", write=True) as session:
        session.name(1, "")
        session.title = ""
    assert (pn.Session(tmp_path / "s").title, pn.Session(tmp_path / "s")[1].name) == ("", "")


def test_a_title_can_come_before_the_first_point(tmp_path: Path) -> None:
    with pn.Session(tmp_path / "s", write=True) as session:
        session.title = "to be begun"
        nav = pn.Navigator(pn.problems.quadratic(n=4, m=2), session=session)
        nav.start()
        assert nav.session.title == "to be begun"
    assert pn.Session(tmp_path / "s").title == "to be begun"


@given(st.text(max_size=80))
def test_whatever_is_said_a_name_is_a_line_that_turns_nothing_round(session: pn.Session, text: str) -> None:
    session.name(1, "")
    try:
        session.name(1, text)
    except pn.SessionError:
        assert session[1].name == ""
        return
    name = session[1].name
    assert len(name) <= LONGEST_NAME
    assert len(name.splitlines()) <= 1
    assert name == name.strip()
    assert not {"\x1b", "\u202e", "\u2066", "\n"} & set(name)
    if name:
        assert session.id_of(text) == session.id_of(name) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x" * (LONGEST_NAME + 1), "at most 60 letters, and this one 61; give a shorter one"),
        ("12", "'12' would be taken for the number of a point"),
        ("#3", "taken for the number"),
        (None, "None cannot be a name"),
        ("\ud800", "cannot be a name"),
        ("First", "point 0 is called 'first' already; give another name"),
    ],
)
def test_what_is_no_name_is_refused(session: pn.Session, text: str, words: str) -> None:
    session.name(0, "first")
    with pytest.raises(pn.SessionError, match=words):
        session.name(1, text)
    session.name(0, "first")  # its own it may keep
    with pytest.raises(pn.SessionError, match="there is no point 7"):
        session.name(7, "seventh")
    with pytest.raises(pn.SessionError, match="no point is called 'nobody'"):
        session.id_of("nobody")
    with pytest.raises(pn.SessionError, match=f"at most {LONGEST_TITLE} letters"):
        session.title = "x" * 121


def test_tables_cards_and_files_have_them(walk_with: Callable[..., pn.Session], tmp_path: Path) -> None:
    session = walk_with(("a", "b"))
    session.name(1, "=half|way")
    session.name(3, "<b>fair</b>")
    session.title = "Two *tasks*"
    assert session.table()["name"].tolist() == ["", "=half|way", "", "<b>fair</b>"]
    session.to_csv(tmp_path / "t.csv")
    assert "'=half|way" in (tmp_path / "t.csv").read_text()
    document = json.loads(session.as_json())
    assert (document["title"], document["points"][3]["name"]) == ("Two *tasks*", "<b>fair</b>")
    card = session.card(3)
    assert card.startswith(
        "# Model card: &lt;b&gt;fair&lt;/b&gt;, point 3 of a Pareto navigation: Two \\*tasks\\*\n"
    )
    assert "### From point 1 (=half\\|way) to point 3 (&lt;b&gt;fair&lt;/b&gt;)" in card
    session.export(tmp_path / "m.safetensors", 3)
    with safe_open(tmp_path / "m.safetensors", "pt") as file:
        facts = file.metadata()
    assert json.loads(facts["paretonav.name"]) == "<b>fair</b>"
    assert json.loads(facts["paretonav.title"]) == "Two *tasks*"
