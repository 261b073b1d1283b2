"""A model that is held where it is, at the prompt: what is asked for first, training on, and no edge."""

import re
from dataclasses import replace

import pytest
import torch
from tests.regression import NAMES, noisy, problem, trained

import paretonav as pn
from paretonav.steering.outcome import nothing
from paretonav.terminal.dialogue import Dialogue
from paretonav.terminal.parser import parse
from paretonav.terminal.views import step_view
from paretonav.text import value


@pytest.fixture
def held(console):
    """At a model that is held, with nothing written yet."""
    dialogue = Dialogue(pn.Navigator(trained()), console)
    dialogue.start()
    return dialogue


def test_where_that_is_asked_for_a_start_trains_on_first(console, written):
    few = problem(
        train=noisy(64, 10), validation=noisy(64, 20), optimizer=lambda p: torch.optim.Adam(p, lr=0.1)
    )
    came = few.parameters()
    dialogue = Dialogue(pn.Navigator(few), console, train_on=True)
    dialogue.start()
    assert not torch.equal(few.parameters(), came)
    assert ", beside what is trained on before" in words(written)


def say(dialogue, text):
    for command in parse(text, NAMES):
        dialogue.run(command)


def words(written):
    return " ".join(written().split())


def test_the_start_says_what_holds_the_model(held, written):
    anchor, shown = held.navigator.here.anchor, words(written)
    assert "At the first point after " in shown
    assert "held where it is, by a pull of " in shown
    assert anchor.reason in shown
    assert "costs about (along the cheapest way)" in shown
    for never in ("for free", "On the front", "edge of the front"):
        assert never not in shown


def test_what_was_asked_for_comes_first(held, written):
    say(held, "improve large by 0.5%")
    shown, before = written(), held.navigator.session.point(0)
    first = re.search(r"large +valid\. +(\S+) ", shown)
    assert first
    assert float(first[1]) == pytest.approx(-0.005 * before.validation["large"], rel=0.1)
    assert re.search(r"large +valid\..*\n +train", shown)
    headings = shown[shown.index("Preview") : shown.index("Step from")]
    assert headings.index("validation") < headings.index("training")
    assert "weight" not in headings  # they stay


def test_a_wish_about_training_data_is_told_as_one(held, written):
    say(held, "improve large by 0.5% on training data")
    shown = written()
    assert "improve large by 0.5% on training data" in shown
    assert re.search(r"large +train .*\n +valid\.", shown)
    headings = shown[shown.index("Preview") : shown.index("Step from")]
    assert re.search(r"requested +training +validation", headings)


def test_the_list_of_points_has_validation_losses(held, written):
    say(held, "points")
    shown = written()
    assert "The columns are validation losses." in shown
    loss = held.navigator.here.validation["small"]
    assert value(loss, loss) in shown


def test_training_is_measured_once_and_stays_known(held, written):
    before = held.navigator.problem.parameters()
    say(held, "training")
    gain = held.navigator.known_training_gain
    assert f"T{gain.words[1:]}." in words(written)
    assert torch.equal(held.navigator.problem.parameters(), before)
    say(held, "training; show")
    assert held.navigator.known_training_gain is gain
    assert words(written).count(f"T{gain.words[1:]}.") == 3


def test_training_is_asked_before_it_is_measured(held, written):
    held.ask = lambda question: "Train a copy of point 0" not in question
    say(held, "training")
    assert "Not measured." in written()
    assert held.navigator.known_training_gain is None


def test_training_of_a_function_is_refused_in_words(dialogue):
    (command,) = parse("training", ("f1", "f2", "f3"))
    with pytest.raises(pn.NavigationError, match="a function has no data to train on"):
        dialogue.run(command)


def test_what_was_taken_back_has_no_colour(held):
    before = held.navigator.here
    step = held.navigator.step(pn.Improve({"large": 1.0}), 0.01)
    rejected = replace(
        step, point=before, achieved=nothing(), status=pn.StepStatus.REJECTED, reason="it was worse"
    )
    assert {"green", "red"} & styles(step_view(step, before))
    assert not {"green", "red"} & styles(step_view(rejected, before))


def styles(view):
    """Of the cells of a view's table."""
    table = view.renderables[1]
    return {str(getattr(cell, "style", "")) for column in table.columns for cell in column.cells}
