"""Names, numbers and preferences as a person reads them."""

from types import SimpleNamespace

import pytest
import torch

import paretonav as pn
from paretonav.session.wording import NO_TRADE, caution, origin, price, price_sentence, standing, unsure
from paretonav.steering.preferences.wording import describe
from paretonav.text import listed, number, printable


@pytest.mark.parametrize(
    ("preference", "words"),
    [
        (pn.Improve({"a": 1}), "improve a by 5%"),
        (pn.Improve({"a": 2, "b": 2, "c": 0}, hold=["d"]), "improve a and b by 5%, holding d"),
        (pn.Improve({"a": 0.7, "b": 0.3}, hold=["c", "d"]), "improve a 0.7, b 0.3 by 5%, holding c and d"),
        (pn.Direction({"a": -1, "b": 0.5, "c": 0}), "direction a -1, b +0.5 by 5%, holding c"),
        (pn.Improve({"a": 1}, hold=["b"], on="train"), "improve a by 5%, holding b on training data"),
        (pn.Direction({"a": -1}, on="train"), "direction a -1 by 5% on training data"),
        (pn.Classify(["a"], on="train"), "improve a by 5% on training data"),
        (pn.Improve({"a": 1}, on="validation"), "improve a by 5%"),
    ],
)
def test_preferences_in_words(preference, words):
    assert describe(preference, 0.05) == words


def test_a_preference_of_ones_own_has_its_own_words():
    quick = pn.Navigator(pn.problems.quadratic(n=10, m=2))
    quick.start()

    class Mine:
        def wish(self, at):
            return pn.Improve({"f1": 1}).wish(at)

        def __repr__(self):
            return "Mine"

    quick.step(Mine(), 0.02)
    assert origin(quick.here) == "from point 0: Mine by 2%"


def test_words():
    assert listed(["a", "b", "c"], "or") == "a, b or c"
    assert listed([]) == ""
    assert printable("a\x1bb\n") == r"a\x1bb\n"
    assert [number(x) for x in (1.0, 0.1 + 0.2)] == ["1", "0.30000000000000004"]
    assert number(2.0, "+") == "+2"


def point(gain=0.0, losses=(1.0, 3.0), costs=(0.5, 0.5), examples=None, errors=None):
    """A point on a front, as far as words are made of it."""
    names = ("a", "b")
    other = {"a": {"b": costs[0]}, "b": {"a": costs[1]}}
    train = SimpleNamespace(examples=examples, standard_error=lambda: errors)
    return SimpleNamespace(
        anchor=None,
        losses=dict(zip(names, losses, strict=True)),
        joint_gain=gain,
        trade_offs=other,
        measured=SimpleNamespace(shown=train),
        front=SimpleNamespace(sampled=False),
    )


def test_what_all_could_gain_is_told_in_parts_of_all_of_them():
    assert "about 0.02 (1.0% of their size)" in standing(
        point(0.02)
    )  # each of the two by 0.02, of 4 together


def test_next_to_nothing_is_not_told_as_a_figure():
    assert "7.4e-26" not in standing(point(7.4e-26))


def test_a_model_that_is_not_trained_out_is_warned_of():
    assert caution(point(0.02)) == ""
    assert "not trained out: all losses could still fall together by 5.0% of their size" in caution(
        point(0.1)
    )
    pays = SimpleNamespace(pays=True, words="training on lowers a by 3 %")
    assert "training on lowers a by 3 %" in caution(point(), pays)
    assert caution(point(), SimpleNamespace(pays=None)) == ""


def test_missing_standard_errors_are_said_of_data_and_not_of_functions():
    assert unsure(point()) == ""
    assert "no standard errors here" in unsure(point(examples=20))
    assert unsure(point(examples=100, errors=torch.ones(2))) == ""


@pytest.mark.parametrize(
    ("rate", "told"),
    [
        (-0.06, "nothing on b"),
        (1e-5, "nothing on b"),
        (1.5, "0.5% on b"),
        (37.0, "12% on b"),
        (1990.0, "663% on b"),
        (1e5, "over 1000% on b"),
        (float("inf"), "no price on b"),
    ],
)
def test_prices_are_figures_that_say_something(rate, told):
    assert price(point(costs=(rate, 1.0)), "a") == told


def test_where_nothing_can_be_gained_there_is_no_price():
    assert price(point(), "a", reach=7e-6) == NO_TRADE
    assert price_sentence(point(), "a", reach=7e-6) == "There is nothing to trade here."
    assert price_sentence(point(), "a", reach=0.5).startswith("1% better costs about 0.17% on b")
