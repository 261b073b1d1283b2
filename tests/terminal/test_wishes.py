"""The decision maker's words at the prompt."""

import pytest

from paretonav.terminal.dialogue import RefusedError
from paretonav.terminal.parser import parse


@pytest.fixture
def say(dialogue):
    def run(text):
        for command in parse(text, dialogue.navigator.problem.names):
            dialogue.run(command)

    return run


def test_an_aim_is_previewed_and_reached(dialogue, say, written):
    goal = round(0.97 * dialogue.navigator.here.losses["f1"], 4)
    say(f"aim f1 {goal}")
    assert f"Preview: aim at f1 {goal}" in written()
    assert dialogue.navigator.here.losses["f1"] == pytest.approx(goal, rel=1e-6)


def test_an_aim_that_is_out_of_reach_says_what_is_nearest(say, written):
    say("aim f1 -1")
    shown = " ".join(written().split())
    assert "The model of the front here has no such outcome; the nearest has f1 " in shown
    assert "Shortened: the target is out of reach: the edge of the front" in shown
    with pytest.raises(RefusedError, match="out of reach"):
        say("aim f1 -1")


def test_classes_are_kept(dialogue, say):
    start = dialogue.navigator.here.losses
    bound = round(1.02 * start["f3"], 6)
    say(f"classify improve f1 allow f3 {bound} free f2 by 2%")
    here = dialogue.navigator.here.losses
    assert here["f1"] == pytest.approx(0.98 * start["f1"], rel=1e-4)
    assert here["f3"] <= bound


def test_what_is_held_is_held_in_every_wish(dialogue, say):
    start = dialogue.navigator.here.losses
    say("hold f2; classify improve f1 by 1%; preview aim f1 0; options")
    assert dialogue.navigator.here.losses["f2"] == pytest.approx(start["f2"], rel=1e-4)
    for text in ("aim f2 0.1", "classify improve f1 free f2", "classify improve f2", "improve f1 allow f2 9"):
        with pytest.raises(RefusedError, match="f2 is held; first say: release f2"):
            say(text)


def test_a_point_that_is_liked_better_leads_on(dialogue, say, written):
    say("improve f1 by 3%; prefer 1 to 0 by 2%")
    first, second, third = dialogue.navigator.records
    assert third.losses["f1"] < second.losses["f1"] < first.losses["f1"]
    assert "prefer f1" in written()
    with pytest.raises(RefusedError, match="there is no point 9"):
        say("prefer 9 to 0")


def test_options_are_numbered_and_can_be_taken(dialogue, say, written):
    with pytest.raises(RefusedError, match="first say: options"):
        say("take 1")
    say("options by 2%")
    shown = written()
    assert "1 improve f1" in shown
    assert "-2.0%" in shown
    with pytest.raises(RefusedError, match="numbered from 1 to"):
        say("take 9")
    start = dialogue.navigator.here.losses
    say("take 2")
    assert dialogue.navigator.here.losses["f2"] == pytest.approx(0.98 * start["f2"], rel=1e-4)
    with pytest.raises(RefusedError, match="first say: options"):
        say("take 2")


def test_the_last_step_is_explained(say, written):
    with pytest.raises(RefusedError, match="no step to explain"):
        say("explain")
    say("improve f1 by 3%; explain; explain f2")
    shown = " ".join(written().split())
    assert "You asked to improve f1 by 3%. Expected was f1 down 3.0%" in shown
    assert "That is as expected." in shown
