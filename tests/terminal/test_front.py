"""Covers and maps at the prompt."""

import io
from collections.abc import Callable

import pytest
from rich.console import Console

import paretonav as pn
from paretonav.terminal.dialogue import Dialogue, RefusedError
from paretonav.terminal.parser import parse
from paretonav.terminal.words import CommandError

NAMES = ("f1", "f2")


@pytest.fixture
def shown() -> Console:
    return Console(file=io.StringIO(), width=80, highlight=False, markup=False, emoji=False)


@pytest.fixture
def asked() -> list[str]:
    return []


@pytest.fixture
def dialogue(shown: Console, asked: list[str]) -> Dialogue:
    """On two quadratics; all questions are answered with yes."""

    def ask(question: str) -> bool:
        asked.append(question)
        return True

    dialogue = Dialogue(pn.Navigator(pn.problems.quadratic(n=6, m=2, seed=1)), shown, ask)
    dialogue.start()
    return dialogue


@pytest.fixture
def say(dialogue: Dialogue, shown: Console) -> Callable[[str], str]:
    """Carry out commands, and return what they write."""

    def run(text: str) -> str:
        before = len(shown.file.getvalue())  # type: ignore[attr-defined]
        for command in parse(text, NAMES):
            dialogue.run(command)
        return str(shown.file.getvalue()[before:])  # type: ignore[attr-defined]

    return run


def test_a_cover_is_asked_about_made_and_shown(
    say: Callable[[str], str], dialogue: Dialogue, asked: list[str]
) -> None:
    told = say("cover 4")
    assert asked == ["Take steps to 4 points along the front? [y/n] "]
    assert "Cover of 4 points" in told
    assert "The largest gap is 1" in told
    assert dialogue.navigator.here.id == 0
    assert len(dialogue.navigator.records) >= 4
    assert "0 steps in" in say("cover 4")


def test_bounds_are_those_of_the_command(say: Callable[[str], str], dialogue: Dialogue) -> None:
    bound = dialogue.navigator.here.losses["f2"]
    told = " ".join(say(f"cover 3 allow f2 {bound!r}").split())
    assert f"The worst that counts is f2 {bound:.4f}." in told
    assert all(record.losses["f2"] <= bound * (1 + 1e-9) for record in dialogue.navigator.records)
    with pytest.raises(RefusedError, match="no point within these bounds"):
        say("cover 3 allow f2 -1")


def test_nothing_is_done_where_the_answer_is_no(shown: Console) -> None:
    dialogue = Dialogue(pn.Navigator(pn.problems.quadratic(n=6, m=2)), shown, lambda _: False)
    dialogue.start()
    for text in ("cover 4", "map f1 0.1"):
        dialogue.run(parse(text, NAMES)[0])
    assert len(dialogue.navigator.records) == 1


def test_a_map_says_what_is_known_and_goes_from_the_point_that_comes_nearest(
    say: Callable[[str], str], dialogue: Dialogue
) -> None:
    assert "The front as 1 point knows it" in say("map")
    say("cover 5")
    assert "The front as 5 points know it" in say("map")
    target = 0.5 * dialogue.navigator.here.losses["f1"]
    told = say(f"map f1 {target!r}")
    here = dialogue.navigator.here
    assert f"It begins at point {here.parent}: 1 leg" in told
    assert here.losses["f1"] == pytest.approx(target, rel=1e-3)


def test_what_is_held_keeps_covers_back_and_is_held_on_the_map(say: Callable[[str], str]) -> None:
    say("cover 5; hold f1")
    with pytest.raises(RefusedError, match="f1 cannot be held while points are spread"):
        say("cover 5")
    with pytest.raises(RefusedError, match="f1 is held; first say: release f1"):
        say("map f1 0.1")
    with pytest.raises(pn.PreferenceError, match="point 0 is as good as that already"):
        say("map f2 100")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cover", "the number of points is missing"),
        ("cover 0", "'0' is no number of points; give one from 1 to 9999"),
        ("cover many", "'many' is no number of points"),
        ("cover 5 f1", "is too much; the command is: cover N"),
        ("cover 5 allow", "the name of an objective is missing"),
        ("map f1", "the value to come to of f1 is missing"),
        ("map f9 1", "there is no objective or metric 'f9'"),
    ],
)
def test_what_makes_no_sense_is_refused(text: str, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        parse(text, NAMES)
